/// The name of a trailer field while it comes, byte by byte: whether it is one that must not stand there.
///
/// RFC 9110 §6.5.1: nothing that frames, routes, modifies or authenticates a request or describes its content. Ignoring
/// such a field would be allowed; but a peer that sends one wants to be understood in two ways.
struct TrailerName: Sendable {
  /// A bit for each forbidden name that begins with what has come.
  private var candidates = UInt16(1 &<< count) &- 1
  private var length: UInt8 = 0

  mutating func append(_ byte: UInt8) {
    guard candidates != 0 else { return }
    let folded = byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte
    for index in 0..<Self.count where candidates >> UInt16(index) & 1 == 1 {
      let name = Self.forbidden(index)
      if Int(length) >= name.utf8CodeUnitCount || name.utf8Start[Int(length)] != folded {
        candidates &= ~(1 << UInt16(index))
      }
    }
    // No forbidden name is longer than a few bytes, and without a candidate nothing is counted.
    length &+= 1
  }

  /// Whether the name is whole and forbidden.
  var isForbidden: Bool {
    for index in 0..<Self.count where candidates >> UInt16(index) & 1 == 1 {
      if Self.forbidden(index).utf8CodeUnitCount == Int(length) { return true }
    }
    return false
  }

  private static let count = 14

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
    default: "keep-alive"
    }
  }
}
