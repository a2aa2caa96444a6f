import CSQLite

extension SQLiteTenantFile {
  private struct Applied {
    var version: Int
    var name: String
    var checksum: String
    var isBreaking: Bool
  }

  /// Brings an owner's tables to the newest version given, each step in a transaction of its own
  /// together with the row that records it. Steps before a failing one stay applied.
  func migrate(owner: String, migrations: [Migration]) throws(StoreError) -> MigrationReport {
    try Migration.validate(migrations, owner: owner)
    var applied: [Applied] = []
    try connection.query(.appliedMigrations, .text(owner)) {
      applied.append(
        Applied(
          version: Int($0.integer(at: 0)), name: $0.text(at: 1), checksum: $0.text(at: 2),
          isBreaking: $0.integer(at: 3) != 0))
    }
    for record in applied {
      guard record.version <= migrations.count else {
        guard record.isBreaking else { continue }
        throw StoreError(
          .schemaTooNew,
          "\(connection.path) has migration \(record.version) (\(record.name)) of \(owner), which is marked breaking, and the newest known is \(migrations.count); use the newer plugin"
        )
      }
      let known = migrations[record.version - 1]
      guard known.checksum == record.checksum else {
        throw StoreError(
          .migrationChanged,
          "migration \(known.version) (\(known.name)) of \(owner) was applied to \(connection.path) and has been edited since; restore its text and add a new migration instead"
        )
      }
    }
    let version = applied.last?.version ?? 0
    var report = MigrationReport(applied: [], version: version)
    guard version < migrations.count else { return report }
    for migration in migrations[version...] {
      try apply(migration, owner: owner)
      report.applied.append(migration.version)
      report.version = migration.version
    }
    return report
  }

  private func apply(_ migration: Migration, owner: String) throws(StoreError) {
    let place = "migration \(migration.version) (\(migration.name)) of \(owner)"
    do throws(StoreError) {
      let before = try objects()
      // Whoever migrates owns a prefix, also if this is the first time.
      connection.authorizer.schema.owners.insert(owner)
      try transaction { () throws(StoreError) in
        try connection.acting(as: owner, .migration, limited: false) { () throws(StoreError) in
          try run(migration.sql)
        }
        guard !connection.isAutocommit else {
          throw StoreError(.sql, "it ended its own transaction")
        }
        // ALTER TABLE … RENAME does not tell the authorizer the new name.
        for name in try objects().subtracting(before)
        where connection.authorizer.schema.owner(of: name, present: owner) != owner {
          throw StoreError(.forbidden, "\(owner) may not call something \(name)")
        }
        try refuseReferencesToOthers(of: owner)
        try connection.query(
          .insertMigration, .text(owner), .integer(Int64(migration.version)),
          .text(migration.name), .text(migration.checksum),
          .integer(migration.isBreaking ? 1 : 0), .integer(options.now()))
      }
      try refreshSchema()
    } catch {
      connection.authorizer.schema = schema
      connection.clearStatements()
      var error = error
      error.message = "\(place): \(error.message)"
      throw error
    }
  }

  /// A FOREIGN KEY has SQLite look into the owner's table whenever a row goes from the one that it refers to, and fail who
  /// deletes it: the authorizer hears of that only then, on behalf of the wrong one.
  private func refuseReferencesToOthers(of owner: String) throws(StoreError) {
    var refusal: StoreError?
    let schema = connection.authorizer.schema
    try connection.query(.references) {
      let (table, other) = ($0.text(at: 0), $0.text(at: 1))
      guard refusal == nil, schema.owner(of: table, present: owner) == owner,
        schema.owner(of: other, present: owner) != owner
      else { return }
      let whose = schema.owner(of: other, present: owner).map { "belongs to \($0)" }
      refusal = StoreError(
        .forbidden,
        "\(owner) may not have table \(table) refer to table \(other), which \(whose ?? "does not begin with \(owner)_"); keep the value without REFERENCES or FOREIGN KEY"
      )
    }
    if let refusal { throw refusal }
  }

  /// Names of tables, indexes, triggers and views, without those that SQLite makes by itself.
  private func objects() throws(StoreError) -> Set<String> {
    var names: Set<String> = []
    try connection.query(.objects) {
      let name = $0.text(at: 1)
      if !name.hasPrefix("sqlite_") { names.insert(name) }
    }
    return names
  }

  /// Runs a text of several statements. Rows that they return are dropped.
  private func run(_ sql: String) throws(StoreError) {
    var position = 0
    var index = 0
    let end = sql.utf8.count
    while position < end {
      let (statement, next) = try connection.compile(sql, from: position, allowsPositions: false)
      let text = String(decoding: Array(sql.utf8)[position..<max(position, next)], as: UTF8.self)
      position = max(next, position + 1)
      guard let statement else { continue }
      defer { statement.finalize() }
      guard statement.parameters.isEmpty else {
        throw StoreError(
          .invalid, "a migration has no parameters, found :\(statement.parameters[0])",
          statement: index, sql: text)
      }
      var result = sqlite3_step(statement.handle)
      while result == SQLITE_ROW { result = sqlite3_step(statement.handle) }
      guard result == SQLITE_DONE else {
        throw connection.failure(result, sql: text).at(statement: index)
      }
      index += 1
    }
  }
}
