/// The name of a trailer field while it comes, byte by byte: whether it is one that must not stand there.
///
/// RFC 9110 §6.5.1: nothing that frames, routes, modifies or authenticates a request or describes its content, which has
/// to be known before that is read. Ignoring such a field would be allowed; but a peer that sends one wants to be
/// understood in two ways. The same for HTTP/1.1 and HTTP/2.
struct TrailerName: Sendable {
  /// A bit for each forbidden name that begins with what has come.
  private var candidates = UInt32(1 &<< count) &- 1
  private var length: UInt8 = 0

  init() {}

  /// A name that is there as a whole.
  init(_ name: UnsafeRawBufferPointer) { for byte in name { append(byte) } }

  mutating func append(_ byte: UInt8) {
    guard candidates != 0 else { return }
    let folded = byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte
    for index in 0..<Self.count where candidates >> UInt32(index) & 1 == 1 {
      let name = Self.forbidden(index)
      if Int(length) >= name.utf8CodeUnitCount || name.utf8Start[Int(length)] != folded {
        candidates &= ~(1 << UInt32(index))
      }
    }
    // No forbidden name is longer than some bytes, and without a candidate nothing is counted.
    length &+= 1
  }

  /// Whether the name is whole and forbidden.
  var isForbidden: Bool {
    for index in 0..<Self.count where candidates >> UInt32(index) & 1 == 1 {
      if Self.forbidden(index).utf8CodeUnitCount == Int(length) { return true }
    }
    return false
  }

  private static let count = 24

  private static func forbidden(_ index: Int) -> StaticString {
    switch index {
    case 0: "content-length"
    case 1: "transfer-encoding"
    case 2: "host"
    case 3: "connection"
    case 4: "upgrade"
    case 5: "te"
    case 6: "trailer"
    case 7: "expect"
    case 8: "authorization"
    case 9: "cookie"
    case 10: "content-type"
    case 11: "content-encoding"
    case 12: "content-range"
    case 13: "keep-alive"
    case 14: "proxy-authorization"
    case 15: "range"
    case 16: "cache-control"
    case 17: "max-forwards"
    case 18: "pragma"
    case 19: "if-match"
    case 20: "if-none-match"
    case 21: "if-modified-since"
    case 22: "if-unmodified-since"
    default: "if-range"
    }
  }
}
