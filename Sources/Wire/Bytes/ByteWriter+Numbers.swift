extension ByteWriter {
  /// Appends `value` in decimal.
  @inlinable
  public mutating func append(decimal value: Int) {
    if value < 0 { append(UInt8(ascii: "-")) }
    append(decimal: UInt64(value.magnitude))
  }

  /// Appends `value` in decimal.
  @inlinable
  public mutating func append(decimal value: UInt64) {
    if available < DecimalText.longest {
      guard reserve(DecimalText.digits(value)) else { return }
    }
    count &+= DecimalText.write(value, to: base + count)
  }

  /// Appends `value` in lower-case hexadecimal without leading zeros, as a chunk size is written.
  @inlinable
  public mutating func append(hexadecimal value: UInt64) {
    let digits = value == 0 ? 1 : (67 &- value.leadingZeroBitCount) / 4
    guard reserve(digits) else { return }
    var rest = value
    var at = count &+ digits
    repeat {
      at &-= 1
      let digit = UInt8(truncatingIfNeeded: rest & 15)
      base.storeBytes(
        of: digit < 10 ? digit &+ 0x30 : digit &+ 0x57, toByteOffset: at, as: UInt8.self)
      rest &>>= 4
    } while rest != 0
    count &+= digits
  }

  /// Appends `value`, 0 to 10^`width` − 1, in exactly `width` decimal digits.
  @inlinable
  public mutating func append(decimal value: Int, width: Int) {
    guard reserve(width) else { return }
    var rest = value
    var at = count &+ width
    while at > count {
      at &-= 1
      base.storeBytes(
        of: UInt8(truncatingIfNeeded: rest % 10) &+ 0x30, toByteOffset: at, as: UInt8.self)
      rest /= 10
    }
    count &+= width
  }

  /// Writes `value` over `width` bytes already appended at `offset`: in decimal, to the right, spaces
  /// before it. For a Content-Length known only when the body is written; leading spaces are optional
  /// whitespace there (RFC 9110 §5.6.3).
  ///
  /// - Returns: false, with nothing written, if the field is not in what was appended or is too narrow.
  @inlinable
  public mutating func patch(decimal value: UInt64, at offset: Int, width: Int) -> Bool {
    let digits = DecimalText.digits(value)
    guard offset >= 0, width >= digits, width <= count, offset <= count &- width else {
      return false
    }
    var rest = value
    var at = offset &+ width
    let firstDigit = at &- digits
    while at > offset {
      at &-= 1
      let byte =
        at >= firstDigit ? UInt8(truncatingIfNeeded: rest % 10) &+ 0x30 : UInt8(ascii: " ")
      base.storeBytes(of: byte, toByteOffset: at, as: UInt8.self)
      rest /= 10
    }
    return true
  }
}
