import Testing

@testable import Store

@Suite struct `Group commit` {
  @Test func `makes one transaction of what waits`() async throws {
    try await withStore { store in
      try await store.createNotes()
      let before = store.counters
      let results = try await store.submitTogether((0..<100).map { .note("\($0)") })
      let after = store.counters
      #expect(results.allSatisfy { $0.code == nil })
      #expect(after.batchesCommitted - before.batchesCommitted == 100)
      #expect(after.commits - before.commits == 1)
      #expect(try await store.notes() == (0..<100).map(String.init))
    }
  }

  @Test func `is bounded in batches and in bytes`() async throws {
    var options = StoreOptions()
    options.maximumGroupBatches = 10
    try await withStore(options) { store in
      try await store.createNotes()
      let before = store.counters.commits
      _ = try await store.submitTogether((0..<100).map { .note("\($0)") })
      #expect(store.counters.commits - before == 10)
    }
    options = StoreOptions()
    options.maximumGroupBytes = 10_000
    try await withStore(options) { store in
      try await store.createNotes()
      let before = store.counters.commits
      let large = String(repeating: "x", count: 9_000)
      _ = try await store.submitTogether((0..<10).map { .note("\($0)" + large) })
      #expect(store.counters.commits - before == 10)
    }
  }

  @Test func `undoes a member that fails and keeps the others`() async throws {
    try await withStore { store in
      try await store.createNotes()
      let before = store.counters
      let results = try await store.submitTogether([
        .note("a"), .note("a"), .note("b"),
        .chat("INSERT INTO chat_notes (body) VALUES ('half')", "SELEKT"), .note("c"),
      ])
      #expect(results.map(\.code) == [nil, .constraint, nil, .sql, nil])
      #expect(try await store.notes() == ["a", "b", "c"])
      #expect(store.counters.commits - before.commits == 1)
      #expect(store.counters.groupsRetried == before.groupsRetried)
    }
  }

  @Test(arguments: [
    "INSERT OR ROLLBACK INTO chat_notes (body) VALUES ('a')",
    "INSERT INTO chat_bombs VALUES (1)",
  ])
  func `tries each member alone when one rolls everything back`(_ bomb: String) async throws {
    try await withStore { store in
      _ = try await store.migrate(
        tenant: "app", owner: "chat",
        migrations: [
          Migration(
            version: 1, name: "notes",
            sql: """
              CREATE TABLE chat_notes (id INTEGER PRIMARY KEY, body TEXT UNIQUE);
              CREATE TABLE chat_bombs (x);
              CREATE TRIGGER chat_bomb AFTER INSERT ON chat_bombs
                BEGIN SELECT raise(ROLLBACK, 'boom'); END;
              """)
        ])
      let before = store.counters
      let results = try await store.submitTogether([.note("a"), .chat(bomb), .note("b")])
      #expect(results.map(\.code) == [nil, .constraint, nil])
      #expect(store.counters.groupsRetried - before.groupsRetried == 1)
      #expect(store.counters.commits - before.commits == 2)
      #expect(try await store.notes() == ["a", "b"])
    }
  }

  @Test func `fails only the member that leaves a deferred foreign key open`() async throws {
    try await withStore { store in
      _ = try await store.migrate(
        tenant: "app", owner: "chat",
        migrations: [
          Migration(
            version: 1, name: "rooms",
            sql: """
              CREATE TABLE chat_rooms (id INTEGER PRIMARY KEY);
              CREATE TABLE chat_notes (
                id INTEGER PRIMARY KEY,
                room INTEGER REFERENCES chat_rooms (id) DEFERRABLE INITIALLY DEFERRED);
              """)
        ])
      let orphan = Batch.chat("INSERT INTO chat_notes (room) VALUES (7)")
      let late = Batch.chat(
        "INSERT INTO chat_notes (room) VALUES (8)", "INSERT INTO chat_rooms VALUES (8)")
      let parent = Batch.chat("INSERT INTO chat_rooms VALUES (7)")
      let together = try await store.submitTogether([orphan, late, parent])
      #expect(together.map(\.code) == [.constraint, nil, nil])
      let alone = await failure { () throws(StoreError) in
        try await store.submit(
          tenant: "app", batch: .chat("INSERT INTO chat_notes (room) VALUES (9)"))
      }
      #expect(alone?.code == .constraint)
      #expect(alone?.sqliteCode == 787)
      #expect(try await store.rows("SELECT room FROM chat_notes") == [[.integer(8)]])
    }
  }

  @Test func `serves other tenants between two groups of a busy one`() async throws {
    var options = StoreOptions()
    options.writerThreads = 1
    options.maximumGroupBatches = 10
    try await withStore(options) { store in
      try await store.createNotes(in: "busy")
      try await store.createNotes(in: "calm")
      let order = Recorder<String>()
      let gate = try await store.hold("busy")
      for number in 0..<30 {
        try store.submit(tenant: "busy", batch: .note("\(number)")) { _ in order.add("busy") }
      }
      try store.submit(tenant: "calm", batch: .note("one")) { _ in order.add("calm") }
      gate.open()
      _ = try await store.note("last", in: "busy")
      let place = try #require(order.all.firstIndex(of: "calm"))
      #expect(place == 10)
    }
  }

  @Test func `gives completions in order and events before them`() async throws {
    let notes = Recorder<String>()
    var options = StoreOptions()
    options.onCommitted = { committed in
      for event in committed.events { notes.add("event \(event.id)") }
    }
    try await withStore(options) { store in
      let gate = try await store.hold()
      for id in ["1", "2"] {
        try store.submit(tenant: "app", batch: .event("room", id: id)) { _ in
          notes.add("done \(id)")
        }
      }
      gate.open()
      _ = try await store.open(tenant: "app")
      #expect(notes.all == ["event 1", "event 2", "done 1", "done 2"])
    }
  }
}
