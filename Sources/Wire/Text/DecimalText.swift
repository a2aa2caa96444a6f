/// Decimal numbers written two digits at a time, for those that stand in every answer and log line.
public enum DecimalText {
  /// Bytes of the longest number, 2^64 − 1.
  public static let longest = 20

  /// `00` to `99`, side by side.
  @usableFromInline static var pairs: StaticString {
    """
    0001020304050607080910111213141516171819202122232425262728293031323334353637383940414243444546474849\
    5051525354555657585960616263646566676869707172737475767778798081828384858687888990919293949596979899
    """
  }

  /// Writes `value` without leading zeros.
  ///
  /// - Parameter target: memory with room for the number, ``longest`` bytes at most.
  /// - Returns: bytes written.
  @inlinable @inline(__always)
  public static func write(_ value: UInt64, to target: UnsafeMutableRawPointer) -> Int {
    if value < 100 {
      if value < 10 {
        put(digit: value, target, 0)
        return 1
      }
      put(pair: value, target, 0)
      return 2
    }
    if value < 10_000 { return writeFour(value, to: target) }
    if value < 100_000_000 { return writeEight(value, to: target) }
    return writeLong(value, to: target)
  }

  /// The decimal digits of `value`.
  @inlinable
  public static func digits(_ value: UInt64) -> Int {
    var digits = 1
    var limit: UInt64 = 10
    while digits < 20 && value >= limit {
      digits &+= 1
      limit = limit.multipliedReportingOverflow(by: 10).partialValue
    }
    return digits
  }

  /// 100 to 9,999.
  @inlinable @inline(__always)
  static func writeFour(_ value: UInt64, to target: UnsafeMutableRawPointer) -> Int {
    let high = value / 100
    let low = value &- high &* 100
    if high < 10 {
      put(digit: high, target, 0)
      put(pair: low, target, 1)
      return 3
    }
    put(pair: high, target, 0)
    put(pair: low, target, 2)
    return 4
  }

  /// 10,000 to 99,999,999.
  @usableFromInline @inline(never)
  static func writeEight(_ value: UInt64, to target: UnsafeMutableRawPointer) -> Int {
    let high = value / 10_000
    let low = value &- high &* 10_000
    let count: Int
    if high >= 100 {
      count = writeFour(high, to: target)
    } else if high >= 10 {
      put(pair: high, target, 0)
      count = 2
    } else {
      put(digit: high, target, 0)
      count = 1
    }
    let first = low / 100
    put(pair: first, target, count)
    put(pair: low &- first &* 100, target, count &+ 2)
    return count &+ 4
  }

  @usableFromInline @inline(never)
  static func writeLong(_ value: UInt64, to target: UnsafeMutableRawPointer) -> Int {
    let count = digits(value)
    var rest = value
    var at = count
    while rest >= 100 {
      let quotient = rest / 100
      at &-= 2
      put(pair: rest &- quotient &* 100, target, at)
      rest = quotient
    }
    if rest < 10 { put(digit: rest, target, 0) } else { put(pair: rest, target, 0) }
    return count
  }

  @inlinable @inline(__always)
  static func put(digit value: UInt64, _ target: UnsafeMutableRawPointer, _ offset: Int) {
    target.storeBytes(
      of: UInt8(truncatingIfNeeded: value) &+ 0x30, toByteOffset: offset, as: UInt8.self)
  }

  @inlinable @inline(__always)
  static func put(pair value: UInt64, _ target: UnsafeMutableRawPointer, _ offset: Int) {
    let source = UnsafeRawPointer(pairs.utf8Start) + Int(truncatingIfNeeded: value &* 2)
    target.storeBytes(
      of: source.loadUnaligned(as: UInt16.self), toByteOffset: offset, as: UInt16.self)
  }
}
