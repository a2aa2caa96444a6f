import PluginHost

/// A tenant with the ids of the plugins that are switched on for it.
struct PlannedTenant {
  /// The name under which the plugins of a new app are planned.
  static let newApp = "app"

  let id: String
  let plugins: [String]
  /// What an app has chosen of them, by plugin; the others are in their standard version.
  var versions: [String: String] = [:]

  /// Resolves its plugins; those that are not installed are passed over, as `SluiceConfiguration.check` names them.
  ///
  /// - Throws: also when a version that is chosen is not installed: the app cannot be opened then.
  func plan(_ catalog: PluginCatalog) throws(ConfigurationError) -> TenantPlan {
    var enabled: [PluginManifest] = []
    for plugin in plugins {
      guard let version = versions[plugin] else {
        if let standard = catalog[plugin] { enabled.append(standard) }
        continue
      }
      let all = catalog.plugins + catalog.beside
      guard let chosen = all.first(where: { $0.id == plugin && $0.version == version }) else {
        throw ConfigurationError([
          ConfigProblem(
            file: id, message: "it has chosen \(plugin)@\(version), which is not installed")
        ])
      }
      enabled.append(chosen)
    }
    return try TenantPlan.resolve(tenant: id, enabled: enabled, installed: catalog.plugins)
  }
}

extension SluiceConfiguration {
  /// The platform, the other tenants of the configuration, and what a new app begins with.
  func plannedTenants(installed: [PluginManifest]) -> [PlannedTenant] {
    let platform = platformTenant(installed: installed)
    var planned = ([platform] + tenants.filter { $0.id != platform.id }).map { tenant in
      PlannedTenant(id: tenant.id, plugins: tenant.plugins.filter(\.isEnabled).map(\.id))
    }
    if !planned.contains(where: { $0.id == PlannedTenant.newApp }) {
      planned.append(
        PlannedTenant(
          id: PlannedTenant.newApp,
          plugins: plugins.standard(for: .app, of: installed).map(\.id)))
    }
    return planned
  }
}
