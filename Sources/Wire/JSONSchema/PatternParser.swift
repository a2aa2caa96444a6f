/// Reads the syntax of `LinearPattern`.
struct PatternParser {
  private let scalars: [Unicode.Scalar]
  private var i = 0
  private var depth = 0

  init(_ source: String) { scalars = Array(source.unicodeScalars) }

  mutating func parse() throws(LinearPattern.SyntaxError) -> PatternTree {
    let tree = try alternatives()
    guard i == scalars.count else { throw error("this parenthesis was never opened") }
    return tree
  }

  private func error(_ message: String, at offset: Int? = nil) -> LinearPattern.SyntaxError {
    LinearPattern.SyntaxError(message: message, offset: offset ?? i)
  }

  private var next: Unicode.Scalar? { i < scalars.count ? scalars[i] : nil }

  private mutating func alternatives() throws(LinearPattern.SyntaxError) -> PatternTree {
    var choices = [try sequence()]
    while next == "|" {
      i += 1
      choices.append(try sequence())
    }
    return choices.count == 1 ? choices[0] : .alternatives(choices)
  }

  private mutating func sequence() throws(LinearPattern.SyntaxError) -> PatternTree {
    var parts: [PatternTree] = []
    while let scalar = next, scalar != "|", scalar != ")" {
      let isAnchor = scalar == "^" || scalar == "$"
      let start = i
      let part = try atom(scalar)
      guard let bounds = try repetition() else {
        parts.append(part)
        continue
      }
      if isAnchor { throw error("nothing to repeat", at: start) }
      parts.append(.repeated(part, from: bounds.from, through: bounds.through))
    }
    return parts.count == 1 ? parts[0] : parts.isEmpty ? .empty : .sequence(parts)
  }

  private mutating func atom(
    _ scalar: Unicode.Scalar
  ) throws(LinearPattern.SyntaxError) -> PatternTree {
    i += 1
    switch scalar {
    case "^": return .atStart
    case "$": return .atEnd
    case ".": return .any
    case "(": return try group()
    case "[": return .set(try characterSet())
    case "\\": return try escape()
    case "*", "+", "?", "{": throw error("nothing to repeat", at: i - 1)
    case "]", "}": throw error("\(scalar) must be written \\\(scalar)", at: i - 1)
    default: return .character(scalar.value)
    }
  }

  private mutating func group() throws(LinearPattern.SyntaxError) -> PatternTree {
    let start = i - 1
    depth += 1
    guard depth <= 64 else { throw error("groups are nested too deeply", at: start) }
    if next == "?" {
      guard i + 1 < scalars.count, scalars[i + 1] == ":" else {
        throw error("of the groups with (? only (?: is supported", at: start)
      }
      i += 2
    }
    let tree = try alternatives()
    guard next == ")" else { throw error("this parenthesis is never closed", at: start) }
    i += 1
    depth -= 1
    return tree
  }

  private mutating func repetition() throws(LinearPattern.SyntaxError) -> (
    from: Int, through: Int?
  )? {
    let bounds: (from: Int, through: Int?)
    switch next {
    case "*": bounds = (0, nil)
    case "+": bounds = (1, nil)
    case "?": bounds = (0, 1)
    case "{": bounds = try counted()
    default: return nil
    }
    i += 1
    if next == "?" { i += 1 }
    if let scalar = next, scalar == "*" || scalar == "+" || scalar == "?" || scalar == "{" {
      throw error("nothing to repeat")
    }
    return bounds
  }

  /// `{m}`, `{m,}` or `{m,n}`, up to the closing brace.
  private mutating func counted() throws(LinearPattern.SyntaxError) -> (from: Int, through: Int?) {
    let start = i
    i += 1
    guard let from = try number() else { throw error("{ begins no repetition", at: start) }
    var through: Int? = from
    if next == "," {
      i += 1
      through = try number()
    }
    guard next == "}" else { throw error("{ begins no repetition", at: start) }
    if let through, through < from { throw error("the bounds are in the wrong order", at: start) }
    return (from, through)
  }

  private mutating func number() throws(LinearPattern.SyntaxError) -> Int? {
    var value: Int?
    while let scalar = next, ("0"..."9").contains(scalar) {
      value = (value ?? 0) * 10 + Int(scalar.value - 0x30)
      if let value, value > 1_000 { throw error("a repetition goes to at most 1000") }
      i += 1
    }
    return value
  }

  private mutating func escape() throws(LinearPattern.SyntaxError) -> PatternTree {
    guard let scalar = next else { throw error("nothing after the backslash", at: i - 1) }
    if let set = PatternParser.namedSet(scalar) {
      i += 1
      return .set(set)
    }
    return .character(try escapedCharacter())
  }

  /// After the backslash.
  private mutating func escapedCharacter() throws(LinearPattern.SyntaxError) -> UInt32 {
    guard let scalar = next else { throw error("nothing after the backslash", at: i - 1) }
    let start = i - 1
    i += 1
    switch scalar {
    case "t": return 0x09
    case "n": return 0x0a
    case "r": return 0x0d
    case "f": return 0x0c
    case "v": return 0x0b
    case "0": return 0
    case "x": return try hexadecimal(2, from: start)
    case "u":
      guard next == "{" else { return try hexadecimal(4, from: start) }
      i += 1
      var value: UInt32 = 0
      while let digit = next.flatMap(PatternParser.digit), value <= 0x10ffff {
        value = value << 4 | digit
        i += 1
      }
      guard next == "}", scalars[i - 1] != "{", value <= 0x10ffff else {
        throw error("\\u{…} needs a code point", at: start)
      }
      i += 1
      return value
    case "a"..."z", "A"..."Z", "1"..."9":
      throw error("\\\(scalar) is not supported", at: start)
    default: return scalar.value
    }
  }

  private mutating func hexadecimal(
    _ count: Int, from start: Int
  ) throws(LinearPattern.SyntaxError) -> UInt32 {
    var value: UInt32 = 0
    for _ in 0..<count {
      guard let digit = next.flatMap(PatternParser.digit) else {
        throw error("\\\(scalars[start + 1]) needs \(count) hexadecimal digits", at: start)
      }
      value = value << 4 | digit
      i += 1
    }
    return value
  }

  private static func digit(_ scalar: Unicode.Scalar) -> UInt32? {
    scalar.isASCII ? hexadecimalDigit(UInt8(scalar.value)).map(UInt32.init) : nil
  }

  /// After the opening bracket.
  private mutating func characterSet() throws(LinearPattern.SyntaxError)
    -> LinearPattern.CharacterSet
  {
    let start = i - 1
    var set = LinearPattern.CharacterSet()
    if next == "^" {
      set.isInverted = true
      i += 1
    }
    while let scalar = next, scalar != "]" {
      let place = i
      guard let low = try member(&set) else { continue }
      guard next == "-", i + 1 < scalars.count, scalars[i + 1] != "]" else {
        set.ranges.append(low...low)
        continue
      }
      i += 1
      guard let high = try member(&set), low <= high else {
        throw error("this range of characters has no order", at: place)
      }
      set.ranges.append(low...high)
    }
    guard next == "]" else { throw error("this bracket is never closed", at: start) }
    i += 1
    return set
  }

  /// One character of a set, or nil after adding a named set to it.
  private mutating func member(
    _ set: inout LinearPattern.CharacterSet
  ) throws(LinearPattern.SyntaxError) -> UInt32? {
    guard let scalar = next else { throw error("this bracket is never closed") }
    i += 1
    guard scalar == "\\" else { return scalar.value }
    if let escaped = next, let named = PatternParser.namedSet(escaped) {
      i += 1
      set.ranges += named.isInverted ? PatternParser.complement(named.ranges) : named.ranges
      return nil
    }
    if next == "b" {
      i += 1
      return 0x08
    }
    if next == "-" {
      i += 1
      return 0x2d
    }
    return try escapedCharacter()
  }

  private static func namedSet(_ scalar: Unicode.Scalar) -> LinearPattern.CharacterSet? {
    let ranges: [ClosedRange<UInt32>]
    switch scalar {
    case "d", "D": ranges = [0x30...0x39]
    case "w", "W": ranges = [0x30...0x39, 0x41...0x5a, 0x5f...0x5f, 0x61...0x7a]
    case "s", "S":
      ranges = [
        0x09...0x0d, 0x20...0x20, 0xa0...0xa0, 0x1680...0x1680, 0x2000...0x200a, 0x2028...0x2029,
        0x202f...0x202f, 0x205f...0x205f, 0x3000...0x3000, 0xfeff...0xfeff,
      ]
    default: return nil
    }
    return LinearPattern.CharacterSet(
      ranges: ranges, isInverted: ("A"..."Z").contains(scalar))
  }

  /// What lies between ordered ranges.
  private static func complement(_ ranges: [ClosedRange<UInt32>]) -> [ClosedRange<UInt32>] {
    var result: [ClosedRange<UInt32>] = []
    var start: UInt32 = 0
    for range in ranges {
      if range.lowerBound > start { result.append(start...(range.lowerBound - 1)) }
      start = range.upperBound + 1
    }
    result.append(start...0x10ffff)
    return result
  }
}
