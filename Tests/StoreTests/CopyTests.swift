import Glibc
import Testing

@testable import Store

@Suite struct `A copy of a tenant's database` {
  @Test func `is one whole file with an epoch of its own, made while the tenant is written to`()
    async throws
  {
    let directory = TemporaryDirectory()
    let path = directory.path + "/copy.sqlite"
    try await withStore(in: directory) { store in
      try await store.createNotes()
      for number in 0..<50 { _ = try await store.note("before \(number)") }
      let epoch = try await store.submit(tenant: "app", batch: .event("room", id: "1")).epoch
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask {
          for number in 0..<200 { _ = try await store.note("during \(number)") }
        }
        try StoreFile.copy(in: directory.path, of: "app", to: path)
        try await group.waitForAll()
      }
      #expect(
        TemporaryDirectory.names(in: directory.path).filter { $0.hasPrefix("copy") } == [
          "copy.sqlite"
        ])
      let copy = try DatabaseFile(path, .reading)
      #expect(try copy.rows("PRAGMA journal_mode") == [[.text("delete")]])
      let notes = try copy.rows("SELECT body FROM chat_notes ORDER BY id")
      #expect(notes.count >= 50)
      // What was written during the copy is there up to one moment and no further.
      #expect(
        notes.dropFirst(50).enumerated().allSatisfy { $0.element == [.text("during \($0.offset)")] }
      )
      let copied = try copy.rows("SELECT epoch FROM sluice_file")
      #expect(copied.count == 1 && copied != [[.text(epoch)]])
      #expect(try await store.open(tenant: "app").epoch == epoch)
      var status = stat()
      #expect(stat(path, &status) == 0 && status.st_mode & 0o777 == 0o600)
    }
  }

  @Test func `of a damaged one is refused with the original's name, and leaves nothing`() throws {
    let directory = TemporaryDirectory()
    mkdir(directory.path + "/tenants", 0o700)
    directory.write(
      Array("no database at all, but as long as a head: ".utf8)
        + [UInt8](repeating: 7, count: 5000), to: "tenants/bad.sqlite")
    do throws(StoreError) {
      try StoreFile.copy(in: directory.path, of: "bad", to: directory.path + "/copy.sqlite")
      Issue.record("no error")
    } catch {
      #expect(error.code == .corrupted)
      #expect(error.message.contains(directory.path + "/tenants/bad.sqlite"))
    }
    #expect(TemporaryDirectory.names(in: directory.path) == ["tenants"])
  }

  @Test func `of a tenant that has stored nothing is an empty database`() throws {
    let directory = TemporaryDirectory()
    let path = directory.path + "/copy.sqlite"
    try StoreFile.copy(in: directory.path, of: "never", to: path)
    #expect(try DatabaseFile(path, .reading).rows("SELECT * FROM sqlite_master") == [])
    // Nothing is overwritten.
    #expect(throws: StoreError.self) {
      try StoreFile.copy(in: directory.path, of: "never", to: path)
    }
  }

  @Test func `takes the place of the tenant's file, and what was there can be put back`()
    async throws
  {
    let directory = TemporaryDirectory()
    let path = directory.path + "/copy.sqlite"
    try await withStore(in: directory) { store in
      try await store.createNotes()
      _ = try await store.note("old")
      let epoch = try await store.open(tenant: "app").epoch
      try StoreFile.copy(in: directory.path, of: "app", to: path)
      _ = try await store.note("newer")
      #expect(try await store.notes() == ["old", "newer"])
      #expect(try await store.replaceTenant("app", with: path))
      #expect(try await store.notes() == ["old"])
      #expect(try await store.open(tenant: "app").epoch != epoch)
      #expect(try await store.replaceTenant("app", with: path))
      #expect(try await store.notes() == ["old", "newer"])
      #expect(try await store.open(tenant: "app").epoch == epoch)
      // For a name that nobody had it makes a tenant.
      #expect(try await !store.replaceTenant("fresh", with: path))
      #expect(try await store.notes(in: "fresh") == ["old"])
      let control = await failure { () throws(StoreError) in
        try await store.replaceTenant(Store.controlTenant, with: path)
      }
      #expect(control?.code == .invalid)
    }
    #expect(
      TemporaryDirectory.names(in: directory.path + "/tenants") == ["app.sqlite", "fresh.sqlite"])
  }

  @Test func `that is not there leaves the tenant's file alone`() async throws {
    let directory = TemporaryDirectory()
    try await withStore(in: directory) { store in
      try await store.createNotes()
      _ = try await store.note("kept")
      let error = await failure { () throws(StoreError) in
        try await store.replaceTenant("app", with: directory.path + "/nowhere.sqlite")
      }
      #expect(error?.code == .io)
      #expect(try await store.notes() == ["kept"])
    }
  }

  @Test func `says which migrations older plugins must not meet`() async throws {
    let directory = TemporaryDirectory()
    try await withStore(in: directory) { store in
      _ = try await store.migrate(
        tenant: "app", owner: "chat",
        migrations: [
          Migration(version: 1, name: "one", sql: "CREATE TABLE chat_a (b INTEGER);"),
          Migration(version: 2, name: "two", sql: "DROP TABLE chat_a;", isBreaking: true),
          Migration(version: 3, name: "three", sql: "CREATE TABLE chat_c (d INTEGER);"),
        ])
    }
    let file = try DatabaseFile(directory.path + "/tenants/app.sqlite", .writing)
    #expect(
      try StoreFile.breakingMigrations(in: file) == [
        StoreFile.BreakingMigration(owner: "chat", version: 2, name: "two")
      ])
    try file.execute("PRAGMA user_version=99")
    #expect(throws: StoreError.self) { try StoreFile.check(file) }
  }
}
