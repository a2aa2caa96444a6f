import Wire

/// The schemas of manifests, made part of one description.
///
/// In a manifest each schema is a document of its own, and `#/$defs/…` is meant from its root. Here the root is
/// the whole description, so definitions move to `components/schemas`.
struct OpenAPISchemas {
  /// The definitions moved so far, in order.
  private(set) var components: [ConfigValue.Member] = []

  /// `schema` as it may stand in the description.
  ///
  /// - Parameter owner: a name for whom it belongs to, unique in the description, of letters, digits and `. - _`.
  mutating func embed(_ schema: ConfigValue, of owner: String) -> ConfigValue {
    let definitions = schema["$defs"]?.members ?? []
    let names = definitions.enumerated().map { index, definition in
      (definition.key, "\(owner).\(index + 1)")
    }
    let places = Dictionary(names) { first, _ in first }
    for definition in definitions {
      components.append(
        .init(places[definition.key] ?? owner, Self.moved(definition.value, to: places)))
    }
    return Self.moved(schema, to: places)
  }

  /// `schema` with its references led to their new places, without what only a document's root may say.
  private static func moved(_ schema: ConfigValue, to places: [String: String]) -> ConfigValue {
    guard case .object(let members) = schema else { return schema }
    return .object(
      members.compactMap { member in
        switch member.key {
        case "$defs", "$schema", "$id": nil
        case "$ref": .init(member.key, moved(reference: member.value, to: places))
        case "items", "additionalProperties":
          .init(member.key, moved(member.value, to: places))
        case "allOf", "anyOf", "oneOf":
          .init(member.key, .array(member.value.elements.map { moved($0, to: places) }))
        case "properties":
          .init(
            member.key,
            .object(member.value.members.map { .init($0.key, moved($0.value, to: places)) }))
        default: member
        }
      })
  }

  private static func moved(
    reference: ConfigValue, to places: [String: String]
  ) -> ConfigValue {
    let steps = reference.text.flatMap { JSONPointer.steps(of: String($0.dropFirst())) } ?? []
    guard let name = steps.last, let place = places[name] else { return reference }
    return .string("#/components/schemas/\(place)")
  }
}
