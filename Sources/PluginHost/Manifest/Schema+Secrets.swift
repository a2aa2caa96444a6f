internal import Wire

/// Which of a tenant's settings are secrets: properties marked `"writeOnly": true`. They are sealed where settings are kept, and
/// shown to nobody again.
extension Schema {
  /// Where they are, in the order of the schema.
  public var secretPaths: [SecretPath] {
    Self.secretPaths(of: value, below: []).map { SecretPath(steps: $0) }
  }

  private static func secretPaths(
    of schema: ConfigValue, below path: [SecretPath.Step]
  ) -> [[SecretPath.Step]] {
    let inProperties = (schema["properties"]?.members ?? []).flatMap { property in
      let place = path + [.key(property.key)]
      return property.value["writeOnly"] == true
        ? [place] : secretPaths(of: property.value, below: place)
    }
    guard let items = schema["items"] else { return inProperties }
    return inProperties
      + secretPaths(of: items, below: path + [.each(identity: identity(ofItems: items))])
  }

  /// The member that says which element of an array is which: the first that is required and a text.
  static func identity(ofItems items: ConfigValue) -> String? {
    let required = (items["required"]?.elements ?? []).compactMap(\.text)
    return required.first { items["properties"]?[$0]?["type"] == "string" }
  }

  /// Records where a schema of settings marks as a secret what could not be sealed: only a property of an object that is itself
  /// reached by properties and elements of arrays alone is, and a default would be no secret.
  static func checkSecrets(_ schema: ConfigValue, at pointer: String, _ problems: ConfigProblems) {
    for property in schema["properties"]?.members ?? [] {
      let place = JSONPointer.appending(property.key, to: pointer + "/properties")
      if property.value["writeOnly"] == true, property.value["default"] != nil {
        problems.add(
          "a secret has no default: everybody could read it here", at: place + "/default")
      }
      checkSecrets(property.value, at: place, problems)
    }
    if let items = schema["items"] {
      let place = pointer + "/items"
      if items["writeOnly"] == true {
        problems.add(
          "\"writeOnly\" is for properties of objects, in an array too", at: place + "/writeOnly")
      }
      checkSecrets(items, at: place, problems)
    }
    if let below = schema["additionalProperties"] {
      refuseSecrets(below, at: pointer + "/additionalProperties", problems)
    }
    for keyword in ["allOf", "anyOf", "oneOf"] {
      for (index, below) in (schema[keyword]?.elements ?? []).enumerated() {
        refuseSecrets(below, at: "\(pointer)/\(keyword)/\(index)", problems)
      }
    }
    for definition in schema["$defs"]?.members ?? [] {
      refuseSecrets(
        definition.value, at: JSONPointer.appending(definition.key, to: pointer + "/$defs"),
        problems)
    }
  }

  private static func refuseSecrets(
    _ schema: ConfigValue, at pointer: String, _ problems: ConfigProblems
  ) {
    if schema["writeOnly"] == true {
      problems.add(
        "\"writeOnly\" is for properties that are reached by \"properties\" and \"items\" alone",
        at: pointer + "/writeOnly")
    }
    for property in schema["properties"]?.members ?? [] {
      refuseSecrets(
        property.value, at: JSONPointer.appending(property.key, to: pointer + "/properties"),
        problems)
    }
    for keyword in ["items", "additionalProperties"] {
      guard let below = schema[keyword] else { continue }
      refuseSecrets(below, at: pointer + "/" + keyword, problems)
    }
  }
}
