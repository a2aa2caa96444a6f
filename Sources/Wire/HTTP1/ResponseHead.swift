/// What may stand in a response's header fields. A name or value from outside goes through these
/// before it is written: a line break in one would forge the next (RFC 9110 §5.5).
public enum FieldSyntax {
  /// Whether `bytes` is a field name: a token of at least one byte (RFC 9110 §5.1).
  public static func isName(_ bytes: UnsafeRawBufferPointer) -> Bool {
    guard let base = bytes.baseAddress else { return false }
    return RequestHeadParser.isToken(base, 0, bytes.count)
  }

  /// Whether `bytes` is a field value: no control character but tab, no whitespace at its ends.
  public static func isValue(_ bytes: UnsafeRawBufferPointer) -> Bool {
    guard let base = bytes.baseAddress, bytes.count > 0 else { return true }
    guard !RequestHeadParser.isBlank(base.byte(0)),
      !RequestHeadParser.isBlank(base.byte(bytes.count &- 1))
    else { return false }
    for byte in bytes where byte < 0x20 && byte != 0x09 || byte == 0x7f { return false }
    return true
  }
}

extension ByteWriter {
  /// Appends a header field line whose name and value are literals of the program.
  @inlinable
  public mutating func append(field name: StaticString, _ value: StaticString) {
    append(name)
    append(": ")
    append(value)
    append("\r\n")
  }

  /// Appends a header field line with a number.
  @inlinable
  public mutating func append(field name: StaticString, decimal value: Int) {
    append(name)
    append(": ")
    append(decimal: value)
    append("\r\n")
  }

  /// Appends a header field line from outside, after checking both sides.
  ///
  /// - Returns: false, with nothing appended, if the name or the value is not valid.
  public mutating func append(
    field name: UnsafeRawBufferPointer, checking value: UnsafeRawBufferPointer
  ) -> Bool {
    guard FieldSyntax.isName(name), FieldSyntax.isValue(value) else { return false }
    guard reserve(name.count + value.count + 4) else { return true }
    append(name)
    append(": ")
    append(value)
    append("\r\n")
    return true
  }

  /// Appends the line that opens a chunk of `size` bytes, more than 0 (RFC 9112 §7.1). The chunk's
  /// data and CRLF follow.
  @inlinable
  public mutating func append(chunkSize size: Int) {
    append(hexadecimal: UInt64(size.magnitude))
    append("\r\n")
  }

  /// Appends the end of a chunked body without trailer fields.
  @inlinable
  public mutating func appendLastChunk() { append("0\r\n\r\n") }
}
