/// Checks a JSON text and lists its values (RFC 8259).
struct JSONParser {
  /// Containers inside containers; what a client sends should not need more.
  static let deepest = 128

  private(set) var values: [JSONSource.Value] = []
  private let text: [UInt8]
  private var at = 0

  init(_ text: [UInt8]) {
    self.text = text
    values.reserveCapacity(text.count / 8 + 4)
  }

  mutating func parse() throws(JSONError) {
    try value(depth: 0)
    skipSpace()
    guard at == text.count else { throw error("text after the value") }
  }

  private func error(_ what: String) -> JSONError {
    JSONError(pointer: "", message: "not JSON: \(what) at byte \(at)")
  }

  private mutating func skipSpace() {
    while at < text.count {
      switch text[at] {
      case 0x20, 0x0A, 0x0D, 0x09: at += 1
      default: return
      }
    }
  }

  private mutating func value(depth: Int) throws(JSONError) {
    skipSpace()
    guard at < text.count else { throw error("the text ends") }
    switch text[at] {
    case UInt8(ascii: "{"): try object(depth)
    case UInt8(ascii: "["): try array(depth)
    case UInt8(ascii: "\""): try string()
    case UInt8(ascii: "t"): try literal("true", .boolean)
    case UInt8(ascii: "f"): try literal("false", .boolean)
    case UInt8(ascii: "n"): try literal("null", .null)
    default: try number()
    }
  }

  private mutating func add(_ kind: JSONSource.Kind, from start: Int, isEscaped: Bool = false) {
    values.append(
      JSONSource.Value(
        kind: kind, isEscaped: isEscaped, start: start, end: at, next: values.count + 1))
  }

  private mutating func literal(
    _ word: StaticString, _ kind: JSONSource.Kind
  ) throws(JSONError) {
    let start = at
    for byte in UnsafeBufferPointer(start: word.utf8Start, count: word.utf8CodeUnitCount) {
      guard at < text.count, text[at] == byte else { throw error("unexpected text") }
      at += 1
    }
    add(kind, from: start)
  }

  private mutating func digits() throws(JSONError) {
    let start = at
    while at < text.count, text[at] >= 0x30, text[at] <= 0x39 { at += 1 }
    guard at > start else { throw error("unexpected text") }
  }

  private mutating func take(_ byte: UInt8) -> Bool {
    guard at < text.count, text[at] == byte else { return false }
    at += 1
    return true
  }

  private mutating func number() throws(JSONError) {
    let start = at
    _ = take(UInt8(ascii: "-"))
    if !take(UInt8(ascii: "0")) { try digits() }
    if take(UInt8(ascii: ".")) { try digits() }
    if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
      if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
      try digits()
    }
    add(.number, from: start)
  }

  private mutating func string() throws(JSONError) {
    let start = at
    var isEscaped = false
    var isASCII = true
    at += 1
    while true {
      guard at < text.count else { throw error("a string does not end") }
      let byte = text[at]
      if byte == UInt8(ascii: "\"") { break }
      guard byte >= 0x20 else { throw error("a control character in a string") }
      if byte == UInt8(ascii: "\\") {
        isEscaped = true
        at += 1
        try escape()
      } else {
        isASCII = isASCII && byte < 0x80
        at += 1
      }
    }
    let inner = text[start + 1..<at]
    at += 1
    if !isASCII && String(validating: inner, as: UTF8.self) == nil {
      throw error("text that is not UTF-8")
    }
    add(.string, from: start, isEscaped: isEscaped)
  }

  private mutating func escape() throws(JSONError) {
    guard at < text.count else { throw error("a string does not end") }
    switch text[at] {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"),
      UInt8(ascii: "f"), UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
      at += 1
    case UInt8(ascii: "u"):
      at += 1
      let first = try unit()
      // Half of a surrogate pair alone has no form in UTF-8.
      if first & 0xFC00 == 0xD800 {
        guard take(UInt8(ascii: "\\")), take(UInt8(ascii: "u")), try unit() & 0xFC00 == 0xDC00
        else { throw error("half of a surrogate pair") }
      } else if first & 0xFC00 == 0xDC00 {
        throw error("half of a surrogate pair")
      }
    default: throw error("an unknown escape")
    }
  }

  private mutating func unit() throws(JSONError) -> UInt16 {
    guard text.count - at >= 4 else { throw error("a string does not end") }
    var unit: UInt16 = 0
    for _ in 0..<4 {
      guard let digit = JSONParser.hexadecimal(text[at]) else { throw error("an unknown escape") }
      unit = unit << 4 | UInt16(digit)
      at += 1
    }
    return unit
  }

  private mutating func array(_ depth: Int) throws(JSONError) {
    let node = try begin(.array, depth)
    skipSpace()
    if !take(UInt8(ascii: "]")) {
      repeat {
        try value(depth: depth + 1)
        skipSpace()
      } while take(UInt8(ascii: ","))
      guard take(UInt8(ascii: "]")) else { throw error("expected , or ]") }
    }
    end(node)
  }

  private mutating func object(_ depth: Int) throws(JSONError) {
    let node = try begin(.object, depth)
    skipSpace()
    if !take(UInt8(ascii: "}")) {
      repeat {
        skipSpace()
        guard at < text.count, text[at] == UInt8(ascii: "\"") else {
          throw error("expected a name")
        }
        try string()
        skipSpace()
        guard take(UInt8(ascii: ":")) else { throw error("expected :") }
        try value(depth: depth + 1)
        skipSpace()
      } while take(UInt8(ascii: ","))
      guard take(UInt8(ascii: "}")) else { throw error("expected , or }") }
    }
    end(node)
  }

  private mutating func begin(
    _ kind: JSONSource.Kind, _ depth: Int
  ) throws(JSONError) -> Int {
    guard depth < JSONParser.deepest else {
      throw error("more than \(JSONParser.deepest) containers in one another")
    }
    values.append(JSONSource.Value(kind: kind, start: at, end: at, next: 0))
    at += 1
    return values.count - 1
  }

  private mutating func end(_ node: Int) {
    values[node].end = at
    values[node].next = values.count
  }

  static func hexadecimal(_ byte: UInt8) -> UInt8? {
    switch byte {
    case 0x30...0x39: byte - 0x30
    case 0x41...0x46: byte - 0x37
    case 0x61...0x66: byte - 0x57
    default: nil
    }
  }

  /// The text of a string that has been checked, without its quotes.
  static func unescape(_ inner: ArraySlice<UInt8>) -> String {
    var units: [UInt8] = []
    units.reserveCapacity(inner.count)
    var high: UInt32 = 0
    var at = inner.startIndex
    while at < inner.endIndex {
      guard inner[at] == UInt8(ascii: "\\") else {
        units.append(inner[at])
        at += 1
        continue
      }
      let kind = inner[at + 1]
      at += 2
      switch kind {
      case UInt8(ascii: "b"): units.append(0x08)
      case UInt8(ascii: "f"): units.append(0x0C)
      case UInt8(ascii: "n"): units.append(0x0A)
      case UInt8(ascii: "r"): units.append(0x0D)
      case UInt8(ascii: "t"): units.append(0x09)
      case UInt8(ascii: "u"):
        let unit = inner[at..<at + 4].reduce(UInt32(0)) {
          $0 << 4 | UInt32(hexadecimal($1) ?? 0)
        }
        at += 4
        if unit & 0xFC00 == 0xD800 {
          high = unit
          continue
        }
        let code =
          unit & 0xFC00 == 0xDC00
          ? 0x10000 + (high & 0x3FF) << 10 + unit & 0x3FF : unit
        units.append(contentsOf: Array(String(Unicode.Scalar(code) ?? "\u{FFFD}").utf8))
      default: units.append(kind)
      }
    }
    return String(decoding: units, as: UTF8.self)
  }
}
