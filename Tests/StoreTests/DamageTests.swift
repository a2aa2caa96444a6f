import Glibc
import Testing

@testable import Store

@Suite struct `A file that turns out damaged while it is open` {
  /// Makes a file of many pages, opens it again so that the writer knows only some of them, and spoils the others.
  private func withSpoiledFile(_ body: (Store) async throws -> Void) async throws {
    let directory = TemporaryDirectory()
    let note = String(repeating: "x", count: 1_000)
    try await withStore(in: directory) { store in
      try await store.createNotes()
      for number in 100..<400 { _ = try await store.note("\(number) \(note)") }
    }
    try await withStore(in: directory) { store in
      _ = try await store.note("400")
      let path = directory.path + "/tenants/app.sqlite"
      let descriptor = Glibc.open(path, O_WRONLY)
      let size = Int(lseek(descriptor, 0, SEEK_END))
      try #require(size > 64 * 4096)
      let noise = [UInt8](repeating: 0xA5, count: 4096)
      // All but the last pages, where the writer writes on, and the first, where the schema is.
      for page in 8..<(size / 4096 - 16) {
        #expect(pwrite(descriptor, noise, noise.count, off_t(page * 4096)) == noise.count)
      }
      Glibc.close(descriptor)
      try await body(store)
    }
  }

  @Test func `is written no more once a read has found it out`() async throws {
    try await withSpoiledFile { store in
      let committed = store.counters.batchesCommitted
      let found = await failure { () throws(StoreError) in
        try await store.read(
          tenant: "app", owner: "chat", statements: [Statement("SELECT body FROM chat_notes")])
      }
      #expect(found?.code == .corrupted)
      for number in 401..<410 {
        let refused = await failure { () throws(StoreError) in try await store.note("\(number)") }
        #expect(refused?.code == .corrupted)
      }
      #expect(store.counters.batchesCommitted == committed)
      #expect(store.counters.filesOpened == 1)
      // Others go on.
      try await store.createNotes(in: "other")
      _ = try await store.note("fine", in: "other")
    }
  }

  @Test func `is written no more once work that commits nothing has found it out`() async throws {
    try await withSpoiledFile { store in
      let committed = store.counters.batchesCommitted
      let found = await failure { () throws(StoreError) in
        try await store.migrate(
          tenant: "app", owner: "chat",
          migrations: [
            Migration(
              version: 1, name: "notes",
              sql: "CREATE TABLE chat_notes (id INTEGER PRIMARY KEY, body TEXT UNIQUE);"),
            Migration(
              version: 2, name: "count",
              sql: "CREATE TABLE chat_sizes AS SELECT sum(length(body)) AS size FROM chat_notes"),
          ])
      }
      #expect(found?.code == .corrupted)
      let refused = await failure { () throws(StoreError) in try await store.note("401") }
      #expect(refused?.code == .corrupted)
      #expect(store.counters.batchesCommitted == committed)
    }
  }
}

@Suite struct `A file that an unclean stop left` {
  @Test func `is checked, and refused when it does not hold`() async throws {
    let directory = TemporaryDirectory()
    try await withStore(in: directory) { store in
      try await store.createNotes()
      for number in 0..<400 {
        _ = try await store.note("\(number) " + String(repeating: "x", count: 100))
      }
    }
    let path = directory.path + "/tenants/app.sqlite"
    var content = try #require(bytes(of: path))
    // A page of the middle, lost; and a log, as a stop without closing leaves it.
    let middle = content.count / 2 / 4096 * 4096
    content.replaceSubrange(middle..<middle + 4096, with: [UInt8](repeating: 0, count: 4096))
    unlink(path)
    directory.write(content, to: "tenants/app.sqlite")
    directory.write([UInt8](repeating: 0, count: 32), to: "tenants/app.sqlite-wal")
    try await withStore(in: directory) { store in
      #expect(try store.tenantsNeedingRecovery() == ["app"])
      let error = await failure { () throws(StoreError) in try await store.open(tenant: "app") }
      #expect(error?.code == .corrupted)
      _ = try await store.open(tenant: "other")
    }
  }

  @Test func `is refused when an index contradicts its table`() async throws {
    let directory = TemporaryDirectory()
    try await withStore(in: directory) { store in
      try await store.createNotes()
      _ = try await store.note("the needle")
    }
    let path = directory.path + "/tenants/app.sqlite"
    var content = try #require(bytes(of: path))
    // The body stands in the table and in the index that keeps it unique: one of them says something else now, and
    // every page is still well-formed.
    let needle = Array("the needle".utf8)
    let place = try #require(
      content.indices.first { content[$0...].starts(with: needle) })
    content[place] = UInt8(ascii: "T")
    unlink(path)
    directory.write(content, to: "tenants/app.sqlite")
    directory.write([UInt8](repeating: 0, count: 32), to: "tenants/app.sqlite-wal")
    try await withStore(in: directory) { store in
      let error = await failure { () throws(StoreError) in try await store.open(tenant: "app") }
      #expect(error?.code == .corrupted)
      #expect(error?.message.contains("index") == true)
    }
  }
}
