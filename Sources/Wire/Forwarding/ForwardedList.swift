/// The elements of a list of hops, from the last one: each proxy appends what it knows, so the last is the word of the
/// proxy that is nearest.
///
/// Read from its end, the list is as the nearest proxy has written it, whatever stands before: a quotation mark that a
/// client has left open swallows nothing of what was appended. Empty elements are skipped (RFC 9110 §5.6.1.2).
struct ForwardedList {
  /// Of a field's value, what is not read yet.
  private let start: Int
  private var end: Int
  /// Whether commas may stand in quoted strings.
  private let hasQuotes: Bool

  init(_ value: ByteSpan, hasQuotes: Bool) {
    start = value.start
    end = value.end
    self.hasQuotes = hasQuotes
  }

  /// The element before the one that was read last, without blanks around it; nil before the first.
  mutating func next(in base: UnsafeRawPointer) -> ByteSpan? {
    while end > start {
      var first = end
      var isQuoted = false
      while first > start {
        let byte = base.byte(first - 1)
        if byte == 0x2c, !isQuoted { break }
        if byte == 0x22, hasQuotes, !isQuoted || !isEscaped(first - 1, base) { isQuoted.toggle() }
        first -= 1
      }
      var last = end
      // Past the comma.
      end = max(first - 1, start)
      while first < last, RequestHeadParser.isBlank(base.byte(first)) { first += 1 }
      while last > first, RequestHeadParser.isBlank(base.byte(last - 1)) { last -= 1 }
      if last > first { return ByteSpan(from: first, to: last) }
    }
    return nil
  }

  /// Whether the quotation mark at `index`, within a quoted string, is part of it (RFC 9110 §5.6.4).
  private func isEscaped(_ index: Int, _ base: UnsafeRawPointer) -> Bool {
    var first = index
    while first > start, base.byte(first - 1) == 0x5c { first -= 1 }
    return (index - first) % 2 == 1
  }
}
