/// Checks UTF-8 (RFC 3629) in pieces split anywhere, and fails at the first byte that cannot be
/// right, so that a bad message is refused before it is complete (RFC 6455 §8.1).
///
/// Overlong forms, surrogates and code points above U+10FFFF are invalid. One byte of state.
public struct UTF8Validator: Equatable, Sendable {
  var state: UInt8 = 0

  // What must come next: 1, 2, 3 plain continuation bytes, or a second byte with a narrower range.
  private static let rejected: UInt8 = 8
  private static let afterE0: UInt8 = 4
  private static let afterED: UInt8 = 5
  private static let afterF0: UInt8 = 6
  private static let afterF4: UInt8 = 7

  /// Before the first byte of a text.
  @inlinable
  public init() { self.init(state: 0) }

  @usableFromInline
  init(state: UInt8) { self.state = state }

  /// Whether what was consumed ends between two characters: true at the start, false after a failure.
  public var isComplete: Bool { state == 0 }

  /// Whether an impossible byte was seen.
  public var hasFailed: Bool { state == UTF8Validator.rejected }

  /// Takes the next bytes. False once an impossible byte was seen, and ever after.
  public mutating func consume(_ bytes: UnsafeRawBufferPointer) -> Bool {
    consume(bytes, firstInvalid: nil)
  }

  /// Whether `bytes` are whole, valid UTF-8.
  public static func isValid(_ bytes: UnsafeRawBufferPointer) -> Bool {
    var validator = UTF8Validator()
    return validator.consume(bytes) && validator.isComplete
  }

  /// As `consume`, and tells where the impossible byte lies.
  mutating func consume(
    _ bytes: UnsafeRawBufferPointer, firstInvalid: UnsafeMutablePointer<Int>?
  ) -> Bool {
    guard let p = bytes.baseAddress else { return state != UTF8Validator.rejected }
    let end = bytes.count
    var i = 0
    var state = self.state
    while i < end {
      if state == 0 {
        while i &+ 16 <= end {
          let stop = Lanes.load(p, i).are(below: 0x80).firstUnset
          i &+= stop
          if stop < 16 { break }
        }
        if i >= end { break }
      }
      state = UTF8Validator.next(state, p.byte(i))
      if state == UTF8Validator.rejected {
        firstInvalid?.pointee = i
        break
      }
      i &+= 1
    }
    self.state = state
    return state != UTF8Validator.rejected
  }

  @inline(__always)
  private static func next(_ state: UInt8, _ byte: UInt8) -> UInt8 {
    switch state {
    case 0:
      switch byte {
      case 0x00...0x7f: 0
      case 0xc2...0xdf: 1
      case 0xe0: afterE0
      case 0xed: afterED
      case 0xe1...0xef: 2
      case 0xf0: afterF0
      case 0xf1...0xf3: 3
      case 0xf4: afterF4
      default: rejected
      }
    case 1, 2, 3: byte & 0xc0 == 0x80 ? state &- 1 : rejected
    case afterE0: (0xa0...0xbf).contains(byte) ? 1 : rejected
    case afterED: (0x80...0x9f).contains(byte) ? 1 : rejected
    case afterF0: (0x90...0xbf).contains(byte) ? 2 : rejected
    case afterF4: (0x80...0x8f).contains(byte) ? 2 : rejected
    default: rejected
    }
  }
}
