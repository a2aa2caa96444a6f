/// Runs a program over a document.
struct SchemaValidator {
  /// Properties one schema may name.
  static let maximumProperties = 512

  let program: SchemaProgram
  let document: JSONDocument
  let nodes: UnsafePointer<JSONNode>
  let base: UnsafeRawPointer
  var violations: [JSONSchema.Violation] = []
  /// Above 0 while alternatives are tried: then the first violation ends it and none is kept.
  private var trials = 0

  init(_ program: SchemaProgram, _ document: JSONDocument) {
    self.program = program
    self.document = document
    nodes = UnsafePointer(document.tape.nodes)
    base = document.base
  }

  /// Whether the value at `index` follows `rule`, without keeping what is wrong.
  mutating func isValid(_ index: Int, _ rule: Int) -> Bool {
    trials += 1
    defer { trials -= 1 }
    return check(index, rule)
  }

  /// Whether the value at `index` follows `rule`; what is wrong is kept.
  @discardableResult
  mutating func check(_ index: Int, _ rule: Int) -> Bool {
    let rule = program.rules[rule]
    if rule.never { return fail(index) { "nothing may stand here" } }
    let kind = nodes[index].kind
    if !hasType(index, kind, rule.types) {
      return fail(index) { "must be \(rule.types.text), is \(kind.name)" }
    }
    var isFine = true
    switch kind {
    case .object: isFine = checkObject(index, rule)
    case .array: isFine = checkArray(index, rule)
    case .string: isFine = checkString(index, rule)
    case .number: isFine = checkNumber(index, rule)
    case .bool, .null: break
    }
    if mayStop(isFine) { return false }
    isFine = checkValue(index, rule) && isFine
    if mayStop(isFine) { return false }
    return checkCombinations(index, rule) && isFine
  }

  /// Whether enough is known: a violation while trying, or as many as are reported.
  private func mayStop(_ isFine: Bool) -> Bool {
    !isFine && (trials > 0 || violations.count >= JSONSchema.maximumViolations)
  }

  @inline(never)
  private mutating func fail(_ index: Int, key: String? = nil, _ message: () -> String) -> Bool {
    if trials == 0, violations.count < JSONSchema.maximumViolations {
      let pointer = JSONValue(document: document, index: index).pointer
      violations.append(
        JSONSchema.Violation(
          pointer: key.map { JSONPointer.appending($0, to: pointer) } ?? pointer,
          message: message()))
    }
    return false
  }

  private func hasType(_ index: Int, _ kind: JSONKind, _ types: SchemaTypes) -> Bool {
    if types.contains(SchemaTypes(kind)) { return true }
    return kind == .number && types.contains(.integer) && number(index).isInteger
  }

  private func bytes(_ index: Int) -> UnsafeRawBufferPointer {
    let node = nodes[index]
    return UnsafeRawBufferPointer(
      start: base + Int(node.start), count: Int(node.end &- node.start))
  }

  private func number(_ index: Int) -> JSONNumber { JSONNumber(bytes(index)) }

  // MARK: Objects and arrays

  private mutating func checkObject(_ index: Int, _ rule: SchemaRule) -> Bool {
    var isFine = true
    var seen = InlineArray<8, UInt64>(repeating: 0)
    var count = 0
    var key = index + 1
    let end = Int(nodes[index].next)
    while key < end {
      let value = key + 1
      count += 1
      if let property = property(key, rule) {
        let place = property - rule.properties.lowerBound
        seen[place / 64] |= 1 << UInt64(place % 64)
        if let known = program.properties[property].rule {
          isFine = check(value, known) && isFine
        }
      } else if rule.refusesAdditional {
        isFine = failUnknown(key, rule)
      } else if let additional = rule.additional {
        isFine = check(value, additional) && isFine
      }
      if mayStop(isFine) { return false }
      key = Int(nodes[value].next)
    }
    if rule.hasRequired {
      for (place, property) in program.properties[rule.properties].enumerated()
      where property.isRequired && seen[place / 64] & 1 << UInt64(place % 64) == 0 {
        isFine = fail(index, key: property.name) { "is required" }
      }
    }
    if !rule.memberCount.contains(count) {
      isFine = fail(index) {
        "must have \(SchemaValidator.describe(rule.memberCount, "member")), has \(count)"
      }
    }
    return isFine
  }

  private func property(_ key: Int, _ rule: SchemaRule) -> Int? {
    for index in rule.properties {
      let isSame = program.properties[index].name.utf8.withContiguousStorageIfAvailable {
        JSONKeys.isEqual(nodes[key], base, UnsafeRawBufferPointer($0))
      }
      if isSame == true { return index }
    }
    return nil
  }

  private mutating func failUnknown(_ key: Int, _ rule: SchemaRule) -> Bool {
    let names = trials == 0 ? program.properties[rule.properties].map(\.name) : []
    let node = nodes[key]
    let base = base
    return fail(key) {
      let known = nearest(to: JSONValue.text(of: node, base), in: names)
      return "unknown key" + (known.map { "; did you mean \($0)?" } ?? "")
    }
  }

  private mutating func checkArray(_ index: Int, _ rule: SchemaRule) -> Bool {
    var isFine = true
    var count = 0
    var element = index + 1
    let end = Int(nodes[index].next)
    while element < end {
      count += 1
      if let items = rule.items {
        isFine = check(element, items) && isFine
        if mayStop(isFine) { return false }
      }
      element = Int(nodes[element].next)
    }
    if !rule.elementCount.contains(count) {
      isFine = fail(index) {
        "must have \(SchemaValidator.describe(rule.elementCount, "element")), has \(count)"
      }
    }
    if rule.areUnique, isFine, let repeated = repeatedElement(of: index) {
      isFine = fail(repeated) { "is equal to an earlier element" }
    }
    return isFine
  }

  /// The first element that equals an earlier one. Only elements with the same hash are compared.
  private func repeatedElement(of index: Int) -> Int? {
    var hashed: [(hash: Int, element: Int)] = []
    var element = index + 1
    let end = Int(nodes[index].next)
    while element < end {
      hashed.append((JSONComparison.hash(element, nodes, base), element))
      element = Int(nodes[element].next)
    }
    hashed.sort { $0 < $1 }
    let comparison = JSONComparison(
      nodes: nodes, base: base, otherNodes: nodes, otherBase: base)
    var first: Int?
    for (earlier, later) in zip(hashed, hashed.dropFirst())
    where earlier.hash == later.hash && comparison.areEqual(earlier.element, later.element) {
      first = min(first ?? .max, later.element)
    }
    return first
  }

  // MARK: Scalars

  private mutating func checkString(_ index: Int, _ rule: SchemaRule) -> Bool {
    if rule.length != 0...Int.max {
      var text = JSONStringBytes(nodes[index], base)
      var length = 0
      while let byte = text.next() { length += byte & 0xc0 == 0x80 ? 0 : 1 }
      if !rule.length.contains(length) {
        return fail(index) {
          "must have \(SchemaValidator.describe(rule.length, "character")), has \(length)"
        }
      }
    }
    if let pattern = rule.pattern {
      var text = JSONStringBytes(nodes[index], base)
      if !program.patterns[pattern].matches({ text.next() }) {
        let source = program.patternSources[pattern]
        return fail(index) { "must match \(source)" }
      }
    }
    if let format = rule.format, !hasFormat(index, format) {
      return fail(index) { "must be a valid \(format.name)" }
    }
    return true
  }

  private func hasFormat(_ index: Int, _ format: Format) -> Bool {
    guard nodes[index].hasEscapes else { return format.matches(bytes(index)) }
    var text = JSONValue.text(of: nodes[index], base)
    return text.withUTF8 { format.matches(UnsafeRawBufferPointer($0)) }
  }

  private mutating func checkNumber(_ index: Int, _ rule: SchemaRule) -> Bool {
    guard
      rule.minimum != nil || rule.maximum != nil || rule.exclusiveMinimum != nil
        || rule.exclusiveMaximum != nil || rule.multipleOf != nil
    else { return true }
    let value = number(index)
    if let bound = rule.minimum, value < bound {
      return fail(index) { "must be at least \(bound.text)" }
    }
    if let bound = rule.maximum, bound < value {
      return fail(index) { "must be at most \(bound.text)" }
    }
    if let bound = rule.exclusiveMinimum, !(bound < value) {
      return fail(index) { "must be above \(bound.text)" }
    }
    if let bound = rule.exclusiveMaximum, !(value < bound) {
      return fail(index) { "must be below \(bound.text)" }
    }
    if let divisor = rule.multipleOf, !value.isMultiple(of: divisor) {
      return fail(index) { "must be a multiple of \(divisor)" }
    }
    return true
  }

  // MARK: Any value

  private mutating func checkValue(_ index: Int, _ rule: SchemaRule) -> Bool {
    if let constant = rule.constant, !isEqual(index, constant) {
      let text = program.literals[constant].text
      return fail(index) { "must be \(text)" }
    }
    if !rule.allowed.isEmpty, !rule.allowed.contains(where: { isEqual(index, $0) }) {
      let texts = program.literals[rule.allowed].prefix(16).map(\.text)
      return fail(index) { "must be one of \(texts.joined(separator: ", "))" }
    }
    return true
  }

  private func isEqual(_ index: Int, _ literal: Int) -> Bool {
    let other = program.literals[literal].document
    let comparison = JSONComparison(
      nodes: nodes, base: base, otherNodes: UnsafePointer(other.tape.nodes), otherBase: other.base)
    return comparison.areEqual(index, 0)
  }

  private mutating func checkCombinations(_ index: Int, _ rule: SchemaRule) -> Bool {
    var isFine = true
    if let reference = rule.reference { isFine = check(index, reference) }
    for item in rule.allOf where !mayStop(isFine) {
      isFine = check(index, program.lists[item]) && isFine
    }
    if mayStop(isFine) { return false }
    if !rule.anyOf.isEmpty {
      var matched = false
      for item in rule.anyOf where !matched { matched = isValid(index, program.lists[item]) }
      if !matched { isFine = fail(index) { "matches none of the alternatives" } }
    }
    if !rule.oneOf.isEmpty {
      var matched = 0
      for item in rule.oneOf where matched < 2 {
        matched += isValid(index, program.lists[item]) ? 1 : 0
      }
      if matched == 0 { isFine = fail(index) { "matches none of the alternatives" } }
      if matched > 1 { isFine = fail(index) { "matches more than one of the alternatives" } }
    }
    return isFine
  }

  /// `at least 1 member`, `2 to 3 members`.
  private static func describe(_ range: ClosedRange<Int>, _ noun: String) -> String {
    let (low, high) = (range.lowerBound, range.upperBound)
    if high == .max { return "at least \(low) \(noun)\(low == 1 ? "" : "s")" }
    if low == 0 { return "at most \(high) \(noun)\(high == 1 ? "" : "s")" }
    if low == high { return "exactly \(low) \(noun)\(low == 1 ? "" : "s")" }
    return "\(low) to \(high) \(noun)s"
  }
}

extension JSONNumber {
  var text: String {
    switch self {
    case .integer(let value): "\(value)"
    case .fraction(let value): "\(value)"
    }
  }
}

extension SchemaLiteral {
  var text: String { String(decoding: document.root.rawBytes, as: UTF8.self) }
}
