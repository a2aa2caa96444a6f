/// Which plugins there are, which are switched on by default, and what they may use.
public struct PluginSelection: Sendable, Hashable {
  /// Who gets `sluice.tenants/1`, the one capability that reaches other tenants.
  public enum TenantsGrant: String, Sendable, CaseIterable {
    /// Plugins whose entry under `grants` names it.
    case listed
    /// Also every plugin that asks for it and runs on `platform` alone.
    case platform
  }

  /// Folders that hold a folder for each plugin, or are a plugin's folder themselves.
  public var folders: [String]
  /// The ids of the plugins that a tenant has before anybody chose; `nil` is all that suit it.
  public var enabled: [String]?
  /// What the operator grants, by plugin id. A plugin that is not here gets what its manifest asks for, except
  /// `sluice.tenants/1`.
  public var grants: [String: Set<Capability>] = [:]
  /// Who gets `sluice.tenants/1`, which reaches other tenants.
  public var tenantsGrant = TenantsGrant.listed

  /// Every plugin of the folders, with what its manifest asks for.
  public init(folders: [String]) {
    self.folders = folders
  }

  /// What a plugin may use: never more than its manifest asks for.
  public func granted(to plugin: PluginManifest) -> Set<Capability> {
    let asked = Set(plugin.capabilities)
    if let granted = grants[plugin.id] { return asked.intersection(granted) }
    if tenantsGrant == .platform && plugin.tenants == .platform { return asked }
    return asked.subtracting([.tenants])
  }

  /// The plugins that a tenant has before anybody chose, in the order of their ids.
  public func standard(
    for kind: TenantKind, of installed: [PluginManifest]
  ) -> [PluginManifest] {
    installed
      .filter { $0.tenants.includes(kind) && enabled?.contains($0.id) ?? true }
      .sorted { $0.id < $1.id }
  }
}
