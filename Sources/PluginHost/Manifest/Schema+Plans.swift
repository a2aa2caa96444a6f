internal import Wire

/// Which of a plugin's settings are names of the operator's plans: properties marked `"x-sluice-plan": true`. The host knows
/// the plans, and looks at such a setting wherever it looks at the configuration.
extension Schema {
  private static let planMark = "x-sluice-plan"

  /// The names of plans that settings hold, those of defaults among them, each with its pointer into the settings.
  ///
  /// - Parameter completes: whether defaults are among them.
  func planNames(
    in settings: ConfigValue, completes: Bool = true
  ) -> [(pointer: String, name: String)] {
    Self.planNames(in: completes ? completed(settings) : settings, by: value, at: "")
  }

  private static func planNames(
    in settings: ConfigValue, by schema: ConfigValue, at pointer: String
  ) -> [(pointer: String, name: String)] {
    (schema["properties"]?.members ?? []).flatMap {
      property -> [(pointer: String, name: String)] in
      guard let value = settings[property.key] else { return [] }
      let place = JSONPointer.appending(property.key, to: pointer)
      guard property.value[planMark] == true else {
        return planNames(in: value, by: property.value, at: place)
      }
      return value.text.map { [(pointer: place, name: $0)] } ?? []
    }
  }

  /// Records where a schema of settings has the mark and nobody would look.
  ///
  /// - Parameter isReached: whether `properties` alone have led here.
  static func checkPlans(
    _ schema: ConfigValue, at pointer: String, isReached: Bool = true, _ problems: ConfigProblems
  ) {
    for keyword in schema.members {
      let place = JSONPointer.appending(keyword.key, to: pointer)
      switch keyword.key {
      case planMark:
        guard isReached, keyword.value == true, schema["type"] == "string" else {
          problems.add(
            "\"\(planMark)\" is true, and marks a property of type string that is reached by \"properties\" alone",
            at: place)
          continue
        }
      case "properties", "$defs":
        for below in keyword.value.members {
          checkPlans(
            below.value, at: JSONPointer.appending(below.key, to: place),
            isReached: isReached && keyword.key == "properties", problems)
        }
      case "allOf", "anyOf", "oneOf":
        for (index, below) in keyword.value.elements.enumerated() {
          checkPlans(below, at: "\(place)/\(index)", isReached: false, problems)
        }
      case "items", "additionalProperties":
        checkPlans(keyword.value, at: place, isReached: false, problems)
      default: continue
      }
    }
  }

  /// Whether any setting is marked.
  var marksPlans: Bool { Self.marksPlans(value) }

  private static func marksPlans(_ schema: ConfigValue) -> Bool {
    (schema["properties"]?.members ?? []).contains {
      $0.value[planMark] == true || marksPlans($0.value)
    }
  }
}
