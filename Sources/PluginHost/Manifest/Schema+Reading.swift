import Wire

extension Schema {
  /// Compiles the schema at `node`; one that accepts everything stands in for one that is refused.
  init(reading node: ConfigNode) {
    do {
      self = try Schema(node.value)
    } catch {
      node.problems.add(error.message, at: node.pointer + error.pointer)
      self = .anything
    }
  }

  /// Reads the schema of a tenant's settings: an object that is closed, whose defaults it accepts itself.
  init(settings node: ConfigNode) {
    self.init(reading: node)
    guard case .object = node.value else { return }
    if node.value["type"] != "object" {
      node.refuse("settings are an object: \"type\" must be object")
    }
    if node.value["additionalProperties"] != false {
      node.refuse("settings are closed: \"additionalProperties\" must be false")
    }
    Self.checkSecrets(value, at: node.pointer, node.problems)
    Self.checkPlans(value, at: node.pointer, node.problems)
    Self.checkTenants(value, at: node.pointer, node.problems)
    Self.checkBindings(value, at: node.pointer, node.problems)
    Self.checkDefaults(of: value, at: node.pointer, definitions: value["$defs"], node.problems)
  }

  /// Refuses `examples` of the whole (JSON Schema, Validation §9.5) that are no such values: whoever reads them takes them for it.
  func checkExamples(_ node: ConfigNode) {
    guard let examples = node.value["examples"] else { return }
    guard case .array(let values) = examples else {
      node.problems.add("must be an array", at: node.pointer + "/examples")
      return
    }
    for (index, example) in values.enumerated() {
      for refusal in refusals(of: example) {
        node.problems.add(
          "the example is refused by its own schema: \(refusal.message)",
          at: node.pointer + "/examples/\(index)" + refusal.pointer)
      }
    }
  }

  private static func checkDefaults(
    of schema: ConfigValue, at pointer: String, definitions: ConfigValue?,
    _ problems: ConfigProblems
  ) {
    for property in schema["properties"]?.members ?? [] {
      let place = JSONPointer.appending(property.key, to: pointer + "/properties")
      if let standard = property.value["default"], case .object(var members) = property.value {
        if let definitions { members.append(.init("$defs", definitions)) }
        for refusal in (try? Schema(.object(members)))?.refusals(of: standard) ?? [] {
          problems.add(
            "the default is refused by its own schema: \(refusal.message)",
            at: place + "/default" + refusal.pointer)
        }
      }
      checkDefaults(of: property.value, at: place, definitions: definitions, problems)
    }
  }
}
