import Testing

@testable import Store

@Suite struct `The outbox` {
  @Test func `gives offsets without gaps per channel and rising sequences, under concurrency`()
    async throws
  {
    let commits = Recorder<CommittedEvents>()
    var options = StoreOptions()
    options.onCommitted = { commits.add($0) }
    try await withStore(options) { store in
      try await store.createNotes()
      let replies = Recorder<(String, EventPosition)>()
      try await withThrowingTaskGroup(of: Void.self) { group in
        for task in 0..<8 {
          group.addTask {
            for number in 0..<50 {
              let channel = "room-\((task + number) % 3)"
              // Every fifth batch fails after others have taken offsets, and takes none.
              if number % 5 == 4 {
                var batch = Batch.event(channel, id: "x", size: 1000)
                batch.statements = [Statement("SELECT 1", guard: .exactly(2))]
                _ = await failure { () throws(StoreError) in
                  try await store.submit(tenant: "app", batch: batch)
                }
              } else {
                let reply = try await store.submit(
                  tenant: "app", batch: .event(channel, id: "\(task)-\(number)", size: 1000))
                replies.add((channel, reply.events[0]))
              }
            }
          }
        }
        try await group.waitForAll()
      }
      let all = replies.all
      #expect(all.count == 320)
      #expect(Set(all.map(\.1.sequence)).count == 320)
      let published = commits.all.flatMap(\.events)
      #expect(published.map(\.sequence) == published.map(\.sequence).sorted())
      #expect(Set(commits.all.map(\.epoch)).count == 1)
      for channel in 0..<3 {
        let name = "room-\(channel)"
        let offsets = all.filter { $0.0 == name }.compactMap(\.1.offset).sorted()
        #expect(offsets == (1...Int64(offsets.count)).map { $0 })
        let page = try await store.history(tenant: "app", channel: name, limit: 1000)
        #expect(page.publications.compactMap(\.offset) == offsets)
        #expect(page.topOffset == offsets.last)
        #expect(published.filter { $0.channel == name }.compactMap(\.offset) == offsets)
        #expect(page.publications == published.filter { $0.channel == name })
      }
    }
  }

  @Test func `keeps what an event was and tells its time by the store's clock`() async throws {
    let clock = VirtualClock()
    let options = StoreOptions(now: { clock.now })
    try await withStore(options) { store in
      let reply = try await store.submit(
        tenant: "app", batch: .event("room", id: "evt_1", data: "{\"a\": 1 }"))
      let page = try await store.history(tenant: "app", channel: "room", limit: 10)
      #expect(
        page.publications == [
          CommittedEvent(
            sequence: 1, channel: "room", offset: 1, type: "chat.message.created", id: "evt_1",
            timeMilliseconds: clock.now, data: Array("{\"a\": 1 }".utf8))
        ])
      #expect(page.epoch == reply.epoch)
      #expect(reply.epoch.utf8.count == 8)
      try reply.rows.bytes.withUnsafeBytes { bytes in
        var reader = try RowBlockReader(bytes)
        let tail = try reader.finish()
        #expect(tail?.events == reply.events)
        #expect(tail?.epoch == reply.epoch)
      }
    }
  }

  @Test func `lets an event take the place of earlier ones in its channel's history`() async throws
  {
    try await withStore { store in
      let said = [
        #"{"id":"a","text":"one"}"#, #"{"id":"b","text":"about a"}"#,
        #"{ "text": "x", "id" : "a" }"#,
        #"{"id":"\u0061"}"#, #"{"id":["a"]}"#, #"{"of":{"id":"a"}}"#, #"["a"]"#, #""a""#, "a", "",
      ]
      for (number, data) in said.enumerated() {
        _ = try await store.submit(
          tenant: "app", batch: .event("room", id: "evt_\(number)", data: data))
      }
      _ = try await store.submit(tenant: "app", batch: .event("other", id: "evt_x", data: said[0]))
      _ = try await store.submit(
        tenant: "app", batch: .event(nil, id: "evt_y", data: said[0]))
      let before = try await store.history(tenant: "app", channel: "room", limit: 100)
      let gone = Array(#"{"id":"a"}"#.utf8)
      let reply = try await store.submit(
        tenant: "app",
        batch: Batch(
          owner: "chat", statements: [],
          events: [
            OutboxEvent(
              type: "chat.message.deleted", channel: "room", data: gone, id: "evt_z",
              historySize: 100, replaced: "a")
          ]))
      #expect(reply.events[0].offset == 11)
      let after = try await store.history(tenant: "app", channel: "room", limit: 100).publications
      for (index, event) in after.enumerated() {
        let isGone = [0, 2, 3, 10].contains(index)
        #expect(event.type == (isGone ? "chat.message.deleted" : "chat.message.created"))
        #expect(event.data == (isGone ? gone : Array(said[index].utf8)), "\(index)")
        guard index < before.publications.count else { continue }
        let former = before.publications[index]
        #expect(event.sequence == former.sequence && event.offset == former.offset)
        #expect(event.id == former.id && event.timeMilliseconds == former.timeMilliseconds)
      }
      // A listener that comes late hears what is there now; elsewhere it is as it was.
      let heard = try await store.eventsAfter(tenant: "app", sequence: 0, limit: 100)
      #expect(heard.filter { $0.channel == "room" } == after)
      #expect(heard.filter { $0.channel != "room" }.allSatisfy { $0.data == Array(said[0].utf8) })
    }
  }

  @Test func `takes nobody's place when its batch fails, or without a channel and an id`()
    async throws
  {
    try await withStore { store in
      _ = try await store.submit(
        tenant: "app", batch: .event("room", id: "evt_1", data: #"{"id":"a"}"#))
      func replacing(_ id: String, in channel: String?, failing: Bool) -> Batch {
        Batch(
          owner: "chat",
          statements: failing ? [Statement("SELECT 1", guard: .exactly(2))] : [],
          events: [
            OutboxEvent(
              type: "chat.message.deleted", channel: channel, data: Array("{}".utf8), id: "evt_2",
              historySize: 100, replaced: id)
          ])
      }
      for (batch, code) in [
        (replacing("a", in: "room", failing: true), StoreError.Code.conflict),
        (replacing("a", in: nil, failing: false), .invalid),
        (replacing("", in: "room", failing: false), .invalid),
        (replacing(String(repeating: "a", count: 256), in: "room", failing: false), .invalid),
      ] {
        let error = await failure { () throws(StoreError) in
          try await store.submit(tenant: "app", batch: batch)
        }
        #expect(error?.code == code)
      }
      let page = try await store.history(tenant: "app", channel: "room", limit: 100)
      #expect(page.publications.map(\.type) == ["chat.message.created"])
    }
  }

  @Test func `gives no offset to events without history`() async throws {
    try await withStore { store in
      let silent = try await store.submit(tenant: "app", batch: .event(nil, id: "1"))
      let ephemeral = try await store.submit(tenant: "app", batch: .event("room", id: "2", size: 0))
      let durable = try await store.submit(tenant: "app", batch: .event("room", id: "3"))
      #expect(silent.events == [EventPosition(sequence: 1, offset: nil)])
      #expect(ephemeral.events == [EventPosition(sequence: 2, offset: nil)])
      #expect(durable.events == [EventPosition(sequence: 3, offset: 1)])
      let page = try await store.history(tenant: "app", channel: "room", limit: 10)
      #expect(page.publications.map(\.id) == ["3"])
      let events = try await store.eventsAfter(tenant: "app", sequence: 0, limit: 10)
      #expect(events.map(\.id) == ["1", "2", "3"])
      #expect(events.map(\.channel) == [nil, "room", "room"])
    }
  }

  @Test func `does not publish the events of a batch that failed`() async throws {
    let commits = Recorder<CommittedEvents>()
    var options = StoreOptions()
    options.onCommitted = { commits.add($0) }
    try await withStore(options) { store in
      try await store.createNotes()
      func event(_ id: String) -> OutboxEvent { Batch.event("room", id: id).events[0] }
      let results = try await store.submitTogether([
        .note("a", events: [event("1")]), .note("a", events: [event("2")]),
        .note("b", events: [event("3")]),
      ])
      #expect(results.map(\.code) == [nil, .constraint, nil])
      #expect(commits.all.count == 1)
      #expect(commits.all[0].events.map(\.id) == ["1", "3"])
      #expect(commits.all[0].events.map(\.offset) == [1, 2])
      let rolledBack = try await store.submitTogether([
        .note("c", events: [event("4")]),
        .chat("INSERT OR ROLLBACK INTO chat_notes (body) VALUES ('a')"),
      ])
      #expect(rolledBack.map(\.code) == [nil, .constraint])
      #expect(commits.all.flatMap(\.events).map(\.id) == ["1", "3", "4"])
      #expect(commits.all.flatMap(\.events).map(\.offset) == [1, 2, 3])
    }
  }

  @Test func `shows a history of its size at once and drops the rest soon`() async throws {
    try await withStore { store in
      for number in 1...300 {
        _ = try await store.submit(tenant: "app", batch: .event("room", id: "\(number)", size: 10))
        let page = try await store.history(tenant: "app", channel: "room", limit: 100)
        #expect(page.publications.count == min(number, 10))
        #expect(page.topOffset == Int64(number))
      }
      // As many dead rows as there are alive, and what comes between two steps, at most.
      let rows = try await store.eventsAfter(tenant: "app", sequence: 0, limit: 1000)
      #expect(rows.count < 2 * 10 + 2 * SQLiteTenantFile.eventsBetweenSweeps)
    }
  }

  @Test func `drops events whose time is over, but never reuses a sequence`() async throws {
    let clock = VirtualClock()
    let options = StoreOptions(now: { clock.now })
    try await withStore(options) { store in
      try await store.emit(1...64, to: "old", ttl: 60)
      clock.advance(seconds: 60)
      let page = try await store.history(tenant: "app", channel: "old", limit: 100)
      #expect(page.publications == [])
      #expect(page.topOffset == 64)
      #expect(!page.continues(from: 10))
      #expect(page.continues(from: 64))
      try await store.emit(65...256, to: nil)
      let left = try await store.eventsAfter(tenant: "app", sequence: 0, limit: 1000)
      #expect(left.allSatisfy { $0.channel == nil })
      #expect(left.last?.sequence == 256)
      let next = try await store.submit(tenant: "app", batch: .event("old", id: "z"))
      #expect(next.events == [EventPosition(sequence: 257, offset: 65)])
    }
  }

  @Test func `keeps every event that a listener has not dealt with`() async throws {
    try await withStore { store in
      _ = try await store.registerListener(tenant: "app", listener: "slow")
      try await store.emit(1...200, to: "room", size: 1)
      var events = try await store.eventsAfter(tenant: "app", sequence: 0, limit: 1000)
      #expect(events.count == 200)
      _ = try await store.submit(
        tenant: "app",
        batch: Batch(
          owner: "chat", statements: [], advance: CursorAdvance(listener: "slow", sequence: 150)))
      try await store.emit(201...600, to: "room", size: 1)
      events = try await store.eventsAfter(tenant: "app", sequence: 0, limit: 1000)
      #expect(events.first?.sequence == 151)
      #expect(events.count == 450)
      try await store.removeListener(tenant: "app", listener: "slow")
      try await store.emit(601...1400, to: "room", size: 1)
      events = try await store.eventsAfter(tenant: "app", sequence: 0, limit: 1000)
      #expect(events.count < 100)
    }
  }
}

@Suite struct History {
  private func withTen(_ body: (Store) async throws -> Void) async throws {
    try await withStore { store in
      for number in 1...10 {
        _ = try await store.submit(tenant: "app", batch: .event("room", id: "\(number)", size: 8))
      }
      try await body(store)
    }
  }

  @Test(
    arguments: [
      (nil, 100, false, [3, 4, 5, 6, 7, 8, 9, 10], false),
      (5, 100, false, [6, 7, 8, 9, 10], false),
      (5, 2, false, [6, 7], true), (10, 5, false, [], false), (99, 5, false, [], false),
      (0, 0, false, [], true), (nil, 3, true, [10, 9, 8], true), (5, 100, true, [4, 3], false),
      (1, 5, true, [], false),
    ] as [(Int64?, Int, Bool, [Int64], Bool)])
  func `is read from a place, up to a limit, either way`(
    _ since: Int64?, _ limit: Int, _ reverse: Bool, _ offsets: [Int64], _ isTruncated: Bool
  ) async throws {
    try await withTen { store in
      let page = try await store.history(
        tenant: "app", channel: "room", since: since, limit: limit, reverse: reverse)
      #expect(page.publications.compactMap(\.offset) == offsets)
      #expect(page.topOffset == 10)
      #expect(page.isTruncated == isTruncated)
    }
  }

  @Test func `says whether a client can go on from an offset`() async throws {
    try await withTen { store in
      for (since, can) in [(0, false), (1, false), (2, true), (9, true), (10, true), (11, false)] {
        let page = try await store.history(
          tenant: "app", channel: "room", since: Int64(since), limit: 100)
        #expect(page.continues(from: Int64(since)) == can, "since \(since)")
      }
      let part = try await store.history(tenant: "app", channel: "room", since: 4, limit: 2)
      #expect(part.continues(from: 4))
      #expect(!part.continues(from: 3))
    }
  }

  @Test func `of an unknown channel is empty, and limits are checked`() async throws {
    try await withTen { store in
      let page = try await store.history(tenant: "app", channel: "nowhere", limit: 10)
      #expect(page.publications.isEmpty && page.topOffset == 0 && !page.isTruncated)
      #expect(page.continues(from: 0))
      for limit in [-1, 1_000_001] {
        let error = await failure { () throws(StoreError) in
          try await store.history(tenant: "app", channel: "room", limit: limit)
        }
        #expect(error?.code == .invalid)
      }
    }
  }

  @Test func `ends a page at the bound on bytes, with at least one event`() async throws {
    var options = StoreOptions()
    options.maximumResultBytes = 3_000
    try await withStore(options) { store in
      for number in 1...5 {
        _ = try await store.submit(
          tenant: "app",
          batch: .event(
            "room", id: "\(number)", data: "\"" + String(repeating: "x", count: 1_400) + "\""))
      }
      let page = try await store.history(tenant: "app", channel: "room", limit: 10)
      #expect(page.publications.count == 2)
      #expect(page.isTruncated)
      let events = try await store.eventsAfter(tenant: "app", sequence: 0, limit: 10)
      #expect(events.count == 2)
    }
  }
}

@Suite struct `A listener's cursor` {
  private func advance(_ sequence: Int64) -> Batch {
    Batch(
      owner: "chat",
      statements: [
        Statement(
          "INSERT INTO chat_notes (body) VALUES (:b)", binds: [Bind("b", .text("\(sequence)"))])
      ], advance: CursorAdvance(listener: "webhooks", sequence: sequence))
  }

  @Test func `starts at the last event and is made once`() async throws {
    try await withStore { store in
      #expect(try await store.cursor(tenant: "app", listener: "webhooks") == nil)
      #expect(try await store.registerListener(tenant: "app", listener: "first") == 0)
      for id in ["1", "2"] {
        _ = try await store.submit(tenant: "app", batch: .event("room", id: id))
      }
      #expect(try await store.registerListener(tenant: "app", listener: "webhooks") == 2)
      _ = try await store.submit(tenant: "app", batch: .event("room", id: "3"))
      #expect(try await store.registerListener(tenant: "app", listener: "webhooks") == 2)
      #expect(try await store.cursor(tenant: "app", listener: "webhooks") == 2)
      try await store.removeListener(tenant: "app", listener: "webhooks")
      #expect(try await store.cursor(tenant: "app", listener: "webhooks") == nil)
    }
  }

  @Test func `moves with the effects and only forward, so that they happen once`() async throws {
    try await withStore { store in
      try await store.createNotes()
      #expect(try await store.registerListener(tenant: "app", listener: "webhooks") == 0)
      for id in 1...5 {
        _ = try await store.submit(tenant: "app", batch: .event("room", id: "\(id)"))
      }
      _ = try await store.submit(tenant: "app", batch: advance(3))
      for (sequence, code) in [
        (3, StoreError.Code.conflict), (2, .conflict), (6, .invalid), (.max, .invalid),
      ] as [(Int64, StoreError.Code)] {
        let error = await failure { () throws(StoreError) in
          try await store.submit(tenant: "app", batch: advance(sequence))
        }
        #expect(error?.code == code)
      }
      _ = try await store.submit(tenant: "app", batch: advance(5))
      #expect(try await store.notes() == ["3", "5"])
      #expect(try await store.cursor(tenant: "app", listener: "webhooks") == 5)
    }
  }

  @Test func `is not made by moving it, so that one that is dropped stays dropped`() async throws {
    try await withStore { store in
      try await store.createNotes()
      _ = try await store.registerListener(tenant: "app", listener: "webhooks")
      for id in 1...2 {
        _ = try await store.submit(tenant: "app", batch: .event("room", id: "\(id)"))
      }
      try await store.removeListener(tenant: "app", listener: "webhooks")
      let error = await failure { () throws(StoreError) in
        try await store.submit(tenant: "app", batch: advance(2))
      }
      #expect(error?.code == .conflict)
      #expect(try await store.notes() == [])
      #expect(try await store.cursor(tenant: "app", listener: "webhooks") == nil)
    }
  }
}
