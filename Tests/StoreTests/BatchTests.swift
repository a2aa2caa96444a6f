import Testing

@testable import Store

@Suite struct `A batch` {
  @Test func `commits its rows and answers what it changed and returned`() async throws {
    try await withStore { store in
      try await store.createNotes()
      let reply = try await store.submit(
        tenant: "app",
        batch: .chat(
          "INSERT INTO chat_notes (body) VALUES ('a'), ('b')",
          "INSERT INTO chat_notes (body) VALUES ('c') RETURNING id, body",
          "UPDATE chat_notes SET body = body || '!' WHERE id <= 2"))
      let results = try reply.rows.decoded()
      #expect(results.map(\.rowsChanged) == [2, 1, 2])
      #expect(results[1].columns == ["id", "body"])
      #expect(results[1].rows == [[.integer(3), .text("c")]])
      #expect(try await store.notes() == ["a!", "b!", "c"])
    }
  }

  @Test func `stores every kind of value unchanged`() async throws {
    let values: [SQLValue] = [
      .null, .integer(.min), .integer(.max), .real(-0.5), .text(""), .text("grüße\u{0}🙂"),
      .blob([]), .blob([0, 255, 1]),
    ]
    try await withStore { store in
      for value in values {
        let rows = try await store.rows(
          "SELECT :v, typeof(:v)", [Bind("v", .value(value))])
        #expect(rows[0][0] == value)
      }
    }
  }

  @Test(arguments: [
    (Statement.Guard.exactly(2), true), (.exactly(1), false), (.exactly(3), false),
    (.atLeast(2), true), (.atLeast(3), false), (.none, true),
  ])
  func `is rolled back as a whole when a guard does not hold`(
    _ guardOf: Statement.Guard, _ holds: Bool
  ) async throws {
    try await withStore { store in
      try await store.createNotes()
      _ = try await store.submit(
        tenant: "app", batch: .chat("INSERT INTO chat_notes (body) VALUES ('a'), ('b')"))
      for sql in ["UPDATE chat_notes SET body = body || 'x'", "SELECT id FROM chat_notes"] {
        let batch = Batch(
          owner: "chat",
          statements: [
            Statement("DELETE FROM chat_notes WHERE body LIKE 'z%'"),
            Statement(sql, guard: guardOf),
          ])
        if holds {
          _ = try await store.submit(tenant: "app", batch: batch)
        } else {
          let error = await failure { () throws(StoreError) in
            try await store.submit(tenant: "app", batch: batch)
          }
          #expect(error?.code == .conflict)
          #expect(error?.statement == 1)
        }
      }
      #expect(try await store.notes() == (holds ? ["ax", "bx"] : ["a", "b"]))
    }
  }

  @Test func `uses columns that an earlier statement returned`() async throws {
    try await withStore { store in
      try await store.createNotes()
      func batch(_ first: String, _ reference: Bind.Value) -> Batch {
        Batch(
          owner: "chat",
          statements: [
            Statement(first),
            Statement(
              "INSERT INTO chat_notes (id, body) VALUES (:id + 100, 'child')",
              binds: [Bind("id", reference)]),
          ])
      }
      let insert = "INSERT INTO chat_notes (body) VALUES ('parent') RETURNING id"
      _ = try await store.submit(
        tenant: "app", batch: batch(insert, .reference(statement: 0, column: "id")))
      #expect(
        try await store.rows("SELECT id FROM chat_notes") == [[.integer(1)], [.integer(101)]])

      let again =
        "INSERT INTO chat_notes (body) VALUES ('parent') ON CONFLICT DO NOTHING RETURNING id"
      for (sql, reference, code) in [
        (again, Bind.Value.reference(statement: 0, column: "id"), StoreError.Code.conflict),
        ("SELECT 1 AS id", .reference(statement: 0, column: "nothing"), .invalid),
        ("SELECT 1 AS id", .reference(statement: 1, column: "id"), .invalid),
        ("SELECT 1 AS id", .reference(statement: -1, column: "id"), .invalid),
      ] {
        let error = await failure { () throws(StoreError) in
          try await store.submit(tenant: "app", batch: batch(sql, reference))
        }
        #expect(error?.code == code)
        #expect(error?.statement == 1)
      }
      #expect(try await store.notes().count == 2)
    }
  }

  @Test(arguments: [
    ("SELECT :a", ["a", "b"], "there is no parameter :b"),
    ("SELECT :a, :b", ["a"], "no bind for the parameter :b"),
    ("SELECT :a, :b", ["b", "b"], "no bind for the parameter :a"),
    ("SELECT :a", ["a", "a"], "two binds for the parameter :a"),
    ("SELECT ?", ["a"], "parameter ? must be written as :name"),
    ("SELECT ?1", ["a"], "parameter ?1 must be written as :name"),
    ("SELECT @a", ["a"], "parameter @a must be written as :name"),
    ("SELECT 1; SELECT 2", [], "more than one statement in one text"),
    ("SELECT 1 /* ; */; -- done\n SELECT 2", [], "more than one statement in one text"),
    ("", [], "the statement is empty"),
    (" /**/ ; -- nothing", [], "the statement is empty"),
    ("SELECT 1\u{0}, 2", [], "the SQL contains a NUL byte"),
  ])
  func `refuses malformed statements and binds in words`(
    _ sql: String, _ names: [String], _ reason: String
  ) async throws {
    try await withStore { store in
      let statement = Statement(sql, binds: names.map { Bind($0, .integer(1)) })
      let error = await failure { () throws(StoreError) in
        try await store.submit(
          tenant: "app",
          batch: Batch(owner: "chat", statements: [Statement("SELECT 1"), statement]))
      }
      #expect(error?.code == .invalid)
      #expect(error?.message == reason)
      #expect(error?.statement == 1)
    }
  }

  @Test(arguments: [
    "SELECT 1;", "SELECT 1 ; ; -- a comment", "SELECT 1; /* and * more **/ ;\t",
    "SELECT 1; /* open",
  ])
  func `allows one statement with spaces and comments after it`(_ sql: String) async throws {
    try await withStore { store async throws in
      #expect(try await store.rows(sql) == [[.integer(1)]])
    }
  }

  @Test func `names the statement, SQLite's code and the text of SQL that fails`() async throws {
    try await withStore { store in
      try await store.createNotes()
      _ = try await store.note("a")
      let unique = await failure { () throws(StoreError) in try await store.note("a") }
      #expect(unique?.code == .constraint)
      #expect(unique?.sqliteCode == 2067)
      #expect(unique?.message == "UNIQUE constraint failed: chat_notes.body")
      let syntax = await failure { () throws(StoreError) in
        try await store.submit(tenant: "app", batch: .chat("SELECT 1", "SELEKT 2"))
      }
      #expect(syntax?.code == .sql)
      #expect(syntax?.statement == 1)
      #expect(syntax?.sql == "SELEKT 2")
      #expect(syntax?.message.contains("SELEKT") == true)
      let misspelt = await failure { () throws(StoreError) in
        try await store.submit(
          tenant: "app", batch: .chat("SELECT id FROM chat_notes WHERE \"bodi\" = 'a'"))
      }
      #expect(misspelt?.message == "no such column: bodi")
    }
  }

  @Test func `is refused at the door when its names or counts are wrong`() async throws {
    try await withStore { store in
      let fine = Statement("SELECT 1")
      let event = OutboxEvent(type: "a", channel: "c", data: [], id: "1")
      func changed(_ change: (inout OutboxEvent) -> Void) -> Batch {
        var copy = event
        change(&copy)
        return Batch(owner: "chat", statements: [], events: [copy])
      }
      let refused: [(String, Batch)] = [
        ("App", Batch(owner: "chat", statements: [])), ("", Batch(owner: "chat", statements: [])),
        ("../x", Batch(owner: "chat", statements: [])),
        (String(repeating: "a", count: 65), Batch(owner: "chat", statements: [])),
        ("app", Batch(owner: "", statements: [])), ("app", Batch(owner: "Chat", statements: [])),
        ("app", Batch(owner: "1chat", statements: [])),
        ("app", Batch(owner: "hello-c", statements: [])),
        ("app", Batch(owner: "chat", statements: Array(repeating: fine, count: 257))),
        ("app", Batch(owner: "chat", statements: [], events: Array(repeating: event, count: 257))),
        ("app", changed { $0.type = "" }), ("app", changed { $0.id = "" }),
        ("app", changed { $0.channel = "" }), ("app", changed { $0.historySize = -1 }),
        ("app", changed { $0.historyTTLSeconds = -1 }),
        (
          "app",
          Batch(
            owner: "chat", statements: [], advance: CursorAdvance(listener: "", sequence: 1))
        ),
        (
          "app",
          Batch(
            owner: "chat", statements: [], advance: CursorAdvance(listener: "x", sequence: 0))
        ),
      ]
      for (tenant, batch) in refused {
        #expect(throws: StoreError.self) {
          try store.submit(tenant: tenant, batch: batch) { _ in
            Issue.record("a refused request must not be answered as well")
          }
        }
      }
      var options = StoreOptions()
      options.maximumBatchBytes = 1000
      try await withStore(options) { small in
        let error = await failure { () throws(StoreError) in
          try await small.note(String(repeating: "x", count: 2000))
        }
        #expect(error?.code == .tooLarge)
      }
    }
  }

  @Test func `ends at the bound on its result and at its time limit, leaving nothing`() async throws
  {
    var options = StoreOptions()
    options.maximumResultBytes = 10_000
    options.timeoutMilliseconds = 100
    try await withStore(options) { store in
      try await store.createNotes()
      let large = await failure { () throws(StoreError) in
        try await store.submit(
          tenant: "app",
          batch: .chat(
            "INSERT INTO chat_notes (body) VALUES ('x')",
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 5000) SELECT i FROM n"
          ))
      }
      #expect(large?.code == .tooLarge)
      let endless =
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
      let slow = await failure { () throws(StoreError) in
        try await store.submit(
          tenant: "app", batch: .chat("INSERT INTO chat_notes (body) VALUES ('y')", endless))
      }
      #expect(slow?.code == .deadline)
      let read = await failure { () throws(StoreError) in
        try await store.read(tenant: "app", owner: "chat", statements: [Statement(endless)])
      }
      #expect(read?.code == .deadline)
      #expect(try await store.notes() == [])
      _ = try await store.note("still alive")
    }
  }

  @Test func `recompiles few statements and forgets the least used`() async throws {
    var options = StoreOptions()
    options.cachedStatements = 2
    try await withStore(options) { store in
      for round in 0..<3 {
        for number in 0..<5 {
          let rows = try await store.rows(
            "SELECT \(number), :r", [Bind("r", .integer(Int64(round)))])
          #expect(rows == [[.integer(Int64(number)), .integer(Int64(round))]])
        }
      }
    }
  }
}

@Suite struct `A read` {
  @Test func `may not change anything`() async throws {
    try await withStore { store in
      try await store.createNotes()
      let error = await failure { () throws(StoreError) in
        try await store.read(
          tenant: "app", owner: "chat",
          statements: [Statement("INSERT INTO chat_notes (body) VALUES ('a') RETURNING id")])
      }
      #expect(error?.code == .forbidden)
      #expect(try await store.notes() == [])
    }
  }

  @Test func `sees every write whose completion came before`() async throws {
    try await withStore { store in
      try await store.createNotes()
      try await withThrowingTaskGroup(of: Void.self) { group in
        for task in 0..<8 {
          group.addTask {
            for number in 0..<50 {
              let body = "\(task)-\(number)"
              _ = try await store.note(body)
              let rows = try await store.rows(
                "SELECT count(*) FROM chat_notes WHERE body = :b", [Bind("b", .text(body))])
              #expect(rows == [[.integer(1)]])
            }
          }
        }
        try await group.waitForAll()
      }
    }
  }

  @Test func `of several statements sees one snapshot`() async throws {
    try await withStore { store in
      try await store.createNotes()
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { for number in 0..<300 { _ = try await store.note("\(number)") } }
        for _ in 0..<4 {
          group.addTask {
            for _ in 0..<50 {
              let count = Statement("SELECT count(*) FROM chat_notes")
              let counts = try await store.read(
                tenant: "app", owner: "chat", statements: [count, count, count]
              ).decoded().map(\.rows)
              #expect(counts[0] == counts[1] && counts[1] == counts[2])
            }
          }
        }
        try await group.waitForAll()
      }
    }
  }

  @Test func `may come before the first write`() async throws {
    try await withStore { store async throws in
      #expect(try await store.rows("SELECT 1") == [[.integer(1)]])
      #expect(try await store.cursor(tenant: "other", listener: "x") == nil)
    }
  }
}
