import PluginHost

/// A tenant with the ids of the plugins that are switched on for it.
struct PlannedTenant {
  /// The name under which the plugins of a new app are planned.
  static let newApp = "app"

  let id: String
  let plugins: [String]

  /// Resolves its plugins; those that are not installed are passed over, as `SluiceConfiguration.check` names them.
  func plan(installed: [PluginManifest]) throws(ConfigurationError) -> TenantPlan {
    try TenantPlan.resolve(
      tenant: id, enabled: installed.filter { plugins.contains($0.id) }, installed: installed)
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
