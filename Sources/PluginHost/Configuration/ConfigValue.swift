/// A JSON value as it was written, members in their order.
///
/// Manifests and configuration are read into this tree once, on the control thread; nothing on a request's way
/// touches it.
public enum ConfigValue: Sendable, Hashable {
  case null
  case boolean(Bool)
  case integer(Int)
  case number(Double)
  case string(String)
  case array([ConfigValue])
  case object([Member])

  /// One member of an object.
  public struct Member: Sendable, Hashable {
    /// Unique in its object: a key that is given twice is refused when it is read.
    public var key: String
    /// What stands behind the colon.
    public var value: ConfigValue

    /// Nothing is checked.
    public init(_ key: String, _ value: ConfigValue) {
      self.key = key
      self.value = value
    }
  }

  /// The member called `key`; `nil` when there is none or this is not an object.
  public subscript(key: String) -> ConfigValue? {
    guard case .object(let members) = self else { return nil }
    return members.first { $0.key == key }?.value
  }

  /// The members of an object, none for anything else.
  public var members: [Member] {
    if case .object(let members) = self { members } else { [] }
  }

  /// The elements of an array, none for anything else.
  public var elements: [ConfigValue] {
    if case .array(let elements) = self { elements } else { [] }
  }

  /// The text of a string, `nil` for anything else.
  public var text: String? {
    if case .string(let text) = self { text } else { nil }
  }

  /// What the value is, with its article, as an error says it: "a string".
  var kind: String {
    switch self {
    case .null: "null"
    case .boolean: "a boolean"
    case .integer: "an integer"
    case .number: "a number"
    case .string: "a string"
    case .array: "an array"
    case .object: "an object"
    }
  }
}

extension ConfigValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral,
  ExpressibleByBooleanLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
  public init(stringLiteral value: String) { self = .string(value) }
  public init(integerLiteral value: Int) { self = .integer(value) }
  public init(booleanLiteral value: Bool) { self = .boolean(value) }
  public init(arrayLiteral elements: ConfigValue...) { self = .array(elements) }
  public init(dictionaryLiteral members: (String, ConfigValue)...) {
    self = .object(members.map { Member($0.0, $0.1) })
  }
}
