import Glibc
import Testing

@testable import Store

@Suite struct `A tenant's file` {
  @Test func `keeps epoch, rows and offsets over a reopening`() async throws {
    let directory = TemporaryDirectory()
    var epoch = ""
    try await withStore(in: directory) { store in
      try await store.createNotes()
      _ = try await store.note("kept")
      epoch = try await store.submit(tenant: "app", batch: .event("room", id: "1")).epoch
    }
    // A proper close leaves the files alone, without logs.
    #expect(TemporaryDirectory.names(in: directory.path + "/tenants") == ["app.sqlite"])
    try await withStore(in: directory) { store in
      #expect(try store.tenantsNeedingRecovery() == [])
      let opened = try await store.open(tenant: "app")
      #expect(opened == OpenedTenant(epoch: epoch, topSequence: 1, wasUnclean: false))
      #expect(try await store.notes() == ["kept"])
      let reply = try await store.submit(tenant: "app", batch: .event("room", id: "2"))
      #expect(reply.events == [EventPosition(sequence: 2, offset: 2)])
      #expect(reply.epoch == epoch)
    }
  }

  @Test func `is private to the user`() async throws {
    let directory = TemporaryDirectory()
    try await withStore(in: directory) { store in
      try await store.createNotes()
      for (name, mode) in [
        ("/tenants", 0o700), ("/tenants/app.sqlite", 0o600), ("/tenants/app.sqlite-wal", 0o600),
      ] as [(String, mode_t)] {
        var status = stat()
        #expect(stat(directory.path + name, &status) == 0)
        #expect(status.st_mode & 0o777 == mode, "\(name)")
      }
    }
  }

  @Test func `holds nothing of other tenants, nor of control`() async throws {
    let directory = TemporaryDirectory()
    try await withStore(in: directory) { store in
      for tenant in ["a", "b", Store.controlTenant] {
        try await store.createNotes(in: tenant)
        _ = try await store.note("of \(tenant)", in: tenant)
      }
      for tenant in ["a", "b", Store.controlTenant] {
        #expect(try await store.notes(in: tenant) == ["of \(tenant)"])
      }
    }
    #expect(TemporaryDirectory.names(in: directory.path) == ["control.sqlite", "tenants"])
    #expect(
      TemporaryDirectory.names(in: directory.path + "/tenants") == ["a.sqlite", "b.sqlite"])
  }

  @Test func `tells what is in use of it, which deletions make less`() async throws {
    try await withStore { store in
      try await store.createNotes()
      let empty = try await store.usedBytes(of: "app")
      #expect(empty > 0)
      for number in 0..<10 {
        _ = try await store.note("\(number)" + String(repeating: "x", count: 10_000))
      }
      let full = try await store.usedBytes(of: "app")
      // The text, and the index over it.
      #expect(full >= empty + 200_000)
      _ = try await store.submit(
        tenant: "app", batch: .chat("DELETE FROM chat_notes"))
      #expect(try await store.usedBytes(of: "app") < empty + 20_000)
    }
  }

  @Test func `is closed when it was not used for long, and opened again`() async throws {
    var options = StoreOptions()
    options.writerThreads = 1
    options.maximumOpenTenants = 3
    let directory = TemporaryDirectory()
    try await withStore(options, in: directory) { store in
      for round in 0..<2 {
        for number in 0..<10 {
          let tenant = "t\(number)"
          try await store.createNotes(in: tenant)
          _ = try await store.note("\(round)", in: tenant)
          #expect(try await store.notes(in: tenant).count == round + 1)
        }
      }
      #expect(store.counters.filesOpened == 20)
      #expect(store.counters.filesEvicted == 17)
      let logs = TemporaryDirectory.names(in: directory.path + "/tenants").filter {
        $0.hasSuffix("-wal")
      }
      #expect(logs == ["t7.sqlite-wal", "t8.sqlite-wal", "t9.sqlite-wal"])
      // Use keeps a file open: t7 is the oldest, and is read from.
      _ = try await store.notes(in: "t7")
      _ = try await store.note("x", in: "t0")
      let opened = store.counters.filesOpened
      _ = try await store.notes(in: "t7")
      #expect(store.counters.filesOpened == opened)
    }
  }

  @Test func `survives many tenants written and read at once with room for few`() async throws {
    var options = StoreOptions()
    options.maximumOpenTenants = 4
    try await withStore(options) { store in
      try await withThrowingTaskGroup(of: Void.self) { group in
        for task in 0..<16 {
          group.addTask {
            let tenant = "t\(task)"
            try await store.createNotes(in: tenant)
            for number in 0..<15 {
              _ = try await store.note("\(number)", in: tenant)
              #expect(try await store.notes(in: tenant).count == number + 1)
            }
          }
        }
        try await group.waitForAll()
      }
      #expect(store.counters.filesEvicted > 0)
    }
  }

  @Test func `that is damaged fails alone, and works again once replaced`() async throws {
    let directory = TemporaryDirectory()
    try await withStore(in: directory) { store in try await store.createNotes(in: "good") }
    let good = directory.path + "/tenants/good.sqlite"
    directory.write(
      Array("this is no database at all, whatever it is called".utf8), to: "tenants/bad.sqlite")
    try await withStore(in: directory) { store in
      let bad = directory.path + "/tenants/bad.sqlite"
      for _ in 0..<3 {
        let write = await failure { () throws(StoreError) in try await store.note("x", in: "bad") }
        #expect(write?.code == .corrupted)
        #expect(write?.message.contains(bad) == true)
        let read = await failure { () throws(StoreError) in
          try await store.cursor(tenant: "bad", listener: "x")
        }
        #expect(read?.code == .corrupted)
      }
      _ = try await store.note("fine", in: "good")
      // What an operator does: put a good copy in its place.
      try await store.checkpoint(tenant: "good") as Void
      let copy = try #require(bytes(of: good))
      unlink(bad)
      directory.write(copy, to: "tenants/bad.sqlite")
      #expect(try await store.notes(in: "bad") == ["fine"])
    }
  }

  @Test func `of a newer layout is not touched`() async throws {
    let directory = TemporaryDirectory()
    try await withStore(in: directory) { store in
      _ = try await store.open(tenant: "app")
      try store.migrate(tenant: "app", owner: "chat", migrations: []) { _ in }
    }
    let connection = try SQLiteConnection(
      path: directory.path + "/tenants/app.sqlite", role: .writer, options: StoreOptions())
    try connection.execute("PRAGMA user_version=99")
    connection.close()
    try await withStore(in: directory) { store in
      let error = await failure { () throws(StoreError) in try await store.open(tenant: "app") }
      #expect(error?.code == .schemaTooNew)
      #expect(error?.message.contains("layout 99") == true)
    }
  }

  @Test func `that is full refuses the batch that does not fit and goes on`() async throws {
    var options = StoreOptions()
    options.maximumFileBytes = 400_000
    try await withStore(options) { store in
      try await store.createNotes()
      let large = String(repeating: "x", count: 50_000)
      var stored = 0
      var refused: StoreError?
      while refused == nil, stored < 20 {
        do {
          _ = try await store.note("\(stored)" + large)
          stored += 1
        } catch let error as StoreError {
          refused = error
        }
      }
      #expect(refused?.code == .storageFull)
      #expect(try await store.notes().count == stored)
      let results = try await store.submitTogether([
        .note("small"), .note("z" + large), .note("tiny"),
      ])
      #expect(results.map(\.code) == [nil, .storageFull, nil])
      #expect(try await store.notes().suffix(2) == ["small", "tiny"])
      _ = try await store.submit(tenant: "app", batch: .chat("DELETE FROM chat_notes"))
      _ = try await store.note("0" + large)
    }
  }

  @Test func `on a full disk refuses, acknowledges nothing that is not there, and recovers`()
    async throws
  {
    let directory = TemporaryDirectory()
    guard geteuid() == 0,
      mount("tmpfs", directory.path, "tmpfs", 0, "size=1m") == 0
    else { return print("full disk: not tested, a small file system cannot be mounted here") }
    defer { umount(directory.path) }
    try await withStore(in: directory) { store in
      try await store.createNotes()
      var stored: [String] = []
      var codes: Set<StoreError.Code> = []
      for number in 0..<60 {
        let body = "\(number)" + String(repeating: "x", count: 30_000)
        do {
          _ = try await store.note(body)
          stored.append(body)
        } catch let error as StoreError {
          codes.insert(error.code)
        }
      }
      #expect(codes == [.storageFull])
      #expect(try await store.notes() == stored)
      #expect(mount("tmpfs", directory.path, "tmpfs", UInt(MS_REMOUNT), "size=8m") == 0)
      _ = try await store.note("after")
      #expect(try await store.notes() == stored + ["after"])
    }
    try await withStore(in: directory) { store async throws in
      #expect(try await store.notes().last == "after")
    }
  }

  @Test func `on a file system that turns read-only refuses writes with its reason`() async throws {
    let directory = TemporaryDirectory()
    guard geteuid() == 0, mount("tmpfs", directory.path, "tmpfs", 0, "size=4m") == 0
    else { return print("read-only: not tested, a small file system cannot be mounted here") }
    defer { umount2(directory.path, Int32(MNT_DETACH)) }
    try await withStore(in: directory) { store in try await store.createNotes() }
    #expect(mount("tmpfs", directory.path, "tmpfs", UInt(MS_REMOUNT) | UInt(MS_RDONLY), "") == 0)
    do {
      _ = try Store(directory: directory.path)
      Issue.record("no error")
    } catch {
      #expect(error.code == .directory)
      #expect(error.message.contains("Read-only file system (errno 30)"))
    }
  }

  @Test func `is deleted after what was asked before, and can be made anew`() async throws {
    let directory = TemporaryDirectory()
    try await withStore(in: directory) { store in
      try await store.createNotes()
      let epoch = try await store.open(tenant: "app").epoch
      _ = try await store.notes()
      let gate = try await store.hold()
      let order = Recorder<String>()
      try store.submit(tenant: "app", batch: .note("before")) { order.add("\($0.code == nil)") }
      let deleted = Gate()
      try store.deleteTenant("app") {
        order.add("deleted \($0.code == nil)")
        deleted.open()
      }
      #expect(throws: StoreError(.tenantDeleted, "the tenant app is being deleted or replaced")) {
        try store.submit(tenant: "app", batch: .note("after")) { _ in }
      }
      gate.open()
      await deleted.passed()
      #expect(order.all == ["true", "deleted true"])
      #expect(TemporaryDirectory.names(in: directory.path + "/tenants") == [])
      try await store.createNotes()
      #expect(try await store.notes() == [])
      #expect(try await store.open(tenant: "app").epoch != epoch)
      try await store.deleteTenant("never-there")
    }
  }
}

@Suite struct `The data directory` {
  private func refusal(_ path: String) -> StoreError? {
    do {
      try Store(directory: path).close()
      return nil
    } catch {
      return error
    }
  }

  @Test func `that cannot be used is refused with the path and the reason`() {
    let directory = TemporaryDirectory()
    directory.write([1], to: "file")
    for (path, reason) in [
      (
        "/nowhere/at/all",
        "cannot create the data directory /nowhere/at/all: No such file or directory"
      ),
      (
        directory.path + "/file",
        "cannot read the data directory \(directory.path)/file: Not a directory"
      ),
      (
        "/proc/nothing", "cannot create the data directory /proc/nothing: No such file or directory"
      ),
      ("/proc", "cannot write to the data directory /proc"),
      ("", "the data directory's path is empty"),
    ] {
      let error = refusal(path)
      #expect(error?.code == .directory)
      #expect(error?.message.hasPrefix(reason) == true, "\(error?.message ?? "")")
    }
  }

  @Test func `may end in slashes and leaves no probe behind`() {
    let directory = TemporaryDirectory()
    #expect(refusal(directory.path + "///") == nil)
    #expect(TemporaryDirectory.names(in: directory.path) == ["tenants"])
    #expect(TemporaryDirectory.names(in: directory.path + "/tenants") == [])
  }

  @Test func `options that cannot work are refused by name`() {
    let directory = TemporaryDirectory()
    for (name, change) in [
      ("writerThreads", { $0.writerThreads = 0 }), ("readerThreads", { $0.readerThreads = 0 }),
      ("maximumOpenTenants", { $0.maximumOpenTenants = -1 }),
      ("maximumFileBytes", { $0.maximumFileBytes = 10 }),
      ("maximumResultBytes", { $0.maximumResultBytes = .max }),
    ] as [(String, (inout StoreOptions) -> Void)] {
      var options = StoreOptions()
      change(&options)
      do {
        _ = try Store(directory: directory.path, options: options)
        Issue.record("no error")
      } catch {
        #expect(error.code == .invalid)
        #expect(error.message.contains(name))
      }
    }
  }

  @Test func `has its log moved beside the writing, so that it begins anew`() async throws {
    let directory = TemporaryDirectory()
    var options = StoreOptions()
    options.logPages = 20
    try await withStore(options, in: directory) { store in
      try await store.createNotes()
      var sizes: [Int] = []
      for number in 1...20_000 {
        _ = try await store.note("\(number)")
        guard number.isMultiple(of: 100) else { continue }
        var status = stat()
        #expect(stat(directory.path + "/tenants/app.sqlite-wal", &status) == 0)
        sizes.append(Int(status.st_size))
        // Each COMMIT is a page or more, so what did not grow was overwritten.
        if sizes.count > 1, sizes[sizes.count - 1] == sizes[sizes.count - 2] { return }
      }
      Issue.record("the log only grew: \(sizes)")
    }
  }

  @Test func `leaves a log alone that has been moved whole, until something is written`() throws {
    let directory = TemporaryDirectory()
    var options = StoreOptions()
    options.logPages = 4
    let file = try SQLiteTenantFile(
      tenant: "app", path: directory.path + "/app.sqlite", mustCheck: false, options: options,
      counters: StoreCounterCells())
    defer { file.close() }
    func write() throws {
      try file.transaction { () throws(StoreError) in
        try file.connection.execute("CREATE TABLE IF NOT EXISTS notes (text TEXT)")
        try file.connection.execute(
          "INSERT INTO notes SELECT printf('%.*c', 4000, 'x') FROM sqlite_schema, sqlite_schema")
      }
    }
    try write()
    #expect(file.mustMoveLog())
    #expect(!file.mustMoveLog(), "it is being moved")
    file.finishLog()
    for _ in 0..<3 { #expect(!file.mustMoveLog(), "there is nothing more to be moved") }
    try write()
    #expect(file.mustMoveLog())
  }
}
