internal import Store

/// The SQL that makes the file say what the table says.
enum TenantStatements {
  /// Of a delta, given the tenant's record before it.
  static func of(_ delta: TenantDelta, from old: TenantRecord?) -> [Statement] {
    switch delta {
    case .none: []
    case .record(let new): change(from: old, to: new)
    case .creation(let new, let plan):
      change(from: nil, to: new)
        + [plan.map { choose(plan: $0, of: new.id) } ?? forgetPlan(of: new.id)]
    case .removal(let record): removal(of: record, isKept: old != nil)
    case .restoration(let record, let secrets, let plan, let wakes):
      restoration(of: record, secrets, plan, from: old)
        // What they wait for came with the tenant's own file.
        + wakes.map {
          AlarmStatements.set(Alarm(tenant: record.id, plugin: $0), at: 0, isStatic: false)
        }
    case .recordAndSecret(let new, let name, let secret):
      change(from: old, to: new) + [self.secret(secret?.sealed, name: name, of: new.id)]
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
      statements.append(forgetRemoval(of: new.id))
      statements.append(
        Statement(
          "INSERT INTO sluice_tenants (id, revision, created_at) VALUES (:tenant, :revision, :time)",
          binds: [tenant, Bind("revision", revision(new)), Bind("time", .integer(new.createdAt))]))
    }
    for (plugin, setting) in new.plugins where old?.plugins[plugin] != setting {
      statements.append(
        Statement(
          """
          INSERT INTO sluice_tenant_plugins (tenant, plugin, enabled, config, version)
          VALUES (:tenant, :plugin, :enabled, :config, :version)
          ON CONFLICT (tenant, plugin) DO UPDATE
          SET enabled = excluded.enabled, config = excluded.config, version = excluded.version
          """,
          binds: [
            tenant, Bind("plugin", .text(plugin)),
            Bind("enabled", .integer(setting.enabled ? 1 : 0)),
            Bind("config", .text(setting.config)),
            Bind("version", .value(setting.version.map { .text($0) } ?? .null)),
          ]))
    }
    if old?.hosts ?? [] != new.hosts { statements += hosts(of: new, tenant) }
    if old?.origins ?? [] != new.origins { statements += origins(of: new, tenant) }
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

  private static func origins(of record: TenantRecord, _ tenant: Bind) -> [Statement] {
    [Statement("DELETE FROM sluice_tenant_origins WHERE tenant = :tenant", binds: [tenant])]
      + record.origins.enumerated().map { position, origin in
        Statement(
          "INSERT INTO sluice_tenant_origins (tenant, position, origin) VALUES (:tenant, :position, :origin)",
          binds: [
            tenant, Bind("position", .integer(Int64(position))), Bind("origin", .text(origin)),
          ])
      }
  }

  private static func keys(from old: [StoredKey], to new: [StoredKey], _ tenant: Bind)
    -> [Statement]
  {
    guard old != new else { return [] }
    let kept = Set(new.map(\.id))
    let known = Set(old)
    return old.filter { !kept.contains($0.id) }.flatMap { key in
      [
        Statement(
          "DELETE FROM sluice_tenant_keys WHERE tenant = :tenant AND id = :id",
          binds: [tenant, Bind("id", .text(key.id))], guard: .exactly(1)),
        Statement(
          "DELETE FROM sluice_key_uses WHERE tenant = :tenant AND id = :id",
          binds: [tenant, Bind("id", .text(key.id))]),
      ]
    }
      + new.filter { !known.contains($0) }.map { key in
        Statement(
          """
          INSERT INTO sluice_tenant_keys (tenant, id, digest, scopes, expires_at)
          VALUES (:tenant, :id, :digest, :scopes, :expires_at)
          ON CONFLICT (tenant, id) DO UPDATE SET expires_at = excluded.expires_at, scopes = excluded.scopes
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
    // Until its file is gone too.
    let mark = Statement(
      "INSERT INTO sluice_removed (tenant) VALUES (:tenant) ON CONFLICT (tenant) DO NOTHING",
      binds: tenant)
    let uses = Statement("DELETE FROM sluice_key_uses WHERE tenant = :tenant", binds: tenant)
    let plan = forgetPlan(of: record.id)
    let alarms = AlarmStatements.remove(of: record.id)
    guard isKept else { return [secrets, uses, plan, alarms, mark] }
    // Plugins, hosts and keys go with the row they refer to.
    return [
      Statement("DELETE FROM sluice_tenants WHERE id = :tenant", binds: tenant, guard: .exactly(1)),
      secrets, uses, plan, alarms, mark,
    ]
  }

  /// Says that nothing is left of a removed tenant, or that there is one of its name again.
  static func forgetRemoval(of tenant: String) -> Statement {
    Statement(
      "DELETE FROM sluice_removed WHERE tenant = :tenant", binds: [Bind("tenant", .text(tenant))])
  }

  private static func restoration(
    of record: TenantRecord, _ secrets: [String: StoredSecret], _ plan: String?,
    from old: TenantRecord?
  ) -> [Statement] {
    let tenant = SQLValue.text(record.id)
    let binds = [Bind("tenant", .value(tenant))]
    return [
      Statement(
        "DELETE FROM sluice_tenants WHERE id = :tenant", binds: binds,
        guard: .exactly(old == nil ? 0 : 1)),
      Statement("DELETE FROM sluice_secrets WHERE tenant = :tenant", binds: binds),
      AlarmStatements.remove(of: record.id),
      forgetRemoval(of: record.id),
    ]
      + rows(
        "sluice_tenants (id, revision, created_at)",
        [[tenant, .integer(Int64(bitPattern: record.revision)), .integer(record.createdAt)]])
      + rows(
        "sluice_tenant_plugins (tenant, plugin, enabled, config, version)",
        record.plugins.map {
          [
            tenant, .text($0.key), .integer($0.value.enabled ? 1 : 0), .text($0.value.config),
            $0.value.version.map { .text($0) } ?? .null,
          ]
        })
      + rows(
        "sluice_tenant_hosts (tenant, position, host)",
        record.hosts.enumerated().map { [tenant, .integer(Int64($0.offset)), .text($0.element)] })
      + rows(
        "sluice_tenant_origins (tenant, position, origin)",
        record.origins.enumerated().map { [tenant, .integer(Int64($0.offset)), .text($0.element)] })
      + rows(
        "sluice_tenant_keys (tenant, id, digest, scopes, expires_at)",
        record.keys.map {
          [
            tenant, .text($0.id), .blob($0.digest), .text($0.scopes.joined(separator: " ")),
            .integer($0.expiresAt),
          ]
        })
      + rows(
        "sluice_secrets (tenant, name, sealed)",
        secrets.map { [tenant, .text($0.key), .blob($0.value.sealed ?? [])] })
      + (plan.map { [choose(plan: $0, of: record.id)] } ?? [])
  }

  /// Leaves nothing of a plan that a tenant was on.
  private static func forgetPlan(of tenant: String) -> Statement {
    Statement(
      "DELETE FROM sluice_tenant_plans WHERE tenant = :tenant",
      binds: [Bind("tenant", .text(tenant))])
  }

  /// Puts a tenant on a plan.
  static func choose(plan: String, of tenant: String) -> Statement {
    Statement(
      """
      INSERT INTO sluice_tenant_plans (tenant, plan) VALUES (:tenant, :plan)
      ON CONFLICT (tenant) DO UPDATE SET plan = excluded.plan
      """, binds: [Bind("tenant", .text(tenant)), Bind("plan", .text(plan))])
  }

  /// Inserts many rows with few statements: a batch holds no more of them than a tenant may have rows.
  private static func rows(_ table: String, _ rows: [[SQLValue]]) -> [Statement] {
    stride(from: 0, to: rows.count, by: 100).map { start in
      var binds: [Bind] = []
      var places: [String] = []
      for row in rows[start..<min(start + 100, rows.count)] {
        var names: [String] = []
        for value in row {
          names.append(":v\(binds.count)")
          binds.append(Bind("v\(binds.count)", .value(value)))
        }
        places.append("(" + names.joined(separator: ", ") + ")")
      }
      return Statement(
        "INSERT INTO \(table) VALUES " + places.joined(separator: ", "), binds: binds)
    }
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
