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
    var secrets: [(String, StoredSecret)] = []
    for (name, source) in tenant.secrets.sorted(by: { $0.key < $1.key }) {
      secrets.append(
        (TenantEdit.tenantSecretPrefix + name, try Self.secret(name, source, of: tenant)))
    }
    var record = TenantRecord(id: tenant.id)
    // The place of the mistake, without the mistake, is the place of the tenant.
    record.origin = tenant.problem(at: "", "").file
    record.hosts = tenant.hosts
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
    return try line.withLock { line throws(TenantError) in
      // Against the draft, which knows of changes that are just being written.
      try Self.check(record, tenant, against: line.draft)
      record.revision = line.draft.revision + 1
      line.draft.put(record)
      for (name, secret) in secrets { line.draft.put(secret, name: name, of: record.id) }
      table.withLock { table in
        table.put(record)
        for (name, secret) in secrets { table.put(secret, name: name, of: record.id) }
      }
      return record
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
