public import Store

/// An app that was made while a gateway ran, as its data directory tells of it.
public enum StoredApp {
  /// A plugin that is switched on for an app.
  public struct Choice: Sendable, Equatable {
    /// The plugin's id.
    public var plugin: String
    /// The version that the app has chosen; nil is the standard one.
    public var version: String?
  }

  /// The plugins that are switched on for an app, in the order of their ids, or nil when the data directory knows no such
  /// app. The gateway may be running. [blocking]
  ///
  /// - Throws: `StoreError`: the record cannot be read.
  public static func plugins(of app: String, dataDirectory: String) throws(StoreError) -> [Choice]?
  {
    func rows(_ sql: String) throws(StoreError) -> [[SQLValue]] {
      try StoreFile.rows(in: dataDirectory, of: Store.controlTenant, sql, app) ?? []
    }
    guard try !rows("SELECT id FROM sluice_tenants WHERE id = ?1").isEmpty else { return nil }
    return try rows(
      """
      SELECT plugin, version FROM sluice_tenant_plugins WHERE tenant = ?1 AND enabled
      ORDER BY plugin
      """
    ).compactMap { row in
      guard case .text(let plugin) = row[0] else { return nil }
      guard case .text(let version) = row[1] else { return Choice(plugin: plugin) }
      return Choice(plugin: plugin, version: version)
    }
  }

  /// The plugins that are switched on for all apps, in the order of the apps' and the plugins' ids; empty when there is no
  /// data yet. [blocking]
  static func choices(
    dataDirectory: String
  ) throws(StoreError) -> [(app: String, choice: Choice)] {
    let rows = try StoreFile.rows(
      in: dataDirectory, of: Store.controlTenant,
      """
      SELECT tenant, plugin, version FROM sluice_tenant_plugins WHERE tenant <> ?1 AND enabled
      ORDER BY tenant, plugin
      """, StaticTenant.platformID)
    return (rows ?? []).compactMap { row in
      guard case .text(let app) = row[0], case .text(let plugin) = row[1] else { return nil }
      guard case .text(let version) = row[2] else { return (app, Choice(plugin: plugin)) }
      return (app, Choice(plugin: plugin, version: version))
    }
  }

  /// The plans that apps have been put on, each with how many of them; empty when there is no data yet. [blocking]
  static func plans(dataDirectory: String) throws(StoreError) -> [PlanUse] {
    let table = "sluice_tenant_plans"
    let known = try StoreFile.rows(
      in: dataDirectory, of: Store.controlTenant,
      "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?1", table)
    guard let known, !known.isEmpty else { return [] }
    let rows = try StoreFile.rows(
      in: dataDirectory, of: Store.controlTenant,
      "SELECT plan, COUNT(*) FROM sluice_tenant_plans WHERE tenant <> ?1 GROUP BY plan ORDER BY plan",
      StaticTenant.platformID)
    return (rows ?? []).compactMap { row in
      guard case .text(let plan) = row[0], case .integer(let apps) = row[1] else { return nil }
      return PlanUse(plan: plan, apps: Int(apps))
    }
  }
}
