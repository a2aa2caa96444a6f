import Testing

@testable import Store

@Suite struct `The record of a request` {
  private func record(
    _ claim: UInt8, key: String = "key", principal: String = "user:alice"
  ) -> RequestRecord {
    RequestRecord(principal: principal, key: key, fingerprint: [1], claim: [claim])
  }

  private func note(_ body: String, _ record: RequestRecord) -> Batch {
    var batch = Batch.note(body)
    batch.request = record
    return batch
  }

  private func stored(_ store: Store, now: Int64 = 0) async throws -> [[SQLValue]] {
    try await store.read(
      tenant: "app", owner: Owner.host,
      statements: [RequestRecord.reading(principal: "user:alice", key: "key", now: now)]
    ).decoded()[0].rows
  }

  @Test func `is written with the first batch, and those that follow are the same request's`()
    async throws
  {
    try await withStore { store in
      try await store.createNotes()
      _ = try await store.submit(tenant: "app", batch: note("a", record(1)))
      _ = try await store.submit(tenant: "app", batch: note("b", record(1)))
      #expect(try await store.notes() == ["a", "b"])
      #expect(try await stored(store) == [[.blob([1]), .null, .null, .null]])
    }
  }

  @Test func `keeps another attempt from doing it again, alone and in a group`() async throws {
    try await withStore { store in
      try await store.createNotes()
      _ = try await store.submit(tenant: "app", batch: note("a", record(1)))
      let error = await failure { () throws(StoreError) in
        try await store.submit(tenant: "app", batch: note("again", record(2)))
      }
      #expect(error?.code == .repeated)
      let results = try await store.submitTogether([
        note("b", record(3, key: "other")), note("again", record(4)),
        note("c", record(5, principal: "user:bob")), note("again", record(6, key: "other")),
      ])
      #expect(results.map(\.code) == [nil, .repeated, nil, .repeated])
      #expect(try await store.notes() == ["a", "b", "c"])
    }
  }

  @Test func `is not there when its batch failed`() async throws {
    try await withStore { store in
      try await store.createNotes()
      _ = try await store.note("taken")
      let error = await failure { () throws(StoreError) in
        try await store.submit(tenant: "app", batch: note("taken", record(1)))
      }
      #expect(error?.code == .constraint)
      #expect(try await stored(store) == [])
      _ = try await store.submit(tenant: "app", batch: note("a", record(2)))
    }
  }

  @Test func `gets its answer, also when nothing was committed before`() async throws {
    try await withStore { store in
      try await store.createNotes()
      let now = store.options.now()
      for _ in 1...2 {
        let statements = record(1).answered(
          status: 201, contentType: "text/plain", answer: [7], now: now)
        _ = try await store.submit(
          tenant: "app", batch: Batch(owner: Owner.host, statements: statements))
      }
      #expect(
        try await stored(store, now: now) == [
          [.blob([1]), .integer(201), .text("text/plain"), .blob([7])]
        ])
      let other = record(2).answered(status: 200, contentType: "", answer: nil, now: now)
      let error = await failure { () throws(StoreError) in
        try await store.submit(
          tenant: "app", batch: Batch(owner: Owner.host, statements: other))
      }
      #expect(error?.code == .conflict)
    }
  }

  @Test func `ends after a day and is swept a few at a time`() async throws {
    let clock = VirtualClock()
    var options = StoreOptions()
    options.now = { clock.now }
    try await withStore(options) { store in
      try await store.createNotes()
      _ = try await store.submit(tenant: "app", batch: note("a", record(1)))
      for number in 0..<40 {
        _ = try await store.submit(
          tenant: "app", batch: note("\(number)", record(1, key: "old \(number)")))
      }
      clock.advance(seconds: 86_400)
      #expect(try await stored(store, now: clock.now).count == 1)
      clock.advance(seconds: 1)
      #expect(try await stored(store, now: clock.now) == [])
      _ = try await store.submit(tenant: "app", batch: note("after a day", record(2)))
      var left: [Int64] = []
      for number in 0..<4 {
        let statements = record(2, key: "new \(number)").answered(
          status: 200, contentType: "", answer: nil, now: clock.now)
        _ = try await store.submit(
          tenant: "app", batch: Batch(owner: Owner.host, statements: statements))
        let rows = try await store.read(
          tenant: "app", owner: Owner.host,
          statements: [
            Statement(
              "SELECT count(*) FROM sluice_requests WHERE at < :now",
              binds: [Bind("now", .integer(clock.now))])
          ]
        ).decoded()[0].rows
        if case .integer(let count) = rows[0][0] { left.append(count) }
      }
      #expect(left == [24, 8, 0, 0])
    }
  }

  @Test func `has its table in files that were made before there was one`() async throws {
    let directory = TemporaryDirectory()
    try await withStore(in: directory) { store in try await store.createNotes() }
    let file = try DatabaseFile(directory.path + "/tenants/app.sqlite", .writing)
    try file.execute("DROP TABLE sluice_requests")
    try await withStore(in: directory) { store in
      _ = try await store.submit(tenant: "app", batch: note("a", record(1)))
      #expect(try await stored(store).count == 1)
    }
  }
}
