internal import Wire

/// Which of the settings of a plugin that runs on both kinds of tenant are for one kind alone: properties marked
/// `"x-sluice-tenants": "platform"` or `"apps"`. Elsewhere they do nothing, so there they are refused when they are given.
extension Schema {
  private static let tenantsMark = "x-sluice-tenants"

  /// Whom each marked setting is for, by its name.
  private var scopes: [(name: String, scope: TenantScope)] {
    (value["properties"]?.members ?? []).compactMap { property in
      property.value[Self.tenantsMark]?.text.flatMap(TenantScope.init).map {
        (name: property.key, scope: $0)
      }
    }
  }

  /// The settings among these that do nothing for a tenant of this kind, as refusals.
  func misplaced(in settings: ConfigValue, for kind: TenantKind) -> [Refusal] {
    scopes.filter { !$0.scope.includes(kind) && settings[$0.name] != nil }.map { name, _ in
      Refusal(
        pointer: JSONPointer.appending(name, to: ""),
        message: kind == .app
          ? "is a setting of the platform alone, and does nothing for an app"
          : "is a setting of apps alone, and does nothing on the platform")
    }
  }

  /// Whether any setting is marked.
  var marksTenants: Bool { !scopes.isEmpty }

  /// Records marks that nobody would look at.
  static func checkTenants(_ schema: ConfigValue, at pointer: String, _ problems: ConfigProblems) {
    for keyword in schema.members {
      let place = JSONPointer.appending(keyword.key, to: pointer)
      switch keyword.key {
      case "properties":
        for property in keyword.value.members {
          let below = JSONPointer.appending(property.key, to: place)
          if let mark = property.value[tenantsMark], !["platform", "apps"].contains(mark.text) {
            problems.add(
              "\"\(tenantsMark)\" is \"platform\" or \"apps\"", at: "\(below)/\(tenantsMark)")
          }
          refuseTenants(property.value, at: below, isSetting: true, problems)
        }
      case "default", "const", "enum", "examples": continue
      default: refuseTenants(keyword.value, at: place, problems)
      }
    }
  }

  private static func refuseTenants(
    _ schema: ConfigValue, at pointer: String, isSetting: Bool = false, _ problems: ConfigProblems
  ) {
    for (index, element) in schema.elements.enumerated() {
      refuseTenants(element, at: "\(pointer)/\(index)", problems)
    }
    for keyword in schema.members {
      let place = JSONPointer.appending(keyword.key, to: pointer)
      switch keyword.key {
      case tenantsMark where !isSetting:
        problems.add(
          "\"\(tenantsMark)\" marks a setting as a whole, directly under the \"properties\" of \"config\"",
          at: place)
      case tenantsMark, "default", "const", "enum", "examples": continue
      default: refuseTenants(keyword.value, at: place, problems)
      }
    }
  }
}
