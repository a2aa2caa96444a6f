internal import EventLoop
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

  /// Takes an id of ``RequestIDSource``.
  @inline(__always)
  mutating func fill(from bytes: UnsafeRawPointer) {
    count = RequestIDSource.length
    withUnsafeMutableBytes(of: &storage) {
      $0.baseAddress.unsafelyUnwrapped.copyMemory(
        from: bytes, byteCount: RequestIDSource.length)
    }
  }

  private mutating func fill(from bytes: UnsafeRawPointer, _ size: Int) {
    count = size
    withUnsafeMutableBytes(of: &storage) {
      $0.baseAddress.unsafelyUnwrapped.copyMemory(from: bytes, byteCount: size)
    }
  }
}

extension UnsafeMutablePointer where Pointee == RequestSlot {
  /// Gives a request that has come its token, its id and the time of its beginning.
  @inline(__always)
  func register() {
    let loop = loop
    // From when the loop woke up for it, so that what it waits for others is part of its time.
    let woken = loop.pointee.eventLoop.busySince
    pointee.began = woken != 0 ? woken : EventLoop.hrtime()
    pointee.token = loop.pointee.tokens.insert(UnsafeMutableRawPointer(self), .request)
    let adopted = field(.xRequestID).map { pointee.requestID.adopt($0) } ?? false
    if !adopted {
      loop.pointee.requestIDs.next(
        unixMilliseconds: loop.pointee.eventLoop.unixMilliseconds, into: &pointee.requestID)
    }
    if pointee.head.method == .head { pointee.flags.insert(.isHead) }
  }

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

  /// Without i, l, o and u.
  private static var alphabet: StaticString { "0123456789abcdefghjkmnpqrstvwxyz" }

  @inline(__always)
  private static func digit(_ value: UInt64) -> UInt8 {
    alphabet.utf8Start[Int(truncatingIfNeeded: value & 31)]
  }

  @inline(__always)
  mutating func next(unixMilliseconds now: UInt64, into id: inout RequestID) {
    counter &+= 1
    if now != millisecond || counter & 31 == 0 {
      render(now)
    } else {
      template[Self.length - 1] = Self.digit(counter & 31)
    }
    id.fill(from: template)
  }

  /// Everything, and not only the last digit.
  @inline(never)
  private mutating func render(_ now: UInt64) {
    if now != millisecond {
      millisecond = now
      for index in 0..<10 { template[index] = Self.digit(now >> UInt64(45 - 5 * index) & 31) }
    }
    var rest = counter
    for index in (19..<26).reversed() {
      template[index] = Self.digit(rest & 31)
      rest >>= 5
    }
  }
}
