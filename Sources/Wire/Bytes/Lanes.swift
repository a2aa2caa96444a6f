/// Sixteen bytes at a time: the scans that keep a codec at one to two instructions a byte.
///
/// Only comparisons with a repeated constant, ranges and bit operations are used: they compile to
/// one or two vector instructions each. Other SIMD operators of the standard library do not.
typealias Lanes = SIMD16<UInt8>

extension Lanes {
  /// The sixteen bytes from `offset` on.
  @inline(__always)
  static func load(_ pointer: UnsafeRawPointer, _ offset: Int) -> Lanes {
    (pointer + offset).loadUnaligned(as: Lanes.self)
  }

  @inline(__always)
  func are(_ byte: UInt8) -> SIMDMask<SIMD16<Int8>> {
    self .== Lanes(repeating: byte)
  }

  @inline(__always)
  func are(below limit: UInt8) -> SIMDMask<SIMD16<Int8>> {
    self .< Lanes(repeating: limit)
  }

  @inline(__always)
  func are(from first: UInt8, through last: UInt8) -> SIMDMask<SIMD16<Int8>> {
    (self &- Lanes(repeating: first)) .<= Lanes(repeating: last &- first)
  }

  /// ASCII letters and digits.
  @inline(__always)
  var areAlphanumeric: SIMDMask<SIMD16<Int8>> {
    let folded = self | Lanes(repeating: 0x20)
    return folded.are(from: 0x61, through: 0x7a) .| are(from: 0x30, through: 0x39)
  }
}

extension SIMDMask<SIMD16<Int8>> {
  /// Whether no lane is set.
  @inline(__always)
  var isClear: Bool {
    let halves = unsafeBitCast(self, to: SIMD2<UInt64>.self)
    return halves.x | halves.y == 0
  }

  /// The index of the first lane that is set; 16 if none is.
  @inline(__always)
  var first: Int {
    let halves = unsafeBitCast(self, to: SIMD2<UInt64>.self)
    if halves.x != 0 { return halves.x.trailingZeroBitCount &>> 3 }
    return 8 &+ halves.y.trailingZeroBitCount &>> 3
  }

  /// The index of the first lane that is not set; 16 if all are.
  @inline(__always)
  var firstUnset: Int {
    let halves = unsafeBitCast(self, to: SIMD2<UInt64>.self)
    if ~halves.x != 0 { return (~halves.x).trailingZeroBitCount &>> 3 }
    return 8 &+ (~halves.y).trailingZeroBitCount &>> 3
  }
}
