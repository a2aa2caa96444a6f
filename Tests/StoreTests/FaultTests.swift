import CSQLite
import Testing

@testable import Store

@Suite(.serialized) struct `A disk that fails` {
  @Test(arguments: [FaultyDisk.Fault.sync, .write])
  func `has no batch acknowledged, and the store goes on when it works again`(
    _ fault: FaultyDisk.Fault
  ) async throws {
    FaultyDisk.install()
    let directory = TemporaryDirectory()
    try await withStore(in: directory) { store in
      try await store.createNotes(in: "faulty")
      try await store.createNotes(in: "sound")
      _ = try await store.note("before", in: "faulty")
      FaultyDisk.fail(fault)
      let results = try await store.submitTogether(
        [.note("a"), .note("b"), .event("room", id: "1")], in: "faulty")
      #expect(results.map(\.code) == [.io, .io, .io])
      if case .failure(let error) = results[0] {
        #expect(error.message.contains(directory.path + "/tenants/faulty.sqlite"))
        #expect(error.sqliteCode.map { $0 & 0xff } == SQLITE_IOERR)
      }
      _ = try await store.note("untouched", in: "sound")
      FaultyDisk.fail(.none)
      _ = try await store.note("after", in: "faulty")
      #expect(try await store.notes(in: "faulty") == ["before", "after"])
      let reply = try await store.submit(tenant: "faulty", batch: .event("room", id: "2"))
      #expect(reply.events == [EventPosition(sequence: 1, offset: 1)])
    }
  }

  @Test func `and has damaged a file has it opened anew and checked, with no read left waiting`()
    async throws
  {
    FaultyDisk.install()
    try await withStore { store in
      try await store.createNotes(in: "faulty")
      let gate = try await store.hold("faulty")
      let opened = store.counters.filesOpened
      FaultyDisk.fail(.damage)
      try store.submit(tenant: "faulty", batch: .note("a")) {
        #expect($0.code == .corrupted)
        FaultyDisk.fail(.none)
      }
      try await withThrowingTaskGroup(of: Void.self) { group in
        for _ in 0..<20 {
          group.addTask {
            for _ in 0..<50 {
              let notes = try await store.notes(in: "faulty")
              // Nothing is promised of a batch that failed so.
              #expect(notes == [] || notes == ["a"])
            }
          }
        }
        gate.open()
        try await group.waitForAll()
      }
      #expect(store.counters.filesOpened == opened + 1)
    }
  }

  @Test
  func `and gives a reader nonsense has the file closed for writing until it has been checked`()
    async throws
  {
    FaultyDisk.install()
    try await withStore { store in
      try await store.createNotes(in: "faulty")
      _ = try await store.note("before", in: "faulty")
      let gate = try await store.hold("faulty")
      let opened = store.counters.filesOpened
      FaultyDisk.fail(.read)
      let found = await failure { () throws(StoreError) in
        try await store.history(tenant: "faulty", channel: "room", limit: 1)
      }
      FaultyDisk.fail(.none)
      #expect(found?.code == .corrupted)
      #expect(store.counters.filesOpened == opened)
      gate.open()
      // This time the disk has told the truth.
      _ = try await store.note("after", in: "faulty")
      #expect(store.counters.filesOpened == opened + 1)
      #expect(try await store.notes(in: "faulty") == ["before", "after"])
    }
  }
}
