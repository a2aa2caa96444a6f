/// Turns a schema into a program.
struct SchemaCompiler {
  typealias Failure = JSONSchema.CompileError

  private let root: JSONValue
  private var program = SchemaProgram()
  private var definitions: [String: Definition] = [:]
  private var depth = 0

  private enum Definition {
    case inProgress
    case done(Int)
  }

  init(root: JSONValue) { self.root = root }

  mutating func compile() throws(Failure) -> SchemaProgram {
    program.root = try rule(root)
    if root.kind == .object, let all = root["$defs"] {
      guard all.kind == .object else { throw failure(all, "$defs is an object of schemas") }
      for member in all.members { _ = try definition(member.name, at: member.value) }
    }
    return program
  }

  private func failure(_ value: JSONValue, _ message: String) -> Failure {
    Failure(pointer: value.pointer, message: message)
  }

  /// Compiles a schema and answers where its rule is.
  private mutating func rule(_ schema: JSONValue) throws(Failure) -> Int {
    depth += 1
    defer { depth -= 1 }
    guard depth <= 64 else { throw failure(schema, "schemas are nested too deeply") }
    var rule = SchemaRule()
    if let bool = schema.bool {
      rule.never = !bool
    } else {
      guard schema.kind == .object else {
        throw failure(schema, "a schema is an object, true or false")
      }
      for member in schema.members {
        try take(member.name, member.value, of: schema, into: &rule)
      }
      try finish(&rule, schema)
    }
    program.rules.append(rule)
    return program.rules.count - 1
  }

  private mutating func take(
    _ keyword: String, _ value: JSONValue, of schema: JSONValue, into rule: inout SchemaRule
  ) throws(Failure) {
    switch keyword {
    case "type": rule.types = try types(value)
    case "enum": rule.allowed = try literals(value)
    case "const": rule.constant = try literal(value)
    case "allOf": rule.allOf = try list(value)
    case "anyOf": rule.anyOf = try list(value)
    case "oneOf": rule.oneOf = try list(value)
    case "$ref": rule.reference = try reference(value)
    case "$defs":
      guard schema.index == root.index else {
        throw failure(value, "$defs stands at the root of a schema only")
      }
    case "properties", "required": break  // Together, in `finish`.
    case "additionalProperties":
      if value.bool == false {
        rule.refusesAdditional = true
      } else if value.bool != true {
        rule.additional = try self.rule(value)
      }
    case "items": rule.items = try self.rule(value)
    case "uniqueItems":
      guard let bool = value.bool else { throw failure(value, "uniqueItems is true or false") }
      rule.areUnique = bool
    case "pattern": rule.pattern = try pattern(value)
    case "format": rule.format = try format(value)
    case "multipleOf":
      guard let divisor = value.int64, divisor > 0 else {
        throw failure(value, "multipleOf is a whole number above 0")
      }
      rule.multipleOf = divisor
    case "minimum": rule.minimum = try number(value, keyword)
    case "maximum": rule.maximum = try number(value, keyword)
    case "exclusiveMinimum": rule.exclusiveMinimum = try number(value, keyword)
    case "exclusiveMaximum": rule.exclusiveMaximum = try number(value, keyword)
    case "minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties":
      _ = try size(value, keyword)  // In pairs, in `finish`.
    default:
      if JSONSchema.annotations.contains(keyword) { return }
      let known = nearest(to: keyword, in: JSONSchema.keywords + JSONSchema.annotations)
      throw failure(
        value,
        "the keyword \(keyword) is not supported" + (known.map { "; did you mean \($0)?" } ?? ""))
    }
  }

  /// What takes more than one keyword.
  private mutating func finish(_ rule: inout SchemaRule, _ schema: JSONValue) throws(Failure) {
    rule.length = try bounds(schema, "minLength", "maxLength")
    rule.elementCount = try bounds(schema, "minItems", "maxItems")
    rule.memberCount = try bounds(schema, "minProperties", "maxProperties")
    if let low = rule.minimum, let high = rule.maximum, high < low {
      throw failure(schema, "minimum is above maximum")
    }
    try properties(&rule, schema)
  }

  private mutating func properties(
    _ rule: inout SchemaRule, _ schema: JSONValue
  ) throws(Failure) {
    var found: [SchemaProperty] = []
    if let all = schema["properties"] {
      guard all.kind == .object else { throw failure(all, "properties is an object of schemas") }
      for member in all.members {
        found.append(
          SchemaProperty(name: member.name, rule: try self.rule(member.value), isRequired: false))
      }
    }
    if let required = schema["required"] {
      guard required.kind == .array else { throw failure(required, "required is a list of keys") }
      for element in required.elements {
        guard let name = element.string else { throw failure(element, "a key is a string") }
        rule.hasRequired = true
        if let index = found.firstIndex(where: { $0.name == name }) {
          if found[index].isRequired { throw failure(element, "the key is listed twice") }
          found[index].isRequired = true
        } else {
          if rule.refusesAdditional {
            let known = nearest(to: name, in: found.map(\.name))
            throw failure(
              element,
              "the key \(name) is required, but not among the properties"
                + (known.map { "; did you mean \($0)?" } ?? ""))
          }
          found.append(SchemaProperty(name: name, rule: rule.additional, isRequired: true))
        }
      }
    }
    guard found.count <= SchemaValidator.maximumProperties else {
      throw failure(schema, "more than \(SchemaValidator.maximumProperties) properties")
    }
    let start = program.properties.count
    program.properties += found
    rule.properties = start..<program.properties.count
  }

  private func types(_ value: JSONValue) throws(Failure) -> SchemaTypes {
    let listed = value.kind == .array ? Array(value.elements) : [value]
    guard !listed.isEmpty else { throw failure(value, "type lists no type") }
    var types: SchemaTypes = []
    for element in listed {
      guard let name = element.string else { throw failure(element, "a type is a string") }
      guard let type = SchemaTypes.names.first(where: { $0.0 == name }) else {
        let known = nearest(to: name, in: SchemaTypes.names.map(\.0))
        throw failure(
          element, "there is no type \(name)" + (known.map { "; did you mean \($0)?" } ?? ""))
      }
      if types.contains(type.1) { throw failure(element, "the type is listed twice") }
      types.insert(type.1)
    }
    return types
  }

  private mutating func literals(_ value: JSONValue) throws(Failure) -> Range<Int> {
    guard value.kind == .array, value.count > 0 else {
      throw failure(value, "enum is a list of at least one value")
    }
    let start = program.literals.count
    for element in value.elements { _ = try literal(element) }
    return start..<program.literals.count
  }

  private mutating func literal(_ value: JSONValue) throws(Failure) -> Int {
    guard let document = try? JSONDocument(value.rawBytes, limits: JSONLimits(depth: 512)) else {
      throw failure(value, "the value is too large")
    }
    program.literals.append(SchemaLiteral(document: document))
    return program.literals.count - 1
  }

  private mutating func list(_ value: JSONValue) throws(Failure) -> Range<Int> {
    guard value.kind == .array, value.count > 0 else {
      throw failure(value, "a list of at least one schema is needed")
    }
    var rules: [Int] = []
    for element in value.elements { rules.append(try rule(element)) }
    let start = program.lists.count
    program.lists += rules
    return start..<program.lists.count
  }

  private mutating func reference(_ value: JSONValue) throws(Failure) -> Int {
    guard let target = value.string, let steps = JSONPointer.steps(of: String(target.dropFirst())),
      target.hasPrefix("#"), steps.count == 2, steps[0] == "$defs"
    else { throw failure(value, "$ref is #/$defs/ and a name") }
    guard let schema = root["$defs"]?[steps[1]] else {
      let known = nearest(to: steps[1], in: root["$defs"]?.members.map(\.name) ?? [])
      throw failure(
        value, "$defs has no \(steps[1])" + (known.map { "; did you mean \($0)?" } ?? ""))
    }
    if case .inProgress? = definitions[steps[1]] {
      throw failure(value, "this $ref leads back to itself")
    }
    return try definition(steps[1], at: schema)
  }

  private mutating func definition(_ name: String, at schema: JSONValue) throws(Failure) -> Int {
    if case .done(let rule)? = definitions[name] { return rule }
    definitions[name] = .inProgress
    let rule = try rule(schema)
    definitions[name] = .done(rule)
    return rule
  }

  private mutating func pattern(_ value: JSONValue) throws(Failure) -> Int {
    guard let source = value.string else { throw failure(value, "pattern is a string") }
    do {
      program.patterns.append(try LinearPattern(source))
    } catch {
      throw failure(value, "at character \(error.offset): \(error.message)")
    }
    program.patternSources.append(source)
    return program.patterns.count - 1
  }

  private func format(_ value: JSONValue) throws(Failure) -> Format {
    guard let name = value.string else { throw failure(value, "format is a string") }
    guard let format = Format.allCases.first(where: { $0.name == name }) else {
      let known = nearest(to: name, in: Format.allCases.map(\.name))
      throw failure(
        value, "the format \(name) is not supported" + (known.map { "; did you mean \($0)?" } ?? "")
      )
    }
    return format
  }

  private func number(_ value: JSONValue, _ keyword: String) throws(Failure) -> JSONNumber {
    guard value.kind == .number else { throw failure(value, "\(keyword) is a number") }
    return JSONNumber(value.rawBytes)
  }

  private func size(_ value: JSONValue, _ keyword: String) throws(Failure) -> Int {
    guard let size = value.int64, size >= 0 else {
      throw failure(value, "\(keyword) is a whole number from 0")
    }
    return Int(size)
  }

  private func bounds(
    _ schema: JSONValue, _ low: String, _ high: String
  ) throws(Failure) -> ClosedRange<Int> {
    let first = try schema[low].map { value throws(Failure) in try size(value, low) } ?? 0
    let last = try schema[high].map { value throws(Failure) in try size(value, high) } ?? .max
    guard first <= last else { throw failure(schema, "\(low) is above \(high)") }
    return first...last
  }
}
