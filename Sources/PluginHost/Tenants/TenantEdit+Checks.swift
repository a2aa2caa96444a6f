import Wire

/// What can be said against a change without knowing the tenants.
extension TenantEdit {
  func validate() throws(TenantError) {
    switch self {
    case .create(let id, let plugins, _):
      guard Grammar.tenantID.accepts(id) else { throw .malformed(id, Grammar.tenantID) }
      guard plugins.count <= TenantLimits.plugins else {
        throw TenantError(
          .limitExceeded,
          "\(plugins.count) plugins; a tenant has settings for at most \(TenantLimits.plugins)")
      }
      for (plugin, setting) in plugins.sorted(by: { $0.key < $1.key }) {
        try Self.validate(plugin, setting)
      }
    case .setPlugin(_, let plugin, let setting, _): try Self.validate(plugin, setting)
    case .putKey(_, let key): try Self.validate(key)
    case .revokeKey(_, _, let time):
      guard time >= 0 else { throw TenantError(.invalid, "the time \(time) is before 1970") }
    case .setScopes(_, let id, let scopes): try Self.validate(scopes: scopes, of: id)
    case .setHosts(_, let hosts): try Self.validate(hosts)
    case .setOrigins(_, let origins): try Self.validate(origins: origins)
    case .putSecret(_, let name, _, _): try Self.validate(secretName: name)
    case .restore(let archive, _): try Self.validate(archive)
    case .remove: break
    }
  }

  /// All of a tenant that comes from a file.
  private static func validate(_ archive: TenantArchive) throws(TenantError) {
    let record = archive.record
    guard record.id != StaticTenant.platformID else {
      throw TenantError(.invalid, "\"\(record.id)\" is the operator's own tenant")
    }
    try TenantEdit.create(record.id, plugins: record.plugins, plan: archive.plan).validate()
    try validate(record.hosts)
    try validate(origins: record.origins)
    guard record.keys.count <= TenantLimits.keys, archive.secrets.count <= TenantLimits.secrets
    else {
      throw TenantError(
        .limitExceeded,
        "\(record.keys.count) credentials and \(archive.secrets.count) secrets; at most \(TenantLimits.keys) and \(TenantLimits.secrets) are kept of a tenant"
      )
    }
    for key in record.keys { try validate(key) }
    guard Set(record.keys.map(\.digest)).count == record.keys.count else {
      throw TenantError(.invalid, "two credentials have the same digest")
    }
    for name in archive.secrets.keys { try validate(secretName: name) }
  }

  /// Names of secrets, as sluice/ext/secrets.h states them.
  static func validate(secretName name: String) throws(TenantError) {
    let rest = name.utf8.dropFirst()
    guard let first = name.utf8.first, Grammar.isLower(first), rest.count <= 63,
      rest.allSatisfy({
        Grammar.isLower($0) || Grammar.isDigit($0)
          || [Grammar.underscore, Grammar.dot, Grammar.dash].contains($0)
      })
    else {
      throw TenantError(
        .invalid,
        "\"\(name.prefix(80))\" is not a secret's name: a-z, then up to 63 of a-z 0-9 _ . -")
    }
  }

  private static func validate(_ plugin: String, _ setting: PluginSetting) throws(TenantError) {
    guard Grammar.pluginID.accepts(plugin) else { throw .malformed(plugin, Grammar.pluginID) }
    if let version = setting.version, !Grammar.version.accepts(version) {
      throw .malformed(version, Grammar.version)
    }
    let size = setting.config.utf8.count
    guard size <= TenantLimits.configBytes else {
      throw TenantError(
        .limitExceeded,
        "the settings of plugin \"\(plugin)\" are \(size) bytes, over \(TenantLimits.configBytes)")
    }
    let isObject: Bool
    do throws(JSONError) {
      isObject = try JSONDocument(setting.config).root.kind == .object
    } catch {
      throw TenantError(.invalid, "the settings of plugin \"\(plugin)\": \(error.description)")
    }
    guard isObject else {
      throw TenantError(.invalid, "the settings of plugin \"\(plugin)\" are no JSON object")
    }
  }

  private static func validate(_ key: StoredKey) throws(TenantError) {
    // As it is checked, so that a credential given by mistake instead of its id is not repeated.
    guard (1...64).contains(key.id.utf8.count), key.id.utf8.allSatisfy(Grammar.isToken) else {
      throw TenantError(
        .invalid, "a credential's id has 1 to 64 letters, digits or other token characters")
    }
    guard key.digest.count == 32 else {
      throw TenantError(
        .invalid,
        "the digest of credential \"\(key.id)\" has \(key.digest.count) bytes; a SHA-256 has 32")
    }
    guard key.expiresAt >= 0 else {
      throw TenantError(.invalid, "credential \"\(key.id)\" expires before 1970")
    }
    try validate(scopes: key.scopes, of: key.id)
  }

  private static func validate(scopes: [String], of id: String) throws(TenantError) {
    guard scopes.count <= TenantLimits.scopes else {
      throw TenantError(
        .limitExceeded,
        "credential \"\(id.prefix(80))\" has \(scopes.count) scopes, over \(TenantLimits.scopes)")
    }
    for scope in scopes
    where !(1...TenantLimits.scopeBytes).contains(scope.utf8.count)
      || !scope.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f })
    {
      throw TenantError(
        .invalid,
        "credential \"\(id.prefix(80))\": a scope has 1 to \(TenantLimits.scopeBytes) visible ASCII characters, no space"
      )
    }
  }

  private static func validate(origins: [String]) throws(TenantError) {
    guard origins.count <= TenantLimits.origins else {
      throw TenantError(
        .limitExceeded, "\(origins.count) origins; a tenant has at most \(TenantLimits.origins)")
    }
    var seen: Set<String> = []
    for (index, origin) in origins.enumerated() {
      guard Grammar.origin.accepts(origin) else {
        throw .malformed(origin, Grammar.origin, at: "/\(index)")
      }
      guard seen.insert(origin).inserted else {
        throw TenantError(
          .invalid, "origin \"\(origin)\" is given twice", pointer: "/\(index)")
      }
    }
  }

  private static func validate(_ hosts: [String]) throws(TenantError) {
    guard hosts.count <= TenantLimits.hosts else {
      throw TenantError(
        .limitExceeded, "\(hosts.count) hosts; a tenant has at most \(TenantLimits.hosts)")
    }
    var seen: Set<String> = []
    for host in hosts {
      guard Grammar.host.accepts(host) else { throw .malformed(host, Grammar.host) }
      guard seen.insert(host).inserted else {
        throw TenantError(.invalid, "host \"\(host)\" is given twice")
      }
    }
  }
}

extension TenantError {
  fileprivate static func malformed(
    _ text: String, _ grammar: Grammar, at pointer: String = ""
  ) -> TenantError {
    TenantError(
      .invalid, "\"\(text.prefix(80))\" is not \(grammar.description)", pointer: pointer)
  }
}
