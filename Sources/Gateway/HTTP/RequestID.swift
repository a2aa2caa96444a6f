internal import Wire

/// The text that names a request in headers, logs and problem documents: at most 64 bytes, held in place.
struct RequestID {
  static let limit = 64
  private var storage = InlineArray<64, UInt8>(repeating: 0)
  private(set) var count = 0

  /// Takes over an id that a client or proxy sent, if it is safe to repeat: letters, digits, `-`, `_` and `.`.
  mutating func adopt(_ bytes: UnsafeRawBufferPointer) -> Bool {
    guard bytes.count > 0, bytes.count <= Self.limit else { return false }
    for byte in bytes {
      switch byte {
      case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x2d, 0x2e, 0x5f: continue
      default: return false
      }
    }
    fill(from: bytes.baseAddress.unsafelyUnwrapped, bytes.count)
    return true
  }

  mutating func fill(from bytes: UnsafeRawPointer, _ size: Int) {
    count = size
    withUnsafeMutableBytes(of: &storage) {
      $0.baseAddress.unsafelyUnwrapped.copyMemory(from: bytes, byteCount: size)
    }
  }
}

extension UnsafeMutablePointer where Pointee == RequestSlot {
  /// The request's id; valid as long as the request.
  var requestID: UnsafeRawBufferPointer {
    let offset = MemoryLayout<RequestSlot>.offset(of: \.requestID).unsafelyUnwrapped
    return UnsafeRawBufferPointer(
      start: UnsafeRawPointer(self) + offset, count: pointee.requestID.count)
  }
}

/// Makes ids for the requests of one loop: 10 characters of time, 9 of chance per loop, 7 of a counter, all Crockford
/// base32, so that they sort by time and never repeat.
struct RequestIDSource {
  static let length = 26
  private let template: UnsafeMutablePointer<UInt8>
  private var counter: UInt64
  private var millisecond: UInt64 = .max

  init(seed: UInt64) {
    template = .allocate(capacity: Self.length)
    counter = seed & 0xffff
    var chance = seed
    for index in 10..<19 {
      template[index] = Self.digit(chance & 31)
      chance >>= 5
    }
  }

  func destroy() { template.deallocate() }

  private static func digit(_ value: UInt64) -> UInt8 {
    let value = UInt8(truncatingIfNeeded: value)
    // 0123456789abcdefghjkmnpqrstvwxyz: i, l, o and u are left out.
    if value < 10 { return 0x30 + value }
    var letter = 0x61 + value - 10
    if letter >= 0x69 { letter += 1 }
    if letter >= 0x6c { letter += 1 }
    if letter >= 0x6f { letter += 1 }
    if letter >= 0x75 { letter += 1 }
    return letter
  }

  mutating func next(unixMilliseconds now: UInt64, into id: inout RequestID) {
    if now != millisecond {
      millisecond = now
      for index in 0..<10 { template[index] = Self.digit(now >> UInt64(45 - 5 * index) & 31) }
    }
    counter &+= 1
    var rest = counter
    for index in (19..<26).reversed() {
      template[index] = Self.digit(rest & 31)
      rest >>= 5
    }
    id.fill(from: template, Self.length)
  }
}
