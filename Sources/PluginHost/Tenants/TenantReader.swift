internal import Store

/// Reads all of the stored record, in pages, before anyone can change it.
struct TenantReader {
  let store: Store
  private(set) var table = TenantTable()
  private(set) var uses = KeyUses()
  // Whole records: the table's are only put when nothing is added to them any more.
  private var records: [String: TenantRecord] = [:]
  private var revision: UInt64 = 0

  init(store: Store) { self.store = store }

  mutating func run() async throws(TenantError) {
    try await forgetExpiredKeys()
    try await each(
      of: "sluice_tenants", key: [("id", .text(""))], columns: "id, revision, created_at"
    ) { reader, row in
      guard case .text(let id) = row[0], case .integer(let revision) = row[1],
        case .integer(let time) = row[2]
      else { return false }
      var record = TenantRecord(id: id)
      record.revision = UInt64(bitPattern: revision)
      record.createdAt = time
      reader.records[id] = record
      return true
    }
    try await each(
      of: "sluice_tenant_plugins", key: [("tenant", .text("")), ("plugin", .text(""))],
      columns: "tenant, plugin, enabled, config, version"
    ) { reader, row in
      guard case .text(let tenant) = row[0], case .text(let plugin) = row[1],
        case .integer(let enabled) = row[2],
        case .text(let config) = row[3]
      else { return false }
      var version: String?
      if case .text(let text) = row[4] { version = text }
      let setting = PluginSetting(enabled: enabled != 0, config: config, version: version)
      return reader.add(to: tenant) { $0.plugins[plugin] = setting }
    }
    try await each(
      of: "sluice_tenant_hosts", key: [("tenant", .text("")), ("position", .integer(-1))],
      columns: "tenant, position, host"
    ) { reader, row in
      guard case .text(let tenant) = row[0], case .text(let host) = row[2] else { return false }
      return reader.add(to: tenant) { $0.hosts.append(host) }
    }
    try await each(
      of: "sluice_tenant_origins", key: [("tenant", .text("")), ("position", .integer(-1))],
      columns: "tenant, position, origin"
    ) { reader, row in
      guard case .text(let tenant) = row[0], case .text(let origin) = row[2] else { return false }
      return reader.add(to: tenant) { $0.origins.append(origin) }
    }
    try await each(
      of: "sluice_tenant_keys", key: [("tenant", .text("")), ("id", .text(""))],
      columns: "tenant, id, digest, scopes, expires_at"
    ) { reader, row in
      guard case .text(let tenant) = row[0], case .text(let id) = row[1],
        case .blob(let digest) = row[2],
        case .text(let scopes) = row[3], case .integer(let expiry) = row[4], digest.count == 32
      else { return false }
      return reader.add(to: tenant) {
        $0.keys.append(
          StoredKey(
            id: id, digest: digest, scopes: scopes.split(separator: " ").map(String.init),
            expiresAt: expiry))
      }
    }
    try await each(
      of: "sluice_secrets", key: [("tenant", .text("")), ("name", .text(""))],
      columns: "tenant, name, sealed"
    ) { reader, row in
      guard case .text(let tenant) = row[0], case .text(let name) = row[1],
        case .blob(let sealed) = row[2]
      else { return false }
      reader.table.put(StoredSecret(sealed: sealed), name: name, of: tenant)
      return true
    }
    try await each(
      of: "sluice_key_uses", key: [("tenant", .text("")), ("id", .text(""))],
      columns: "tenant, id, used_at"
    ) { reader, row in
      guard case .text(let tenant) = row[0], case .text(let id) = row[1],
        case .integer(let time) = row[2]
      else { return false }
      reader.uses.load(tenant, id, time)
      return true
    }
    table.reserve(tenants: records.count)
    for record in records.values { table.put(record) }
    records = [:]
  }

  private mutating func add(to tenant: String, _ change: (inout TenantRecord) -> Void) -> Bool {
    guard let place = records.index(forKey: tenant) else { return false }
    change(&records.values[place])
    return true
  }

  /// Reads a table in the order of its key, page by page: `body` returns false for a row that was never written so.
  private mutating func each(
    of table: String, key: [(name: String, first: SQLValue)], columns: String,
    _ body: (inout TenantReader, [SQLValue]) -> Bool
  ) async throws(TenantError) {
    let names = key.map(\.name).joined(separator: ", ")
    let marks = key.map { ":" + $0.name }.joined(separator: ", ")
    let sql =
      "SELECT \(columns) FROM \(table) WHERE (\(names)) > (\(marks)) ORDER BY \(names) LIMIT :limit"
    var last = key.map(\.first)
    var limit = 4_096
    while true {
      var binds = [Bind("limit", .integer(Int64(limit)))]
      for (index, column) in key.enumerated() {
        binds.append(Bind(column.name, .value(last[index])))
      }
      let page: RowBlock
      do throws(StoreError) {
        page = try await store.read(
          tenant: Store.controlTenant, owner: Owner.host, statements: [Statement(sql, binds: binds)]
        )
      } catch {
        // Rows may be long; fewer of them fit.
        guard error.code == .tooLarge, limit > 1 else {
          throw TenantError(error, while: "reading \(table)")
        }
        limit /= 8
        continue
      }
      guard let rows = (try? page.decoded())?.first?.rows else { throw Self.damage(table, "?") }
      for row in rows where !body(&self, row) {
        guard case .text(let name) = row[0] else { throw Self.damage(table, "?") }
        throw Self.damage(table, name)
      }
      guard rows.count == limit, let end = rows.last else { return }
      last = Array(end.prefix(key.count))
    }
  }

  private static func damage(_ table: String, _ name: String) -> TenantError {
    TenantError(
      .damaged,
      "table \(table) of control.sqlite holds a row of tenant \"\(name)\" that the gateway did not write"
    )
  }

  private func forgetExpiredKeys() async throws(TenantError) {
    let time = store.options.now() - TenantLimits.expiredKeyRetention
    do throws(StoreError) {
      _ = try await store.submit(
        tenant: Store.controlTenant,
        batch: Batch(
          owner: Owner.host,
          statements: [
            Statement(
              "DELETE FROM sluice_tenant_keys WHERE expires_at <> 0 AND expires_at <= :time",
              binds: [Bind("time", .integer(time))])
          ]))
    } catch {
      throw TenantError(error, while: "reading sluice_tenant_keys")
    }
  }
}
