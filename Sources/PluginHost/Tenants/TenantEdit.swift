/// A secret that is changed together with something else; `nil` removes it.
struct SecretEdit: Sendable {
  var name: String
  var value: StoredSecret?
}

/// A change that is asked for, and whether it can be had. Pure.
enum TenantEdit: Sendable {
  case create(String, plugins: [String: PluginSetting], plan: String?)
  case remove(String)
  /// A tenant that comes from an export, its secrets sealed with this gateway's key.
  case restore(TenantArchive, replaces: Bool)
  case setPlugin(String, plugin: String, PluginSetting, SecretEdit?)
  case putKey(String, StoredKey)
  /// `at` in Unix milliseconds; 0 is at once.
  case revokeKey(String, id: String, at: Int64)
  case setScopes(String, id: String, [String])
  case setHosts(String, [String])
  case setOrigins(String, [String])
  /// `nil` removes it.
  case putSecret(String, name: String, StoredSecret?, onlyIfAbsent: Bool)

  /// Secrets that only `sluice.tenants/1` and configuration files put begin with this.
  static let tenantSecretPrefix = "tenant."

  var tenant: String {
    switch self {
    case .restore(let archive, _): archive.record.id
    case .create(let tenant, _, _), .remove(let tenant), .setPlugin(let tenant, _, _, _),
      .putKey(let tenant, _),
      .revokeKey(let tenant, _, _), .setScopes(let tenant, _, _), .setHosts(let tenant, _),
      .setOrigins(let tenant, _),
      .putSecret(let tenant, _, _, _):
      tenant
    }
  }

  /// The bytes that waiting for its turn costs, approximately.
  var cost: Int {
    switch self {
    case .create(_, let plugins, _):
      plugins.reduce(512) { $0 + 256 + $1.key.utf8.count + $1.value.config.utf8.count }
    case .setPlugin(_, let plugin, let setting, let secret):
      512 + plugin.utf8.count + setting.config.utf8.count + (secret?.value?.sealed?.count ?? 0)
    case .putKey(_, let key): key.scopes.reduce(1_024) { $0 + $1.utf8.count }
    case .setScopes(_, _, let scopes): scopes.reduce(1_024) { $0 + $1.utf8.count }
    case .setHosts(_, let hosts), .setOrigins(_, let hosts):
      hosts.reduce(512) { $0 + 256 + $1.utf8.count }
    case .putSecret(_, _, let secret, _): 512 + (secret?.sealed?.count ?? 0)
    case .restore(let archive, _):
      archive.record.plugins.reduce(1_024) { $0 + 256 + $1.value.config.utf8.count }
        + archive.record.keys.count * 512
        + (archive.record.hosts.count + archive.record.origins.count) * 256
        + archive.secrets.reduce(0) { $0 + 256 + $1.value.count }
    case .remove, .revokeKey: 512
    }
  }

  /// Checks the change against the table that it is made to.
  ///
  /// - Parameter now: Unix milliseconds.
  func plan(in table: TenantTable, now: Int64) throws(TenantError) -> TenantDelta {
    switch self {
    case .create(let id, let plugins, let plan):
      return .creation(try Self.creation(id, plugins, table, now), plan: plan)
    case .remove(let id): return try Self.removal(id, table)
    case .restore(let archive, let replaces):
      return try Self.restoration(archive, replaces, table)
    case .putSecret(let id, let name, let secret, let onlyIfAbsent):
      return try Self.secretChange(id, name, secret, onlyIfAbsent, table)
    case .setPlugin(let id, let plugin, let setting, let secret):
      let delta = try Self.change(id, table) { record throws(TenantError) in
        guard record.plugins[plugin] != nil || record.plugins.count < TenantLimits.plugins else {
          throw TenantError(
            .limitExceeded, "tenant \"\(id)\" has settings for \(TenantLimits.plugins) plugins")
        }
        record.plugins[plugin] = setting
      }
      guard let secret else { return delta }
      return delta.with(try Self.secretChange(id, secret.name, secret.value, false, table))
    case .putKey(let id, let key):
      return try Self.change(id, table) { record throws(TenantError) in
        try Self.put(key, into: &record, table, now)
      }
    case .revokeKey(let id, let key, let time):
      return try Self.change(id, table) { record throws(TenantError) in
        try Self.revoke(key, at: time, in: &record, now)
      }
    case .setScopes(let id, let key, let scopes):
      return try Self.change(id, table) { record throws(TenantError) in
        try Self.setScopes(scopes, of: key, in: &record)
      }
    case .setHosts(let id, let hosts):
      return try Self.change(id, table) { record throws(TenantError) in
        for host in hosts {
          // What it had before `platform_hosts` named it does not keep it from having others.
          if table.records[id]?.hosts.contains(host) == true { continue }
          try table.admit(host: host, to: id)
        }
        record.hosts = hosts
      }
    case .setOrigins(let id, let origins):
      return try Self.change(id, table) { record in record.origins = origins }
    }
  }

  private static func creation(
    _ id: String, _ plugins: [String: PluginSetting], _ table: TenantTable, _ now: Int64
  ) throws(TenantError) -> TenantRecord {
    if let known = table.records[id] {
      let source = known.origin.map { ": it comes from \($0)" } ?? ""
      throw TenantError(.conflict, "there is a tenant \"\(id)\" already\(source)")
    }
    guard table.secrets[id] == nil else {
      throw TenantError(
        .conflict,
        """
        a tenant "\(id)" came from a configuration file before, and its secrets are still kept; remove it first, or \
        choose another id
        """)
    }
    var record = TenantRecord(id: id)
    record.plugins = plugins
    record.createdAt = now
    record.revision = table.revision + 1
    return record
  }

  private static func removal(_ id: String, _ table: TenantTable) throws(TenantError) -> TenantDelta
  {
    // What a static tenant left behind can be removed too.
    guard table.records[id] != nil || table.secrets[id] == nil else {
      return .removal(TenantRecord(id: id))
    }
    var record = try changeable(id, table)
    record.revision = table.revision + 1
    return .removal(record)
  }

  private static func restoration(
    _ archive: TenantArchive, _ replaces: Bool, _ table: TenantTable
  ) throws(TenantError) -> TenantDelta {
    var record = archive.record
    let id = record.id
    if let known = table.records[id] {
      if let origin = known.origin {
        throw TenantError(
          .isStatic, "there is a tenant \"\(id)\" already: it comes from \(origin)")
      }
      guard replaces else {
        throw TenantError(
          .conflict,
          "there is an app \"\(id)\" already; to put the file in its place, use --replace")
      }
    }
    for host in record.hosts { try table.admit(host: host, to: id) }
    for key in record.keys {
      if let other = table.digests[key.digest], other != id {
        throw TenantError(
          .conflict, "the credential \"\(key.id)\" is let in for tenant \"\(other)\" already")
      }
    }
    record.revision = table.revision + 1
    return .restoration(
      record, archive.secrets.mapValues { StoredSecret(sealed: $0) }, plan: archive.plan,
      waking: archive.wakes)
  }

  private static func secretChange(
    _ id: String, _ name: String, _ secret: StoredSecret?, _ onlyIfAbsent: Bool,
    _ table: TenantTable
  ) throws(TenantError) -> TenantDelta {
    let record = try table.record(id)
    if let origin = record.origin, name.hasPrefix(tenantSecretPrefix) {
      throw TenantError(
        .isStatic, "secret \"\(name)\" of tenant \"\(id)\" is given in \(origin); change it there")
    }
    let all = table.secrets[id] ?? TenantSecrets()
    let old = all.byName[name]
    if onlyIfAbsent && old != nil {
      throw TenantError(.conflict, "tenant \"\(id)\" has a secret \"\(name)\" already")
    }
    guard let secret else { return old == nil ? .none(record) : .secret(record, name: name, nil) }
    guard old != nil || all.byName.count < TenantLimits.secrets else {
      throw TenantError(.limitExceeded, "tenant \"\(id)\" has \(TenantLimits.secrets) secrets")
    }
    guard all.bytes - (old?.cost ?? 0) + secret.cost <= TenantLimits.allSecretBytes else {
      throw TenantError(
        .limitExceeded,
        "the secrets of tenant \"\(id)\" would be over \(TenantLimits.allSecretBytes) bytes together"
      )
    }
    return .secret(record, name: name, secret)
  }

  private static func change(
    _ id: String, _ table: TenantTable, _ edit: (inout TenantRecord) throws(TenantError) -> Void
  ) throws(TenantError) -> TenantDelta {
    let old = try changeable(id, table)
    var new = old
    try edit(&new)
    guard new != old else { return .none(old) }
    new.revision = table.revision + 1
    return .record(new)
  }

  private static func changeable(_ id: String, _ table: TenantTable) throws(TenantError)
    -> TenantRecord
  {
    let record = try table.record(id)
    guard let origin = record.origin else { return record }
    throw TenantError(.isStatic, "tenant \"\(id)\" comes from \(origin) and is changed there")
  }
}

extension TenantError {
  static func hostTaken(_ host: String, by tenant: String) -> TenantError {
    TenantError(.conflict, "host \"\(host)\" belongs to tenant \"\(tenant)\" already")
  }
}
