internal import Gateway

/// What the operator lets apps use, by plan.
struct Plans: Sendable, Equatable {
  /// The plan of an app of which nothing else was said.
  static let standard = "free"

  private var quotas: [String: Quotas] = [standard: Quotas()]
  /// The plan that new apps begin on. What it allows holds for apps whose plan the operator has taken away, too.
  var ofNewApps = standard

  /// The one plan ``standard``, which bounds nothing.
  init() {}

  /// The plan called `name`; nil when there is none.
  subscript(name: String) -> Quotas? { quotas[name] }

  /// The plan whose bounds hold for an app on the plan called `name`.
  func inForce(_ name: String) -> String { quotas[name] == nil ? ofNewApps : name }

  /// What an app on the plan called `name` may use.
  func quotas(of name: String) -> Quotas { quotas[inForce(name)] ?? Quotas() }

  /// - Throws: `invalid`: there is no plan of the name.
  func check(_ name: String) throws(TenantError) {
    guard quotas[name] == nil else { return }
    throw TenantError(
      .invalid,
      "there is no plan \"\(name.prefix(80))\"; there are: \(names.joined(separator: ", "))")
  }

  /// The names, in order.
  var names: [String] { quotas.keys.sorted() }

  /// Reads the object of plans; one that is not said to have a bound on something has none. An empty object is as none.
  init(reading node: ConfigNode) {
    let entries = node.entries()
    if !entries.isEmpty { quotas = [:] }
    for (name, plan) in entries {
      node.checkKey(name, .pluginID)
      quotas[name] = plan.object { reader in
        var quotas = Quotas()
        for quota in Quota.allCases {
          guard let bound = reader.optional(quota.name) else { continue }
          quotas[quota] = bound.integer(in: 0...1 << 53)
        }
        return quotas
      }
    }
  }
}
