/// Reads JSON (RFC 8259) into a tape, in one pass and without recursion. Strict: no comments, no
/// trailing commas, no byte order mark, no duplicate keys, no lone surrogates, valid UTF-8 only.
struct JSONScanner {
  let p: UnsafeRawPointer
  let end: Int
  let limits: JSONLimits
  var i = 0
  /// Tape indices of the containers that are open, innermost last.
  var open: InlineArray<512, UInt32> = InlineArray(repeating: 0)
  var depth = 0
  /// The key that was there before, after `duplicateKey`.
  var duplicateKey = -1

  init(_ bytes: UnsafeRawBufferPointer, _ base: UnsafeRawPointer, _ limits: JSONLimits) {
    p = base
    end = bytes.count
    self.limits = limits
  }

  /// Fills `tape`. An error's place is `i`.
  mutating func scan(into tape: inout JSONTape) -> JSONError.Reason? {
    skipBlanks()
    if let error = value(&tape) { return error }
    while depth > 0 {
      skipBlanks()
      guard i < end else { return .unexpectedEnd }
      let container = Int(open[depth &- 1])
      let isObject = tape.nodes[container].kind == .object
      let byte = p.byte(i)
      if byte == (isObject ? 0x7d : 0x5d) {
        i &+= 1
        if let error = close(container, &tape) { return error }
        continue
      }
      if tape.count > container &+ 1 {
        guard byte == 0x2c else { return .unexpectedByte }
        i &+= 1
        skipBlanks()
      }
      if isObject, let error = key(&tape) { return error }
      let node = tape.nodes + container
      if node.pointee.count < .max { node.pointee.count &+= 1 }
      if let error = value(&tape) { return error }
    }
    skipBlanks()
    return i < end ? .trailingBytes : nil
  }

  /// A key, its colon, and the blanks after it.
  private mutating func key(_ tape: inout JSONTape) -> JSONError.Reason? {
    guard i < end else { return .unexpectedEnd }
    guard p.byte(i) == 0x22 else { return .unexpectedByte }
    if let error = string(&tape) { return error }
    skipBlanks()
    guard i < end else { return .unexpectedEnd }
    guard p.byte(i) == 0x3a else { return .unexpectedByte }
    i &+= 1
    skipBlanks()
    return nil
  }

  /// A scalar, or the beginning of a container.
  private mutating func value(_ tape: inout JSONTape) -> JSONError.Reason? {
    guard i < end else { return .unexpectedEnd }
    guard tape.count < limits.nodes else { return .tooManyValues }
    switch p.byte(i) {
    case 0x22: return string(&tape)
    case 0x7b, 0x5b:
      guard depth < limits.depth else { return .tooDeep }
      open[depth] = UInt32(truncatingIfNeeded: tape.count)
      depth &+= 1
      add(p.byte(i) == 0x7b ? .object : .array, from: i, &tape)
      i &+= 1
      return nil
    case 0x74: return literal("true", .bool, &tape)
    case 0x66: return literal("false", .bool, &tape)
    case 0x6e: return literal("null", .null, &tape)
    case 0x2d, 0x30...0x39: return number(&tape)
    case 0x61...0x7a, 0x41...0x5a: return .invalidLiteral
    default: return .unexpectedByte
    }
  }

  private mutating func close(_ container: Int, _ tape: inout JSONTape) -> JSONError.Reason? {
    depth &-= 1
    let node = tape.nodes + container
    node.pointee.end = UInt32(truncatingIfNeeded: i)
    node.pointee.next = UInt32(truncatingIfNeeded: tape.count)
    if node.pointee.kind == .object, node.pointee.count > 1 {
      let duplicate = JSONKeys.duplicate(in: container, tape.nodes, p)
      if let duplicate {
        i = Int(tape.nodes[duplicate].start) &- 1
        depth &+= 1
        duplicateKey = duplicate
        return .duplicateKey
      }
    }
    return nil
  }

  private func add(
    _ kind: JSONKind, from start: Int, hasEscapes: Bool = false, _ tape: inout JSONTape
  ) {
    tape.append(
      JSONNode(
        start: UInt32(truncatingIfNeeded: start), end: UInt32(truncatingIfNeeded: i),
        next: UInt32(truncatingIfNeeded: tape.count &+ 1), kind: kind, hasEscapes: hasEscapes,
        count: 0))
  }

  @inline(__always)
  private mutating func skipBlanks() {
    while i < end {
      switch p.byte(i) {
      case 0x20, 0x0a, 0x0d, 0x09: i &+= 1
      default: return
      }
    }
  }

  private mutating func literal(
    _ text: StaticString, _ kind: JSONKind, _ tape: inout JSONTape
  ) -> JSONError.Reason? {
    let count = text.utf8CodeUnitCount
    guard count <= end &- i else {
      let isPrefix = equalBytes(p + i, UnsafeRawPointer(text.utf8Start), end &- i)
      return isPrefix ? .unexpectedEnd : .invalidLiteral
    }
    guard equalBytes(p + i, UnsafeRawPointer(text.utf8Start), count) else { return .invalidLiteral }
    let start = i
    i &+= count
    add(kind, from: start, &tape)
    return nil
  }

  /// RFC 8259 §6.
  private mutating func number(_ tape: inout JSONTape) -> JSONError.Reason? {
    let start = i
    if p.byte(i) == 0x2d { i &+= 1 }
    guard i < end else { return .unexpectedEnd }
    if p.byte(i) == 0x30 {
      i &+= 1
      if i < end, isDigit(p.byte(i)) { return .invalidNumber }
    } else if let error = digits() {
      return error
    }
    if i < end, p.byte(i) == 0x2e {
      i &+= 1
      if let error = digits() { return error }
    }
    if i < end, p.byte(i) | 0x20 == 0x65 {
      i &+= 1
      if i < end, p.byte(i) == 0x2b || p.byte(i) == 0x2d { i &+= 1 }
      if let error = digits() { return error }
    }
    add(.number, from: start, &tape)
    return nil
  }

  private mutating func digits() -> JSONError.Reason? {
    guard i < end else { return .unexpectedEnd }
    guard isDigit(p.byte(i)) else { return .invalidNumber }
    while i < end, isDigit(p.byte(i)) { i &+= 1 }
    return nil
  }

  @inline(__always)
  private func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 }
}
