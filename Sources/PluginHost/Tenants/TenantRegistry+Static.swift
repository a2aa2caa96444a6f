internal import Synchronization

extension TenantRegistry {
  /// Adds a tenant that a configuration file gives. It is kept in memory alone, and changed in its file alone.
  ///
  /// Its secrets get the names `tenant.NAME`. Control thread: it reads the environment for them.
  ///
  /// - Returns: the tenant's record.
  /// - Throws: ``TenantError/Code/conflict``: a stored or another static tenant has the id, a host or a key, which
  ///   names both; ``TenantError/Code/invalid``: a secret's variable is not set, or its name is too long.
  @discardableResult
  public func registerStatic(_ tenant: StaticTenant) throws(TenantError) -> TenantRecord {
    let given = try GivenTenant(tenant)
    return try line.withLock { line throws(TenantError) in
      // Against the draft, which knows of changes that are just being written.
      let record = try line.draft.put(given)
      table.withLock { $0.put(record, given.secrets) }
      return record
    }
  }

  /// Puts these tenants in the place of all that configuration files have given before; or throws, and nothing has
  /// changed. Control thread: it reads the environment for their secrets.
  ///
  /// - Parameter platformHosts: host names that are led to no app.
  /// - Throws: as ``registerStatic(_:)``.
  public func replaceStatic(
    with tenants: [StaticTenant], platformHosts: Set<String> = []
  ) throws(TenantError) {
    var given: [GivenTenant] = []
    for tenant in tenants { given.append(try GivenTenant(tenant)) }
    let next = given
    try line.withLock { line throws(TenantError) in
      var draft = line.draft
      draft.removeStatic(platformHosts: platformHosts)
      var records: [TenantRecord] = []
      for tenant in next { records.append(try draft.put(tenant)) }
      line.draft = draft
      table.withLock { table in
        table.removeStatic(platformHosts: platformHosts)
        for (record, tenant) in zip(records, next) { table.put(record, tenant.secrets) }
      }
    }
  }
}

/// A tenant of a configuration file as the registry keeps it.
private struct GivenTenant: Sendable {
  let tenant: StaticTenant
  let secrets: [(name: String, secret: StoredSecret)]
  private(set) var record: TenantRecord

  init(_ tenant: StaticTenant) throws(TenantError) {
    self.tenant = tenant
    var secrets: [(name: String, secret: StoredSecret)] = []
    for (name, source) in tenant.secrets.sorted(by: { $0.key < $1.key }) {
      secrets.append(
        (TenantEdit.tenantSecretPrefix + name, try Self.secret(name, source, of: tenant)))
    }
    self.secrets = secrets
    record = TenantRecord(id: tenant.id)
    // The place of the mistake, without the mistake, is the place of the tenant.
    record.origin = tenant.problem(at: "", "").file
    record.hosts = tenant.hosts
    record.origins = tenant.origins
    for plugin in tenant.plugins {
      record.plugins[plugin.id] = PluginSetting(
        enabled: plugin.isEnabled, config: plugin.config.json)
    }
    record.keys = tenant.keys.sorted { $0.id < $1.id }.map { key in
      // A publishable key names its app and grants nothing.
      StoredKey(
        id: key.id, digest: key.digest,
        scopes: key.kind == .publishable ? [] : key.scopes.map(\.text))
    }
  }

  private static func secret(
    _ name: String, _ source: SecretSource, of tenant: StaticTenant
  ) throws(TenantError) -> StoredSecret {
    let pointer = "/secrets/\(name)"
    guard var value = source.resolve() else {
      throw TenantError(
        .invalid,
        tenant.problem(at: pointer, "the environment variable of \(source) is not set").description)
    }
    guard (TenantEdit.tenantSecretPrefix + name).utf8.count <= 64 else {
      throw TenantError(
        .invalid, tenant.problem(at: pointer, "the name is longer than 57 characters").description)
    }
    return value.withUTF8 { StoredSecret(given: SecretBytes(copying: UnsafeRawBufferPointer($0))) }
  }

}

extension TenantTable {
  /// Adds a tenant of a file with its secrets, and gives its record as it now stands.
  fileprivate mutating func put(_ given: GivenTenant) throws(TenantError) -> TenantRecord {
    var record = given.record
    try Self.check(record, given.tenant, against: self)
    record.revision = revision + 1
    put(record, given.secrets)
    return record
  }

  fileprivate mutating func put(
    _ record: TenantRecord, _ secrets: [(name: String, secret: StoredSecret)]
  ) {
    put(record)
    for (name, secret) in secrets { put(secret, name: name, of: record.id) }
  }

  private static func check(
    _ record: TenantRecord, _ tenant: StaticTenant, against table: TenantTable
  ) throws(TenantError) {
    func refuse(_ pointer: String, _ what: String, _ other: TenantRecord?) -> TenantError {
      let place =
        other?.origin.map { "in \($0)" } ?? "in control.sqlite, created while the gateway ran"
      let message = "\(what) \(place), already; change one of them"
      return TenantError(.conflict, tenant.problem(at: pointer, message).description)
    }
    if let other = table.records[record.id] {
      throw refuse("/id", "there is a tenant \"\(record.id)\"", other)
    }
    for (index, host) in record.hosts.enumerated() {
      guard let other = table.hosts[host] else { continue }
      throw refuse(
        "/hosts/\(index)", "host \"\(host)\" belongs to tenant \"\(other)\"", table.records[other])
    }
    var ids: Set<String> = []
    for (index, key) in tenant.keys.enumerated() {
      if let other = table.digests[key.digest] {
        throw refuse(
          "/keys/\(index)", "the same key belongs to tenant \"\(other)\"", table.records[other])
      }
      guard ids.insert(key.id).inserted else {
        throw TenantError(
          .conflict,
          tenant.problem(at: "/keys/\(index)/id", "the key id \"\(key.id)\" stands here twice")
            .description)
      }
    }
  }
}
