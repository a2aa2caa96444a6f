import Testing

@testable import Store

@Suite struct Migrations {
  private let first = Migration(
    version: 1, name: "notes", sql: "CREATE TABLE chat_notes (id INTEGER PRIMARY KEY, body TEXT)")
  private let second = Migration(
    version: 2, name: "rooms",
    sql: "CREATE TABLE chat_rooms (id); INSERT INTO chat_rooms VALUES (1)")

  @Test func `are applied once and in order`() async throws {
    try await withStore { store async throws in
      func migrate(_ migrations: Migration...) async throws -> MigrationReport {
        try await store.migrate(tenant: "app", owner: "chat", migrations: migrations)
      }
      #expect(try await migrate(first) == MigrationReport(applied: [1], version: 1))
      #expect(try await migrate(first, second) == MigrationReport(applied: [2], version: 2))
      #expect(try await migrate(first, second) == MigrationReport(applied: [], version: 2))
      #expect(try await store.rows("SELECT id FROM chat_rooms") == [[.integer(1)]])
    }
  }

  @Test func `of two owners do not meet`() async throws {
    try await withStore { store in
      _ = try await store.migrate(tenant: "app", owner: "chat", migrations: [first, second])
      let report = try await store.migrate(
        tenant: "app", owner: "auth",
        migrations: [Migration(version: 1, name: "users", sql: "CREATE TABLE auth_users (id)")])
      #expect(report == MigrationReport(applied: [1], version: 1))
    }
  }

  @Test(arguments: [
    ("CREATE TABLE chat_bad (id REFERENCES auth_users (id))", "auth_users, which belongs to auth"),
    (
      "CREATE TABLE chat_bad (a, b, FOREIGN KEY (a, b) REFERENCES AUTH_users)",
      "AUTH_users, which belongs to auth"
    ),
    ("ALTER TABLE chat_notes ADD COLUMN u REFERENCES auth_users (id)", "auth_users"),
    ("CREATE TABLE chat_bad (id REFERENCES sluice_outbox (seq))", "belongs to sluice"),
    (
      "CREATE TABLE chat_bad (id REFERENCES later_things (id) ON DELETE CASCADE)",
      "does not begin with chat_"
    ),
  ])
  func `that refer to another's table are refused, for they would decide what it may delete`(
    _ sql: String, _ words: String
  ) async throws {
    try await withStore { store in
      let users = Migration(
        version: 1, name: "users", sql: "CREATE TABLE auth_users (id TEXT PRIMARY KEY)")
      _ = try await store.migrate(tenant: "app", owner: "auth", migrations: [users])
      _ = try await store.migrate(tenant: "app", owner: "chat", migrations: [first])
      let bad = Migration(version: 2, name: "bad", sql: sql)
      let error = await failure { () throws(StoreError) in
        try await store.migrate(tenant: "app", owner: "chat", migrations: [first, bad])
      }
      #expect(error?.code == .forbidden)
      #expect(error?.message.contains("migration 2 (bad) of chat: chat may not have table") == true)
      #expect(error?.message.contains(words) == true, "\(error?.message ?? "")")
      // Nothing of it is there, and the other goes on as before.
      #expect(try await store.rows("SELECT * FROM chat_notes") == [])
      let again = try await store.migrate(tenant: "app", owner: "chat", migrations: [first])
      #expect(again == MigrationReport(applied: [], version: 1))
      _ = try await store.submit(
        tenant: "app",
        batch: Batch(
          owner: "auth",
          statements: [
            Statement("INSERT INTO auth_users VALUES ('u')"), Statement("DELETE FROM auth_users"),
          ]))
    }
  }

  @Test func `may refer to their owner's own tables`() async throws {
    try await withStore { store in
      let rooms = Migration(
        version: 2, name: "rooms",
        sql: "CREATE TABLE chat_rooms (note REFERENCES CHAT_notes (id), room REFERENCES chat_rooms)"
      )
      let report = try await store.migrate(
        tenant: "app", owner: "chat", migrations: [first, rooms])
      #expect(report == MigrationReport(applied: [1, 2], version: 2))
    }
  }

  @Test(arguments: [[2], [1, 3], [1, 1], [2, 1], [0, 1], [-1]])
  func `must be numbered without gaps or duplicates`(_ versions: [Int]) async throws {
    try await withStore { store in
      let error = await failure { () throws(StoreError) in
        try await store.migrate(
          tenant: "app", owner: "chat",
          migrations: versions.map {
            Migration(version: $0, name: "x", sql: "CREATE TABLE chat_t\($0 + 5) (x)")
          })
      }
      #expect(error?.code == .invalid)
      let given = versions.map(String.init).joined(separator: ", ")
      #expect(error?.message.hasSuffix("given: \(given)") == true)
    }
  }

  @Test func `that were edited after they were applied are refused`() async throws {
    try await withStore { store in
      _ = try await store.migrate(tenant: "app", owner: "chat", migrations: [first])
      var edited = first
      edited.sql += " "
      let error = await failure { () throws(StoreError) in
        try await store.migrate(tenant: "app", owner: "chat", migrations: [edited, second])
      }
      #expect(error?.code == .migrationChanged)
      #expect(error?.message.contains("migration 1 (notes) of chat") == true)
      #expect(try await store.rows("SELECT count(*) FROM chat_notes") == [[.integer(0)]])
    }
  }

  @Test func `newer than known are tolerated unless they are breaking`() async throws {
    try await withStore { store in
      _ = try await store.migrate(tenant: "app", owner: "chat", migrations: [first, second])
      let older = try await store.migrate(tenant: "app", owner: "chat", migrations: [first])
      #expect(older == MigrationReport(applied: [], version: 2))
      let breaking = Migration(
        version: 3, name: "gone", sql: "DROP TABLE chat_rooms", isBreaking: true)
      _ = try await store.migrate(
        tenant: "app", owner: "chat", migrations: [first, second, breaking])
      let error = await failure { () throws(StoreError) in
        try await store.migrate(tenant: "app", owner: "chat", migrations: [first, second])
      }
      #expect(error?.code == .schemaTooNew)
      #expect(error?.message.contains("migration 3 (gone) of chat") == true)
    }
  }

  @Test(
    arguments: [
      ("CREATE TABLE chat_a (x); SELEKT", .sql, 1),
      ("CREATE TABLE chat_a (x); CREATE TABLE auth_a (x)", .forbidden, 1),
      ("CREATE TABLE chat_a (x UNIQUE); INSERT INTO chat_a VALUES (1), (1)", .constraint, 1),
      (
        "CREATE TABLE chat_a (x UNIQUE); INSERT OR ROLLBACK INTO chat_a VALUES (1), (1)",
        .constraint, 1
      ),
      ("CREATE TABLE chat_a (x); INSERT INTO chat_a VALUES (:x)", .invalid, 1),
      ("CREATE TABLE chat_a (x)\u{0};", .invalid, nil),
    ] as [(String, StoreError.Code, Int?)])
  func `that fail leave those before them and nothing of themselves`(
    _ sql: String, _ code: StoreError.Code, _ statement: Int?
  ) async throws {
    try await withStore { store in
      let bad = Migration(version: 2, name: "bad", sql: sql)
      let error = await failure { () throws(StoreError) in
        try await store.migrate(tenant: "app", owner: "chat", migrations: [first, bad])
      }
      #expect(error?.code == code)
      #expect(error?.statement == statement || code == .sql || code == .forbidden)
      #expect(error?.message.hasPrefix("migration 2 (bad) of chat: ") == true)
      let report = try await store.migrate(
        tenant: "app", owner: "chat",
        migrations: [first, Migration(version: 2, name: "good", sql: "CREATE TABLE chat_a (x)")])
      #expect(report == MigrationReport(applied: [2], version: 2))
    }
  }

  @Test func `are seen by connections that were open before`() async throws {
    try await withStore { store in
      _ = try await store.migrate(tenant: "app", owner: "chat", migrations: [first])
      _ = try await store.submit(
        tenant: "app", batch: .chat("INSERT INTO chat_notes (body) VALUES ('a')"))
      #expect(try await store.rows("SELECT * FROM chat_notes")[0].count == 2)
      _ = try await store.migrate(
        tenant: "app", owner: "chat",
        migrations: [
          first,
          Migration(version: 2, name: "more", sql: "ALTER TABLE chat_notes ADD COLUMN room TEXT"),
        ])
      for _ in 0..<4 { #expect(try await store.rows("SELECT * FROM chat_notes")[0].count == 3) }
    }
  }

  @Test func `have a checksum that names its kind`() {
    // FNV-1a 64 of "" and "a", from the authors' test vectors.
    #expect(Migration(version: 1, name: "", sql: "").checksum == "fnv1a64:cbf29ce484222325")
    #expect(Migration(version: 1, name: "", sql: "a").checksum == "fnv1a64:af63dc4c8601ec8c")
  }
}

@Suite struct `A migration's file name` {
  @Test func `gives number, name and database`() throws {
    let plain = try MigrationFile("0001_first_step.sql")
    #expect(plain.version == 1)
    #expect(plain.name == "first_step")
    #expect(plain.driver == nil)
    #expect(try MigrationFile("0012_x.sqlite.sql").driver == .sqlite)
    #expect(try MigrationFile("9999_x-2.postgres.sql").driver == .postgres)
  }

  @Test(arguments: [
    ("", "does not end in .sql"), ("0001_x", "does not end in .sql"),
    ("0001_x.SQL", "does not end in .sql"), ("0001.sql", "no _ after the number"),
    ("1_x.sql", "four digits"), ("00001_x.sql", "four digits"), ("0000_x.sql", "four digits"),
    ("+001_x.sql", "four digits"), ("٠٠٠١_x.sql", "four digits"), ("0001_.sql", "the name may"),
    ("0001_a b.sql", "the name may"), ("0001_A.sql", "the name may"),
    ("0001_x.mysql.sql", "no database called mysql"), ("0001_x.a.sqlite.sql", "too many dots"),
    (".sql", "no _ after the number"),
  ])
  func `that is malformed is refused in words`(_ name: String, _ reason: String) {
    do {
      _ = try MigrationFile(name)
      Issue.record("no error")
    } catch {
      #expect(error.message.contains(reason))
    }
  }

  @Test func `is chosen for the database at hand`() throws {
    let names = [
      "0002_b.sqlite.sql", "0001_a.sql", "0002_b.sql", "0003_c.postgres.sql", "0003_c.sqlite.sql",
    ]
    #expect(
      try MigrationFile.select(from: names, for: .sqlite).map(\.fileName)
        == ["0001_a.sql", "0002_b.sqlite.sql", "0003_c.sqlite.sql"])
    #expect(
      try MigrationFile.select(from: names, for: .postgres).map(\.fileName)
        == ["0001_a.sql", "0002_b.sql", "0003_c.postgres.sql"])
    #expect(try MigrationFile.select(from: [], for: .sqlite) == [])
  }

  @Test(arguments: [
    (["0001_a.sql", "0001_b.sql"], "have the same number"),
    (["0001_a.sqlite.sql", "0001_b.sql"], "have the same number"),
    (["0001_a.sql", "0003_c.sql"], "no migration file number 2"),
    (["0001_a.sql", "0002_b.postgres.sql"], "no migration file number 2 for sqlite"),
    (["0001_a.sql", "README.md"], "README.md: it does not end in .sql"),
  ])
  func `that clashes or is missing is refused`(_ names: [String], _ reason: String) {
    do {
      _ = try MigrationFile.select(from: names, for: .sqlite)
      Issue.record("no error")
    } catch {
      #expect(error.message.contains(reason))
    }
  }
}
