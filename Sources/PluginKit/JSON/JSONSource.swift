/// One JSON text taken apart into a flat list of values, each with the place of its bytes (RFC 8259).
///
/// Strict: UTF-8, no comments, no trailing commas, no leading zeros, one value. Of two members with one
/// name the last counts.
struct JSONSource {
  /// A value, as its place in the list.
  typealias Node = Int

  enum Kind: UInt8 {
    case null, boolean, number, string, array, object

    /// For error messages.
    var phrase: String {
      switch self {
      case .null: "null"
      case .boolean: "a boolean"
      case .number: "a number"
      case .string: "a string"
      case .array: "an array"
      case .object: "an object"
      }
    }
  }

  struct Value {
    let kind: Kind
    /// Whether a string holds a backslash.
    var isEscaped = false
    let start: Int
    var end: Int
    /// The place after everything inside this value.
    var next: Node
  }

  private let text: [UInt8]
  private let values: [Value]

  /// The root, which every document has.
  static let root: Node = 0

  init(_ text: [UInt8]) throws(JSONError) {
    var parser = JSONParser(text)
    try parser.parse()
    self.text = text
    values = parser.values
  }

  func kind(_ node: Node) -> Kind { values[node].kind }

  /// A copy of a value's bytes as they were sent.
  func bytes(_ node: Node) -> [UInt8] {
    Array(text[values[node].start..<values[node].end])
  }

  func boolean(_ node: Node) -> Bool? {
    guard kind(node) == .boolean else { return nil }
    return text[values[node].start] == UInt8(ascii: "t")
  }

  func string(_ node: Node) -> String? {
    let value = values[node]
    guard value.kind == .string else { return nil }
    let inner = text[value.start + 1..<value.end - 1]
    return value.isEscaped
      ? JSONParser.unescape(inner) : String(decoding: inner, as: UTF8.self)
  }

  func real(_ node: Node) -> Double? {
    let value = Double(number(node))
    return value.flatMap { $0.isFinite ? $0 : nil }
  }

  /// The number, if it is a whole one in the type's range; `1e3` and `5.0` are whole.
  func integer<Value: FixedWidthInteger>(_ node: Node, _: Value.Type) -> Value? {
    let text = number(node)
    return Value(text) ?? Double(text).flatMap { Value(exactly: $0) }
  }

  private func number(_ node: Node) -> String {
    String(decoding: text[values[node].start..<values[node].end], as: UTF8.self)
  }

  /// The elements of an array.
  func elements(_ node: Node) -> [Node] {
    var elements: [Node] = []
    var at = node + 1
    while at < values[node].next {
      elements.append(at)
      at = values[at].next
    }
    return elements
  }

  /// The names in an object, in order.
  func keys(_ node: Node) -> [String] {
    var keys: [String] = []
    forEachMember(node) { key, _ in keys.append(string(key) ?? "") }
    return keys
  }

  /// The member of an object called `name`.
  func member(_ node: Node, _ name: String) -> Node? {
    var found: Node?
    var name = name
    name.withUTF8 { name in
      forEachMember(node) { key, value in
        if matches(key, name) { found = value }
      }
    }
    return found
  }

  private func forEachMember(_ node: Node, _ body: (_ key: Node, _ value: Node) -> Void) {
    var at = node + 1
    while at < values[node].next {
      body(at, at + 1)
      at = values[at + 1].next
    }
  }

  private func matches(_ key: Node, _ name: UnsafeBufferPointer<UInt8>) -> Bool {
    let value = values[key]
    if value.isEscaped { return string(key)?.utf8.elementsEqual(name) ?? false }
    guard value.end - value.start - 2 == name.count else { return false }
    return text[value.start + 1..<value.end - 1].elementsEqual(name)
  }
}
