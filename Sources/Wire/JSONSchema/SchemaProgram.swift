/// What a schema compiles to: rules in one array, which name each other by position.
struct SchemaProgram: Sendable {
  var rules: [SchemaRule] = []
  var root = 0
  var properties: [SchemaProperty] = []
  var literals: [SchemaLiteral] = []
  var patterns: [LinearPattern] = []
  /// The patterns as written, for messages.
  var patternSources: [String] = []
  /// Rules listed by `allOf`, `anyOf` and `oneOf`.
  var lists: [Int] = []
}

/// The types a value may have, a bit each; `integer` is a number without a fraction.
struct SchemaTypes: OptionSet, Sendable {
  let rawValue: UInt8

  static let null = SchemaTypes(rawValue: 1)
  static let boolean = SchemaTypes(rawValue: 2)
  static let number = SchemaTypes(rawValue: 4)
  static let string = SchemaTypes(rawValue: 8)
  static let array = SchemaTypes(rawValue: 16)
  static let object = SchemaTypes(rawValue: 32)
  static let integer = SchemaTypes(rawValue: 64)
  static let all = SchemaTypes(rawValue: 63)

  static let names: [(String, SchemaTypes)] = [
    ("null", .null), ("boolean", .boolean), ("number", .number), ("string", .string),
    ("array", .array), ("object", .object), ("integer", .integer),
  ]

  init(rawValue: UInt8) { self.rawValue = rawValue }

  init(_ kind: JSONKind) { self.init(rawValue: 1 << kind.rawValue) }

  /// `string`, or `string or null`.
  var text: String {
    SchemaTypes.names.filter { contains($0.1) }.map(\.0).joined(separator: " or ")
  }
}

/// What one schema object asks for.
struct SchemaRule: Sendable {
  var types: SchemaTypes = .all
  var never = false
  var properties = 0..<0
  /// Whether any property is required.
  var hasRequired = false
  /// The rule for keys that `properties` does not name; nil if any value will do.
  var additional: Int?
  var refusesAdditional = false
  var memberCount = 0...Int.max
  var items: Int?
  var elementCount = 0...Int.max
  var areUnique = false
  var length = 0...Int.max
  var pattern: Int?
  var format: Format?
  var minimum: JSONNumber?
  var maximum: JSONNumber?
  var exclusiveMinimum: JSONNumber?
  var exclusiveMaximum: JSONNumber?
  var multipleOf: Int64?
  /// The values of `enum` or `const`; empty if there is neither.
  var allowed = 0..<0
  var constant: Int?
  var allOf = 0..<0
  var anyOf = 0..<0
  var oneOf = 0..<0
  var reference: Int?
}

/// A key that a rule names.
struct SchemaProperty: Sendable {
  var name: String
  var rule: Int?
  var isRequired: Bool
}

/// A value of `enum` or `const`, with its own text.
struct SchemaLiteral: @unchecked Sendable {
  // No thread owns the document: nothing changes it after it is made here.
  let document: JSONDocument
}
