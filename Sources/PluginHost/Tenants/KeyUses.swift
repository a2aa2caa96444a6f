internal import Gateway
internal import Store

/// When credentials were used last, in memory and, coarsely, on disk.
struct KeyUses: Sendable {
  /// Between two notes of one credential's use, in milliseconds: so often it is written, at most.
  static let interval: Int64 = 60_000

  /// Unix milliseconds by tenant and credential.
  private var times: [String: [String: Int64]] = [:]

  func time(_ tenant: String, _ id: String) -> Int64 { times[tenant]?[id] ?? 0 }

  mutating func load(_ tenant: String, _ id: String, _ time: Int64) {
    times[tenant, default: [:]][id] = time
  }

  /// Takes a use; false when one was taken within the interval.
  mutating func note(_ use: KeyUseReport) -> Bool {
    guard use.time - time(use.tenant, use.id) >= Self.interval else { return false }
    load(use.tenant, use.id, use.time)
    return true
  }

  /// Lets go of what is known of credentials that the tenant has no more.
  mutating func keep(_ ids: Set<String>, of tenant: String) {
    guard let known = times[tenant], known.count > 2 * ids.count + 16 else { return }
    times[tenant] = known.filter { ids.contains($0.key) }
  }

  mutating func forget(_ tenant: String) { times[tenant] = nil }
}

extension TenantRegistry {
  /// When a credential was used last, in Unix milliseconds; 0 when it is not known. [any-thread]
  func lastUse(of id: String, tenant: String) -> Int64 { uses.withLock { $0.time(tenant, id) } }

  /// Loops have seen credentials used. What was not noted within a minute is written; a write that fails is made up for by
  /// the next. [any-thread]
  func note(_ reports: [KeyUseReport]) {
    var statements: [Statement] = []
    for report in reports {
      guard let record = record(report.tenant), record.key(report.id) != nil else { continue }
      let isNews = uses.withLock { uses in
        uses.keep(Set(record.keys.map(\.id)), of: report.tenant)
        return uses.note(report)
      }
      guard isNews else { continue }
      statements.append(
        Statement(
          """
          INSERT INTO sluice_key_uses (tenant, id, used_at) SELECT :tenant, :id, :time
          WHERE :is_static = 1
            OR EXISTS (SELECT 1 FROM sluice_tenant_keys WHERE tenant = :tenant AND id = :id)
          ON CONFLICT (tenant, id) DO UPDATE SET used_at = excluded.used_at
          """,
          binds: [
            Bind("tenant", .text(report.tenant)), Bind("id", .text(report.id)),
            Bind("time", .integer(report.time)),
            Bind("is_static", .integer(record.isStatic ? 1 : 0)),
          ]))
    }
    for start in stride(from: 0, to: statements.count, by: Batch.maximumStatements) {
      let part = statements[start..<min(start + Batch.maximumStatements, statements.count)]
      try? store.submit(
        tenant: Store.controlTenant, batch: Batch(owner: Owner.host, statements: Array(part))
      ) { _ in }
    }
  }
}
