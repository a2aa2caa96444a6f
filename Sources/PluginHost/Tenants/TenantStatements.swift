internal import Store

/// The SQL that makes the file say what the table says.
enum TenantStatements {
  /// Of a delta, given the tenant's record before it.
  static func of(_ delta: TenantDelta, from old: TenantRecord?) -> [Statement] {
    switch delta {
    case .none: []
    case .record(let new): change(from: old, to: new)
    case .removal(let record): removal(of: record, isKept: old != nil)
    case .secret(let record, let name, let secret):
      [self.secret(secret?.sealed, name: name, of: record.id)]
    }
  }

  private static func change(from old: TenantRecord?, to new: TenantRecord) -> [Statement] {
    let tenant = Bind("tenant", .text(new.id))
    var statements: [Statement] = []
    if let old {
      // The guard finds a file that someone else has written to.
      statements.append(
        Statement(
          "UPDATE sluice_tenants SET revision = :new WHERE id = :tenant AND revision = :old",
          binds: [tenant, Bind("new", revision(new)), Bind("old", revision(old))],
          guard: .exactly(1)))
    } else {
      statements.append(
        Statement(
          "INSERT INTO sluice_tenants (id, revision, created_at) VALUES (:tenant, :revision, :time)",
          binds: [tenant, Bind("revision", revision(new)), Bind("time", .integer(new.createdAt))]))
    }
    for (plugin, setting) in new.plugins where old?.plugins[plugin] != setting {
      statements.append(
        Statement(
          """
          INSERT INTO sluice_tenant_plugins (tenant, plugin, enabled, config)
          VALUES (:tenant, :plugin, :enabled, :config)
          ON CONFLICT (tenant, plugin) DO UPDATE SET enabled = excluded.enabled, config = excluded.config
          """,
          binds: [
            tenant, Bind("plugin", .text(plugin)),
            Bind("enabled", .integer(setting.enabled ? 1 : 0)),
            Bind("config", .text(setting.config)),
          ]))
    }
    if old?.hosts ?? [] != new.hosts { statements += hosts(of: new, tenant) }
    return statements + keys(from: old?.keys ?? [], to: new.keys, tenant)
  }

  private static func hosts(of record: TenantRecord, _ tenant: Bind) -> [Statement] {
    [Statement("DELETE FROM sluice_tenant_hosts WHERE tenant = :tenant", binds: [tenant])]
      + record.hosts.enumerated().map { position, host in
        Statement(
          "INSERT INTO sluice_tenant_hosts (host, tenant, position) VALUES (:host, :tenant, :position)",
          binds: [Bind("host", .text(host)), tenant, Bind("position", .integer(Int64(position)))])
      }
  }

  private static func keys(from old: [StoredKey], to new: [StoredKey], _ tenant: Bind)
    -> [Statement]
  {
    guard old != new else { return [] }
    let kept = Set(new.map(\.id))
    let known = Set(old)
    return old.filter { !kept.contains($0.id) }.map { key in
      Statement(
        "DELETE FROM sluice_tenant_keys WHERE tenant = :tenant AND id = :id",
        binds: [tenant, Bind("id", .text(key.id))], guard: .exactly(1))
    }
      + new.filter { !known.contains($0) }.map { key in
        Statement(
          """
          INSERT INTO sluice_tenant_keys (tenant, id, digest, scopes, expires_at)
          VALUES (:tenant, :id, :digest, :scopes, :expires_at)
          ON CONFLICT (tenant, id) DO UPDATE SET expires_at = excluded.expires_at
          """,
          binds: [
            tenant, Bind("id", .text(key.id)), Bind("digest", .blob(key.digest)),
            Bind("scopes", .text(key.scopes.joined(separator: " "))),
            Bind("expires_at", .integer(key.expiresAt)),
          ])
      }
  }

  private static func removal(of record: TenantRecord, isKept: Bool) -> [Statement] {
    let tenant = [Bind("tenant", .text(record.id))]
    let secrets = Statement("DELETE FROM sluice_secrets WHERE tenant = :tenant", binds: tenant)
    guard isKept else { return [secrets] }
    // Plugins, hosts and keys go with the row they refer to.
    return [
      Statement("DELETE FROM sluice_tenants WHERE id = :tenant", binds: tenant, guard: .exactly(1)),
      secrets,
    ]
  }

  private static func secret(_ sealed: [UInt8]?, name: String, of tenant: String) -> Statement {
    let binds = [Bind("tenant", .text(tenant)), Bind("name", .text(name))]
    guard let sealed else {
      return Statement(
        "DELETE FROM sluice_secrets WHERE tenant = :tenant AND name = :name", binds: binds,
        guard: .exactly(1))
    }
    return Statement(
      """
      INSERT INTO sluice_secrets (tenant, name, sealed) VALUES (:tenant, :name, :sealed)
      ON CONFLICT (tenant, name) DO UPDATE SET sealed = excluded.sealed
      """, binds: binds + [Bind("sealed", .blob(sealed))])
  }

  private static func revision(_ record: TenantRecord) -> Bind.Value {
    .integer(Int64(bitPattern: record.revision))
  }
}
