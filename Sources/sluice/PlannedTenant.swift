import PluginHost

/// A tenant with the ids of the plugins that are switched on for it.
struct PlannedTenant {
  /// The name under which the plugins of a new app are planned.
  static let newApp = "app"

  let id: String
  let plugins: [String]
  /// What an app has chosen of them, by plugin; the others are in their standard version.
  var versions: [String: String] = [:]
  /// What of them is not installed, or not in the version that was chosen: an app cannot be opened then.
  var missing: [MissingPlugin] = []

  /// Resolves its plugins; those that are not installed are passed over, as `SluiceConfiguration.check` names them.
  ///
  /// - Throws: also where something is ``missing``.
  func plan(_ catalog: PluginCatalog) throws(ConfigurationError) -> TenantPlan {
    guard missing.isEmpty else {
      throw ConfigurationError(missing.map { ConfigProblem(file: id, message: $0.reason) })
    }
    let all = catalog.all
    let enabled = plugins.compactMap { plugin in
      guard let version = versions[plugin] else { return catalog[plugin] }
      return all.first { $0.id == plugin && $0.version == version }
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
