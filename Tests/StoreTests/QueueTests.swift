import Testing

@testable import Store

@Suite struct Queues {
  @Test func `are bounded in batches, in bytes and in reads`() async throws {
    var options = StoreOptions()
    options.maximumQueuedBatches = 3
    try await withStore(options) { store in
      let gate = try await store.hold()
      let done = Gate()
      for number in 0..<3 {
        try store.submit(tenant: "app", batch: .chat("SELECT 1")) { _ in
          if number == 2 { done.open() }
        }
      }
      let error = await failure { () throws(StoreError) in
        try await store.submit(tenant: "app", batch: .chat("SELECT 1"))
      }
      #expect(error?.code == .overloaded)
      // Another tenant has a queue of its own.
      try store.submit(tenant: "other", batch: .chat("SELECT 1")) { _ in }
      gate.open()
      await done.passed()
      #expect(store.counters.overloads == 1)
      _ = try await store.submit(tenant: "app", batch: .chat("SELECT 1"))
    }

    options = StoreOptions()
    options.maximumQueuedBytes = 10_000
    try await withStore(options) { store in
      let gate = try await store.hold()
      let large = Batch(
        owner: "chat",
        statements: [
          Statement("SELECT :b", binds: [Bind("b", .blob([UInt8](repeating: 0, count: 6_000)))])
        ])
      try store.submit(tenant: "app", batch: large) { _ in }
      let error = await failure { () throws(StoreError) in
        try await store.submit(tenant: "app", batch: large)
      }
      #expect(error?.code == .overloaded)
      gate.open()
      _ = try await store.open(tenant: "app")
      _ = try await store.submit(tenant: "app", batch: large)
    }

    options = StoreOptions()
    options.maximumQueuedReads = 2
    options.readerThreads = 1
    try await withStore(options) { store in
      _ = try await store.open(tenant: "app")
      let gate = Gate()
      await withCheckedContinuation { continuation in
        do {
          try store.cursor(tenant: "app", listener: "x") { _ in
            continuation.resume()
            gate.wait()
          }
        } catch {
          Issue.record(error)
        }
      }
      for _ in 0..<2 { try store.cursor(tenant: "app", listener: "x") { _ in } }
      let error = await failure { () throws(StoreError) in
        try await store.cursor(tenant: "app", listener: "x")
      }
      #expect(error?.code == .overloaded)
      gate.open()
    }
  }

  @Test func `are worked off when the store is closed, and then refuse`() async throws {
    let directory = TemporaryDirectory()
    let store = try Store(directory: directory.path)
    try await store.createNotes()
    let gate = try await store.hold()
    let results = Recorder<StoreError.Code?>()
    for number in 0..<50 {
      try store.submit(tenant: "app", batch: .note("\(number)")) { results.add($0.code) }
      // One that must open its file first, when the closing has begun.
      try store.read(tenant: "t\(number)", owner: "chat", statements: [Statement("SELECT 1")]) {
        results.add($0.code)
      }
    }
    gate.open()
    store.close()
    #expect(results.all.count == 100)
    #expect(results.all.allSatisfy { $0 == nil })
    for refuse in [
      { try store.submit(tenant: "app", batch: .note("late")) { _ in } },
      { try store.cursor(tenant: "app", listener: "x") { _ in } },
      { try store.deleteTenant("app") { _ in } },
    ] as [() throws -> Void] {
      #expect(throws: StoreError.storeClosed) { try refuse() }
    }
    store.close()
    try await withStore(in: directory) { again async throws in
      #expect(try await again.notes().count == 50)
    }
  }

  @Test func `are worked off in the background when the store is only let go`() async throws {
    let directory = TemporaryDirectory()
    var store: Store? = try Store(directory: directory.path)
    try await store?.createNotes()
    let done = Gate()
    for number in 0..<10 {
      try store?.submit(tenant: "app", batch: .note("\(number)")) { result in
        #expect(result.code == nil)
        if number == 9 { done.open() }
      }
    }
    store = nil
    await done.passed()
    #expect(try await hasClosed("app.sqlite", in: directory))
  }

  @Test func `may be closed from a completion`() async throws {
    let directory = TemporaryDirectory()
    let store = try Store(directory: directory.path)
    await withCheckedContinuation { continuation in
      do {
        try store.cursor(tenant: "app", listener: "x") { _ in
          store.close()
          continuation.resume()
        }
      } catch {
        Issue.record(error)
      }
    }
    #expect(try await hasClosed("app.sqlite", in: directory))
  }

  /// Waits until nothing but the file is left, without its log.
  private func hasClosed(_ name: String, in directory: TemporaryDirectory) async throws -> Bool {
    for _ in 0..<2_000 {
      if TemporaryDirectory.names(in: directory.path + "/tenants") == [name] { return true }
      try await Task.sleep(for: .milliseconds(5))
    }
    return false
  }

  @Test func `take new requests from completions`() async throws {
    try await withStore { store in
      try await store.createNotes()
      let notes: [String] = try await withCheckedThrowingContinuation { continuation in
        do {
          try store.submit(tenant: "app", batch: .note("a")) { _ in
            do {
              try store.read(
                tenant: "app", owner: "chat", statements: [Statement("SELECT body FROM chat_notes")]
              ) { result in
                continuation.resume(
                  with: Result { try result.get().decoded()[0].rows.map { "\($0[0])" } })
              }
            } catch {
              continuation.resume(throwing: error)
            }
          }
        } catch {
          continuation.resume(throwing: error)
        }
      }
      #expect(notes.count == 1)
    }
  }
}

@Suite struct `A ring` {
  @Test func `gives back what it was given, in order, at any fill`() {
    var ring = Ring<Int>()
    var expected: [Int] = []
    var next = 0
    for round in 0..<2_000 {
      if round % 7 < 4 || round < 1_200 {
        ring.append(next)
        expected.append(next)
        next += 1
      } else {
        #expect(ring.popFirst { $0 != expected[0] } == nil)
        #expect(ring.popFirst() == expected.removeFirst())
      }
      #expect(ring.count == expected.count)
    }
    while let element = ring.popFirst() { #expect(element == expected.removeFirst()) }
    #expect(expected.isEmpty && ring.isEmpty)
  }
}
