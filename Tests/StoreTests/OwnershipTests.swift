import Testing

@testable import Store

@Suite struct Ownership {
  private func withOwners(_ body: (Store) async throws -> Void) async throws {
    try await withStore { store in
      try await store.createNotes()
      for owner in ["auth", "chat_bot"] {
        _ = try await store.migrate(
          tenant: "app", owner: owner,
          migrations: [
            Migration(
              version: 1, name: "users",
              sql: """
                CREATE TABLE \(owner)_users (id INTEGER PRIMARY KEY, name TEXT);
                CREATE INDEX \(owner)_by_name ON \(owner)_users (name);
                CREATE VIEW \(owner)_names AS SELECT name FROM \(owner)_users;
                INSERT INTO \(owner)_users VALUES (1, 'secret');
                """)
          ])
      }
      try await body(store)
    }
  }

  @Test(arguments: [
    ("SELECT name FROM auth_users", "read table auth_users, which belongs to auth"),
    ("SELECT * FROM AUTH_USERS", "read table auth_users, which belongs to auth"),
    ("SELECT count(*) FROM auth_users", "read table auth_users, which belongs to auth"),
    ("SELECT 1 FROM chat_notes, main.auth_users", "read table auth_users, which belongs to auth"),
    (
      "SELECT * FROM chat_notes WHERE id IN (SELECT id FROM auth_users)",
      "read table auth_users, which belongs to auth"
    ),
    ("SELECT * FROM auth_names", "read table auth_users, which belongs to auth"),
    ("SELECT * FROM chat_bot_users", "read table chat_bot_users, which belongs to chat_bot"),
    (
      "INSERT INTO auth_users (name) VALUES ('x')",
      "write to table auth_users, which belongs to auth"
    ),
    ("UPDATE auth_users SET name = 'x'", "change table auth_users, which belongs to auth"),
    ("DELETE FROM auth_users", "delete from table auth_users, which belongs to auth"),
    (
      "INSERT INTO chat_notes (body) SELECT name FROM auth_users",
      "read table auth_users, which belongs to auth"
    ),
    ("SELECT epoch FROM sluice_file", "read table sluice_file, which belongs to sluice"),
    ("SELECT count(*) FROM sluice_outbox", "read table sluice_outbox, which belongs to sluice"),
    (
      "DELETE FROM sluice_migrations",
      "delete from table sluice_migrations, which belongs to sluice"
    ),
    ("SELECT sql FROM sqlite_master", "read table sqlite_master, which belongs to SQLite"),
    ("SELECT count(*) FROM sqlite_schema", "read table sqlite_schema, which belongs to SQLite"),
    ("SELECT name FROM pragma_table_list", "read table pragma_table_list, which belongs to SQLite"),
    ("SELECT count(*) FROM dbstat", "read table dbstat, which belongs to SQLite"),
    ("ATTACH '/tmp/x.sqlite' AS x", "attach the database /tmp/x.sqlite"),
    ("DETACH main", "detach main"), ("PRAGMA synchronous = OFF", "use PRAGMA synchronous"),
    ("PRAGMA table_info(auth_users)", "use PRAGMA table_info"),
    ("BEGIN", "use BEGIN: a batch is one transaction already"),
    ("COMMIT", "use COMMIT: a batch is one transaction already"),
    ("ROLLBACK", "use ROLLBACK: a batch is one transaction already"),
    ("SAVEPOINT x", "use SAVEPOINT: a batch is one transaction already"),
    ("RELEASE member", "use SAVEPOINT: a batch is one transaction already"),
    ("ROLLBACK TO member", "use SAVEPOINT: a batch is one transaction already"),
    ("SELECT load_extension('x')", "call load_extension()"),
    ("SELECT fts3_tokenizer('simple')", "call fts3_tokenizer()"),
    ("CREATE TABLE chat_more (x)", "create, alter or drop table chat_more outside a migration"),
    ("DROP TABLE chat_notes", "create, alter or drop table chat_notes outside a migration"),
    ("CREATE TEMP TABLE chat_t (x)", "use temporary objects: chat_t"),
    ("ANALYZE", "create, alter or drop table sqlite_stat1 outside a migration"),
    ("SELECT rowid, name FROM sqlite_master", "read table sqlite_master, which belongs to SQLite"),
    ("VACUUM INTO '/tmp/x.sqlite'", "attach"),
  ])
  func `keeps chat from what is not its own, and says why`(
    _ sql: String, _ reason: String
  ) async throws {
    try await withOwners { store in
      let error = await failure { () throws(StoreError) in
        try await store.submit(tenant: "app", batch: .chat(sql))
      }
      if sql.hasPrefix("VACUUM") {
        // Refused before the authorizer is asked: a batch is inside a transaction.
        #expect(error?.message == "cannot VACUUM from within a transaction")
      } else {
        #expect(error?.code == .forbidden)
        #expect(error?.message == "chat may not \(reason)")
      }
      let rows = try await store.read(
        tenant: "app", owner: "auth", statements: [Statement("SELECT name FROM auth_users")]
      ).decoded()[0].rows
      #expect(rows == [[.text("secret")]])
      // The refusal leaves nothing behind.
      _ = try await store.note("fine")
    }
  }

  @Test(arguments: [
    ("CREATE TABLE notes (x)", "table notes, which does not begin with chat_"),
    ("CREATE TABLE auth_more (x)", "table auth_more, which belongs to auth"),
    ("CREATE TABLE chat_bot_more (x)", "table chat_bot_more, which belongs to chat_bot"),
    ("CREATE INDEX auth_i ON chat_notes (body)", "index auth_i, which belongs to auth"),
    ("CREATE INDEX chat_i ON auth_users (name)", "index auth_users, which belongs to auth"),
    ("DROP INDEX auth_by_name", "index auth_by_name, which belongs to auth"),
    ("ALTER TABLE auth_users ADD COLUMN x", "table auth_users, which belongs to auth"),
    ("DROP VIEW auth_names", "view auth_names, which belongs to auth"),
    (
      "CREATE TRIGGER chat_t AFTER INSERT ON auth_users BEGIN SELECT 1; END",
      "trigger auth_users, which belongs to auth"
    ),
    (
      "CREATE VIRTUAL TABLE auth_fts USING fts5 (x)",
      "virtual table auth_fts, which belongs to auth"
    ),
  ])
  func `holds in migrations too`(_ sql: String, _ reason: String) async throws {
    try await withOwners { store in
      let error = await migrationFailure(store, sql)
      #expect(error?.code == .forbidden)
      #expect(
        error?.message == "migration 2 (bad) of chat: chat may not create, alter or drop \(reason)")
    }
  }

  @Test(arguments: [
    ("ALTER TABLE chat_notes RENAME TO auth_stolen", "chat may not call something auth_stolen"),
    (
      "CREATE VIRTUAL TABLE chat_s USING dbstat", "chat may not use the virtual table module dbstat"
    ),
    ("DROP TABLE auth_users", "chat may not delete from table sqlite_master"),
    ("COMMIT", "chat may not use COMMIT: a batch is one transaction already"),
    ("PRAGMA foreign_keys = OFF", "chat may not use PRAGMA foreign_keys"),
    ("DELETE FROM auth_users", "chat may not delete from table auth_users, which belongs to auth"),
    ("CREATE TABLE chat_x AS SELECT * FROM auth_users", "chat may not read table auth_users"),
    ("UPDATE sqlite_master SET sql = ''", "table sqlite_master may not be modified"),
  ])
  func `holds in migrations by other ways`(_ sql: String, _ reason: String) async throws {
    try await withOwners { store in
      let error = await migrationFailure(store, sql)
      if !sql.hasPrefix("UPDATE sqlite"), !sql.hasPrefix("DROP TABLE") {
        #expect(error?.code == .forbidden)
        #expect(error?.message.hasPrefix("migration 2 (bad) of chat: \(reason)") == true)
      }
      let users = try await store.read(
        tenant: "app", owner: "auth", statements: [Statement("SELECT id FROM auth_users")])
      #expect(try users.decoded()[0].rows.count == 1)
      #expect(try await store.notes() == [])
    }
  }

  private func migrationFailure(_ store: Store, _ sql: String) async -> StoreError? {
    await failure { () throws(StoreError) in
      try await store.migrate(
        tenant: "app", owner: "chat",
        migrations: [
          Migration(
            version: 1, name: "notes",
            sql: "CREATE TABLE chat_notes (id INTEGER PRIMARY KEY, body TEXT UNIQUE);"),
          Migration(version: 2, name: "bad", sql: sql),
        ])
    }
  }

  @Test(arguments: [
    "WITH recent AS (SELECT * FROM chat_notes) SELECT count(*) FROM recent",
    "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5) SELECT i FROM n",
    "SELECT value FROM json_each('[1, 2]')", "SELECT count(*) FROM json_each('[1, 2]')",
    "SELECT count(*) FROM (SELECT 1 UNION SELECT 2) AS t",
    "INSERT INTO chat_notes (body) VALUES ('x') ON CONFLICT (body) DO UPDATE SET body = 'y' RETURNING *",
    "UPDATE chat_notes SET body = t.value FROM json_each('[\"q\"]') AS t WHERE chat_notes.id = 1",
    "SELECT upper(body), json_object('a', 1), datetime(0, 'unixepoch') FROM chat_notes",
  ])
  func `leaves what is chat's to chat`(_ sql: String) async throws {
    try await withOwners { store in
      _ = try await store.submit(tenant: "app", batch: .chat(sql))
    }
  }

  @Test func `lets FTS5, triggers, views, AUTOINCREMENT and table rebuilds work`() async throws {
    try await withStore { store in
      _ = try await store.migrate(
        tenant: "app", owner: "chat",
        migrations: [
          Migration(
            version: 1, name: "search",
            sql: """
              -- Full-text search over notes.
              CREATE TABLE chat_notes (id INTEGER PRIMARY KEY AUTOINCREMENT, body TEXT UNIQUE);
              CREATE INDEX chat_by_body ON chat_notes (body);
              CREATE VIRTUAL TABLE chat_fts USING fts5 (body, content='chat_notes', content_rowid='id');
              CREATE TRIGGER chat_ai AFTER INSERT ON chat_notes BEGIN
                INSERT INTO chat_fts (rowid, body) VALUES (new.id, new.body);
              END;
              CREATE VIEW chat_view AS SELECT id, body FROM chat_notes;
              """),
          Migration(
            version: 2, name: "rebuild",
            sql: """
              ALTER TABLE chat_notes ADD COLUMN room TEXT DEFAULT 'general';
              ALTER TABLE chat_notes RENAME COLUMN room TO channel;
              CREATE TABLE chat_old (x); INSERT INTO chat_old VALUES (1);
              ALTER TABLE chat_old RENAME TO chat_new;
              DROP TABLE chat_new; REINDEX chat_by_body;
              """),
        ])
      for body in ["hello world", "other words"] { _ = try await store.note(body) }
      let found = "SELECT rowid FROM chat_fts WHERE chat_fts MATCH 'world' ORDER BY rank"
      #expect(try await store.rows(found) == [[.integer(1)]])
      #expect(try await store.rows("SELECT count(*) FROM chat_view") == [[.integer(2)]])
      // Another connection's write must be seen, for which FTS5 asks PRAGMA data_version.
      _ = try await store.note("a new world")
      #expect(try await store.rows(found).count == 2)
      let counters = await failure { () throws(StoreError) in
        try await store.submit(tenant: "app", batch: .chat("DELETE FROM sqlite_sequence"))
      }
      #expect(counters?.code == .forbidden)
      // DROP of everything, shadow tables included.
      _ = try await store.migrate(
        tenant: "fresh", owner: "chat",
        migrations: [
          Migration(
            version: 1, name: "all",
            sql: """
              CREATE VIRTUAL TABLE chat_fts USING fts5 (body); DROP TABLE chat_fts;
              CREATE VIRTUAL TABLE chat_tree USING rtree (id, x0, x1); DROP TABLE chat_tree
              """)
        ])
    }
  }

  @Test func `keeps one owner's cached statement from another`() async throws {
    try await withOwners { store in
      let statement = Statement("SELECT name FROM auth_users")
      _ = try await store.read(tenant: "app", owner: "auth", statements: [statement])
      _ = try await store.submit(
        tenant: "app", batch: Batch(owner: "auth", statements: [statement]))
      for _ in 0..<4 {
        let read = await failure { () throws(StoreError) in
          try await store.read(tenant: "app", owner: "chat", statements: [statement])
        }
        #expect(read?.code == .forbidden)
        let batch = await failure { () throws(StoreError) in
          try await store.submit(
            tenant: "app", batch: Batch(owner: "chat", statements: [statement]))
        }
        #expect(batch?.code == .forbidden)
      }
    }
  }

  @Test func `gives the host its own tables in the control database`() async throws {
    try await withStore { store in
      _ = try await store.migrate(
        tenant: Store.controlTenant, owner: Owner.host,
        migrations: [
          Migration(version: 1, name: "apps", sql: "CREATE TABLE sluice_apps (id TEXT PRIMARY KEY)")
        ])
      _ = try await store.submit(
        tenant: Store.controlTenant,
        batch: Batch(
          owner: Owner.host, statements: [Statement("INSERT INTO sluice_apps VALUES ('a')")]))
      let error = await failure { () throws(StoreError) in
        try await store.read(
          tenant: Store.controlTenant, owner: "chat",
          statements: [Statement("SELECT id FROM sluice_apps")])
      }
      #expect(
        error?.message == "chat may not read table sluice_apps, which belongs to sluice")
      let deletion = await failure { () throws(StoreError) in
        try await store.deleteTenant(Store.controlTenant)
      }
      #expect(deletion?.code == .invalid)
    }
  }
}
