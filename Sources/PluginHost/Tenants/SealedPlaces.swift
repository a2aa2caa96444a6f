internal import Wire

/// What was sealed once stays a secret of the tenant, also in a version of the plugin whose schema does not call it one, or does not know it: so it
/// survives the way to another version and back.
extension SealedSettings {
  /// Where secrets are among settings: what a schema calls so, and what was sealed under the schema of another version.
  ///
  /// - Parameter former: the settings that the secrets belong to, with or without them.
  func paths(by schema: Schema, in former: ConfigValue) -> [SecretPath] {
    var paths = schema.secretPaths
    for pointer in strays(by: schema, in: former) {
      guard let path = SecretPath(pointer, in: former, by: schema.value), !paths.contains(path)
      else { continue }
      paths.append(path)
    }
    return paths
  }

  /// A secret that was sealed under another version's schema and lies in what this one calls a secret as a whole, or around one of its
  /// secrets: it has no place beside that.
  func misplaced(by schema: Schema, in former: ConfigValue) -> String? {
    let places = schema.secretPaths.flatMap { path in
      path.isInArray
        ? path.places(in: former, since: former).map(\.place) : [path.pointer]
    }
    return strays(by: schema, in: former).first { stray in
      places.contains { stray.hasPrefix($0 + "/") || $0.hasPrefix(stray + "/") }
    }
  }

  /// The pointers of what is sealed and is no secret by the schema.
  private func strays(by schema: Schema, in former: ConfigValue) -> [String] {
    let known = Set(
      schema.secretPaths.flatMap { $0.places(in: former, since: former).map(\.place) })
    return values.keys.filter { !known.contains($0) }.sorted()
  }
}

extension SecretPath {
  /// The path of one place in settings, and of those in the other elements of the arrays on the way there; nil where the settings have
  /// nothing for it to stand in.
  fileprivate init?(_ pointer: String, in settings: ConfigValue, by schema: ConfigValue) {
    guard let keys = JSONPointer.steps(of: pointer), !keys.isEmpty else { return nil }
    var steps: [Step] = []
    var value: ConfigValue? = settings
    var schema: ConfigValue? = schema
    for key in keys {
      switch value {
      case .object?:
        steps.append(.key(key))
        value = value?[key]
        schema = schema?["properties"]?[key]
      case .array(let elements)?:
        guard let index = Int(key), elements.indices.contains(index) else { return nil }
        schema = schema?["items"]
        steps.append(.each(identity: schema.flatMap { Schema.identity(ofItems: $0) }))
        value = elements[index]
      default: return nil
      }
    }
    self.init(steps: steps)
  }

  /// Whether a schema lets something stand there; what it says of it is for validation to find.
  func hasPlace(in schema: ConfigValue) -> Bool {
    var node = schema
    for step in steps {
      switch step {
      case .key(let key):
        if let property = node["properties"]?[key] {
          node = property
          continue
        }
        let isClosed =
          node["additionalProperties"] == false
          && ["$ref", "allOf", "anyOf", "oneOf", "patternProperties"].allSatisfy { node[$0] == nil }
        return !isClosed
      case .each:
        guard let items = node["items"] else { return true }
        node = items
      }
    }
    return true
  }
}
