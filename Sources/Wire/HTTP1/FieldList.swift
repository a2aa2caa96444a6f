/// The members of a comma-separated field value, RFC 9110 §5.6.1: whitespace around each is
/// stripped, empty ones are skipped. Does not look into quoted strings: for lists of tokens.
public struct FieldList: Sendable {
  @usableFromInline var offset: Int
  @usableFromInline let end: Int

  /// The members of the value at `span`.
  @inlinable
  public init(_ span: ByteSpan) {
    offset = span.start
    end = span.end
  }

  /// The next member, or nil after the last; `base` is the buffer the span was made from.
  public mutating func next(in base: UnsafeRawPointer) -> ByteSpan? {
    while offset < end {
      while offset < end, RequestHeadParser.isBlank(base.byte(offset)) { offset &+= 1 }
      let start = offset
      while offset < end, base.byte(offset) != 0x2c { offset &+= 1 }
      var last = offset
      offset &+= 1
      while last > start, RequestHeadParser.isBlank(base.byte(last &- 1)) { last &-= 1 }
      if last > start { return ByteSpan(from: start, to: last) }
    }
    return nil
  }
}
