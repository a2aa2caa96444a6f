/// What one proxy says of the request that it has passed on.
enum ForwardedElement {
  /// The value of `for` in an element of Forwarded (RFC 7239 §4), without its quotation marks; nil when there is none, or
  /// the element is malformed.
  ///
  /// Blanks may stand around semicolons, and a value may be a node without quotation marks, which some proxies write.
  static func node(of element: ByteSpan, in base: UnsafeRawPointer) -> ByteSpan? {
    var node: ByteSpan?
    var i = element.start
    let end = element.end
    func skipBlanks() { while i < end, RequestHeadParser.isBlank(base.byte(i)) { i += 1 } }
    while true {
      skipBlanks()
      guard i < end else { return node }
      if base.byte(i) == 0x3b {
        i += 1
        continue
      }
      let name = i
      while i < end, CharacterClass.contains(base.byte(i), CharacterClass.token) { i += 1 }
      let isFor = i - name == 3 && matchesFolded(base + name, "for", 3)
      guard i > name, i < end, base.byte(i) == 0x3d else { return nil }
      i += 1
      guard let value = value(&i, end, base) else { return nil }
      skipBlanks()
      guard i == end || base.byte(i) == 0x3b else { return nil }
      if isFor {
        // RFC 7239 §4: no parameter stands twice.
        guard node == nil else { return nil }
        node = value
      }
    }
  }

  /// A token or a quoted string, which is not unescaped: no node has anything to escape.
  private static func value(_ i: inout Int, _ end: Int, _ base: UnsafeRawPointer) -> ByteSpan? {
    guard i < end else { return nil }
    if base.byte(i) == 0x22 {
      i += 1
      let first = i
      while i < end, base.byte(i) != 0x22 { i += base.byte(i) == 0x5c ? 2 : 1 }
      guard i < end else { return nil }
      i += 1
      return ByteSpan(from: first, to: i - 1)
    }
    let first = i
    while i < end, base.byte(i) > 0x20, base.byte(i) != 0x3b, base.byte(i) != 0x22 { i += 1 }
    return i > first ? ByteSpan(from: first, to: i) : nil
  }

  /// The address of a node (RFC 7239 §6), which X-Forwarded-For writes in the same way, and IPv6 also without brackets.
  /// Nil for `unknown` (§6.2), for an identifier that hides the address (§6.3), and for what is no node.
  static func address(of node: ByteSpan, in base: UnsafeRawPointer) -> IPAddress? {
    guard !node.isEmpty else { return nil }
    if base.byte(node.start) == 0x5b {
      var i = node.start + 1
      while i < node.end, base.byte(i) != 0x5d { i += 1 }
      guard i < node.end, isPort(ByteSpan(from: i + 1, to: node.end), base),
        let address = IPAddress.read(base, ByteSpan(from: node.start + 1, to: i))
      else { return nil }
      // An IPv4 address does not stand in brackets.
      for index in node.start + 1..<i where base.byte(index) == 0x3a { return address }
      return nil
    }
    var colons = 0
    var colon = node.end
    for index in node.start..<node.end where base.byte(index) == 0x3a {
      if colons == 0 { colon = index }
      colons += 1
    }
    if colons != 1 { return IPAddress.read(base, node) }
    guard isPort(ByteSpan(from: colon, to: node.end), base) else { return nil }
    return IPAddress.read(base, ByteSpan(from: node.start, to: colon))
  }

  /// Whether it is nothing, or a colon and a port, be it one that hides which (RFC 7239 §6).
  private static func isPort(_ span: ByteSpan, _ base: UnsafeRawPointer) -> Bool {
    guard !span.isEmpty else { return true }
    guard base.byte(span.start) == 0x3a, span.count > 1 else { return false }
    if base.byte(span.start + 1) == 0x5f { return span.count > 2 }
    guard span.count <= 6 else { return false }
    for index in span.start + 1..<span.end where base.byte(index) &- 0x30 >= 10 { return false }
    return true
  }
}
