internal import Wire

/// Which secrets go where other settings say: properties with `"writeOnly": true` and `"x-sluice-bound-to"`, the names of properties beside
/// them. Whoever may change those and not read the secret could else have it sent to himself.
extension Schema {
  private static let bindingMark = "x-sluice-bound-to"

  /// Secrets that were given before, are not given now, and would go elsewhere, each with the setting that is another now.
  ///
  /// - Parameters:
  ///   - settings: those that are given, the secrets among them.
  ///   - former: those before, without secrets.
  ///   - sealed: the secrets that belong to those.
  func redirected(
    _ settings: ConfigValue, since former: ConfigValue, _ sealed: SealedSettings
  ) -> [(pointer: String, setting: String)] {
    Self.redirected(completed(settings), completed(former), by: value, at: "", sealed)
  }

  private static func redirected(
    _ settings: ConfigValue, _ former: ConfigValue?, by schema: ConfigValue, at pointer: String,
    _ sealed: SealedSettings
  ) -> [(pointer: String, setting: String)] {
    (schema["properties"]?.members ?? []).flatMap {
      property -> [(pointer: String, setting: String)] in
      let place = JSONPointer.appending(property.key, to: pointer)
      if let names = property.value[bindingMark]?.elements {
        guard sealed.values[place] != nil, settings[property.key] == nil else { return [] }
        let moved = names.compactMap(\.text).first { settings[$0] != former?[$0] }
        return moved.map { [(pointer: place, setting: $0)] } ?? []
      }
      guard let below = settings[property.key] else { return [] }
      return redirected(below, former?[property.key], by: property.value, at: place, sealed)
    }
  }

  /// Records where a schema of settings has the mark and nobody would look, or names what is not there.
  ///
  /// - Parameter isReached: whether `properties` alone have led here.
  static func checkBindings(
    _ schema: ConfigValue, at pointer: String, isReached: Bool = true, _ problems: ConfigProblems
  ) {
    for property in schema["properties"]?.members ?? [] {
      let place = JSONPointer.appending(property.key, to: pointer + "/properties")
      if let names = property.value[bindingMark] {
        let known = names.elements.compactMap(\.text).filter {
          $0 != property.key && schema["properties"]?[$0] != nil
        }
        if !isReached || property.value["writeOnly"] != true || known.isEmpty
          || known.count != names.elements.count
        {
          problems.add(
            "\"\(bindingMark)\" names properties beside a property that is \"writeOnly\" and reached by \"properties\" alone",
            at: JSONPointer.appending(bindingMark, to: place))
        }
      }
      checkBindings(property.value, at: place, isReached: isReached, problems)
    }
    if let items = schema["items"] {
      checkBindings(items, at: pointer + "/items", isReached: false, problems)
    }
  }
}
