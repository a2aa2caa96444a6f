extension ConfigValue {
  /// The value as JSON text (RFC 8259) without white space, members in their order.
  public var json: String {
    var text = ""
    write(to: &text, indent: nil, depth: 0)
    return text
  }

  /// The value as JSON text with two spaces for each level.
  public var indentedJSON: String {
    var text = ""
    write(to: &text, indent: 2, depth: 0)
    return text
  }

  private func write(to text: inout String, indent: Int?, depth: Int) {
    switch self {
    case .null: text += "null"
    case .boolean(let value): text += value ? "true" : "false"
    case .integer(let value): text += String(value)
    case .number(let value): text += String(value)
    case .string(let value): Self.write(string: value, to: &text)
    case .array(let elements):
      Self.write(elements, "[", "]", to: &text, indent: indent, depth: depth) { element, text in
        element.write(to: &text, indent: indent, depth: depth + 1)
      }
    case .object(let members):
      Self.write(members, "{", "}", to: &text, indent: indent, depth: depth) { member, text in
        Self.write(string: member.key, to: &text)
        text += indent == nil ? ":" : ": "
        member.value.write(to: &text, indent: indent, depth: depth + 1)
      }
    }
  }

  private static func write<Item>(
    _ items: [Item], _ open: String, _ close: String, to text: inout String,
    indent: Int?, depth: Int, item: (Item, inout String) -> Void
  ) {
    text += open
    for (index, element) in items.enumerated() {
      if index > 0 { text += "," }
      breakLine(in: &text, indent: indent, depth: depth + 1)
      item(element, &text)
    }
    if !items.isEmpty { breakLine(in: &text, indent: indent, depth: depth) }
    text += close
  }

  private static func breakLine(in text: inout String, indent: Int?, depth: Int) {
    guard let indent else { return }
    text += "\n"
    text += String(repeating: " ", count: indent * depth)
  }

  private static func write(string: String, to text: inout String) {
    text += "\""
    for scalar in string.unicodeScalars {
      switch scalar {
      case "\"": text += "\\\""
      case "\\": text += "\\\\"
      case "\n": text += "\\n"
      case "\r": text += "\\r"
      case "\t": text += "\\t"
      case "\u{0}"..<"\u{20}":
        let digits = String(scalar.value, radix: 16)
        text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: text.unicodeScalars.append(scalar)
      }
    }
    text += "\""
  }
}
