internal import PluginKit

/// A text with names in braces, in whose places values stand.
enum Template {
  /// What the mailer itself gives a value.
  static let product = "product"
  static let nameLimit = 40
  static let valueLimit = 256
  static let valuesLimit = 16

  /// The text with the values in their places, in one pass: what stands in a value is no name, and a name without a value is text.
  static func filled(_ text: String, with values: [String: String]) -> String {
    var result = ""
    var rest = text[...]
    while let open = rest.firstIndex(of: "{") {
      result += rest[..<open]
      rest = rest[open...].dropFirst()
      let close = rest.prefix(nameLimit + 1).firstIndex(of: "}")
      if let close, let value = values[String(rest[..<close])] {
        result += value
        rest = rest[close...].dropFirst()
      } else {
        result += "{"
      }
    }
    return result + rest
  }
}

extension Mail {
  /// Refuses values that would be more than a piece of a line.
  ///
  /// - Throws: `HostError` `.invalid`.
  func checkValues() throws {
    guard let values else { return }
    func refuse(_ words: String) -> HostError { HostError(.invalid, words) }
    guard values.count <= Template.valuesLimit else {
      throw refuse("values has at most \(Template.valuesLimit) members")
    }
    for (name, value) in values {
      guard (1...Template.nameLimit).contains(name.utf8.count), name != Template.product,
        name.utf8.allSatisfy({ (0x61...0x7A).contains($0) || $0 == UInt8(ascii: "_") })
      else { throw refuse("a name in values is not [a-z_]{1,40}, or is \(Template.product)") }
      guard value.unicodeScalars.count <= Template.valueLimit else {
        throw refuse("\(name) in values has at most \(Template.valueLimit) characters")
      }
      guard !value.unicodeScalars.contains(where: Mail.endsLineOrIsControl) else {
        throw refuse("\(name) in values has a control character")
      }
    }
  }
}
