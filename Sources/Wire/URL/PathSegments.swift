/// The segments of a path, RFC 3986 §3.3, still percent-encoded.
///
/// The policy: nothing is normalised. A segment that is `.` or `..`, plainly or percent-encoded, is
/// an error of `PathSegments.check`. Empty segments (`//`, and the one after a trailing `/`) are
/// segments like any other, so no route matches them by accident. An encoded slash stays inside
/// its segment: split first, decode then.
public struct PathSegments: Sendable {
  private var offset: Int
  private let end: Int

  /// The segments of the path at `span`, which begins with `/`; any other path has none.
  public init(_ span: ByteSpan, in base: UnsafeRawPointer) {
    offset = span.start
    end = span.end
    if span.isEmpty || base.byte(offset) != 0x2f { offset = end + 1 }
  }

  /// The next segment, or nil after the last. `/` has one, which is empty.
  public mutating func next(in base: UnsafeRawPointer) -> ByteSpan? {
    guard offset < end else { return nil }
    let start = offset + 1
    offset = start
    while offset < end, base.byte(offset) != 0x2f { offset += 1 }
    return ByteSpan(from: start, to: offset)
  }

  /// What is wrong with the path at `span`, before any of it is used. A path that the head calls
  /// plain (`RequestHead.isPathPlain`) needs no check.
  public static func check(_ span: ByteSpan, in base: UnsafeRawPointer) -> TargetError? {
    var segments = PathSegments(span, in: base)
    while let segment = segments.next(in: base) {
      var dots = 0
      var others = false
      var text = UTF8Validator()
      var i = segment.start
      while i < segment.end {
        var byte = base.byte(i)
        i += 1
        if byte == 0x25 {
          guard i + 1 < segment.end, let high = hexadecimalDigit(base.byte(i)),
            let low = hexadecimalDigit(base.byte(i + 1))
          else { return .invalidPercent }
          byte = high << 4 | low
          i += 2
          if byte == 0 { return .encodedNul }
        }
        if byte == 0x2e { dots += 1 } else { others = true }
        let isText = withUnsafeBytes(of: byte) { text.consume($0) }
        guard isText else { return .invalidUTF8 }
      }
      guard text.isComplete else { return .invalidUTF8 }
      if !others, dots == 1 || dots == 2 { return .dotSegment }
    }
    return nil
  }
}

/// The `name=value` pairs of a query, as HTML forms write them, still encoded: decode each with
/// `PercentDecoding.decode(…, plusIsSpace: true)`.
public struct QueryItems: Sendable {
  /// One pair. Without `=` the value is empty.
  public struct Item: Equatable, Sendable {
    /// As it stands in the query, not yet decoded.
    public var name: ByteSpan
    /// As it stands in the query, not yet decoded.
    public var value: ByteSpan
  }

  private var offset: Int
  private let end: Int

  /// The pairs of the query at `span`, which does not include the `?`.
  public init(_ span: ByteSpan) {
    offset = span.start
    end = span.end
  }

  /// The next pair, or nil after the last. Empty ones (`&&`) are skipped.
  public mutating func next(in base: UnsafeRawPointer) -> Item? {
    while offset < end {
      let start = offset
      var equals = -1
      while offset < end, base.byte(offset) != 0x26 {
        if base.byte(offset) == 0x3d, equals < 0 { equals = offset }
        offset += 1
      }
      let last = offset
      offset += 1
      if last == start { continue }
      if equals < 0 {
        return Item(
          name: ByteSpan(from: start, to: last), value: ByteSpan(from: last, to: last))
      }
      return Item(
        name: ByteSpan(from: start, to: equals), value: ByteSpan(from: equals + 1, to: last))
    }
    return nil
  }
}
