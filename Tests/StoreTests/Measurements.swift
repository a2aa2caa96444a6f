import Glibc
import Synchronization
import Testing

@testable import Store

/// Figures, printed and never asserted. Set STORE_MEASURE=1 and build for release.
@Suite(.serialized, .enabled(if: getenv("STORE_MEASURE") != nil)) struct Measurements {
  @Test(arguments: [1, 64, 1024], [false, true])
  func `batches of one insert`(_ inFlight: Int, _ withEvent: Bool) async throws {
    try await withStore { store in
      _ = try await store.migrate(
        tenant: "app", owner: "chat",
        migrations: [
          Migration(
            version: 1, name: "notes",
            sql: "CREATE TABLE chat_notes (id INTEGER PRIMARY KEY, body TEXT)")
        ])
      let total = inFlight == 1 ? 20_000 : 400_000
      let load = Load(store: store, total: total, withEvent: withEvent)
      let before = store.counters
      let start = SystemClock.monotonicNanoseconds()
      for _ in 0..<inFlight { load.next() }
      await load.done.passed()
      let seconds = Double(SystemClock.monotonicNanoseconds() - start) / 1e9
      let commits = store.counters.commits - before.commits
      print(
        "store: \(inFlight) in flight\(withEvent ? ", one event each" : ""): \(Int(Double(total) / seconds)) batches/s, \(Int(Double(commits) / seconds)) commits/s, synchronous=FULL"
      )
    }
  }

  @Test(arguments: [1, 64]) func `reads of one row`(_ inFlight: Int) async throws {
    try await withStore { store in
      try await store.createNotes()
      _ = try await store.note("a")
      let total = 200_000
      let left = Atomic<Int>(total)
      let done = Gate()
      let statement = Statement(
        "SELECT body FROM chat_notes WHERE id = :id", binds: [Bind("id", .integer(1))])
      @Sendable func next() {
        try? store.read(tenant: "app", owner: "chat", statements: [statement]) { _ in
          let rest = left.subtract(1, ordering: .relaxed).newValue
          if rest == 0 { done.open() } else if rest >= inFlight { next() }
        }
      }
      let start = SystemClock.monotonicNanoseconds()
      for _ in 0..<inFlight { next() }
      await done.passed()
      let seconds = Double(SystemClock.monotonicNanoseconds() - start) / 1e9
      print("store: \(inFlight) reads in flight: \(Int(Double(total) / seconds)) reads/s")
    }
  }

  private final class Load: Sendable {
    let store: Store
    let batch: Batch
    let total: Int
    let finished = Atomic<Int>(0)
    let started = Atomic<Int>(0)
    let done = Gate()

    init(store: Store, total: Int, withEvent: Bool) {
      self.store = store
      self.total = total
      var batch = Batch.note("a message of ordinary length, as people write them")
      if withEvent { batch.events = Batch.event("room", id: "evt_0123456789abcdef").events }
      self.batch = batch
    }

    func next() {
      guard started.add(1, ordering: .relaxed).newValue <= total else { return }
      do {
        try store.submit(tenant: "app", batch: batch) { _ in
          if self.finished.add(1, ordering: .relaxed).newValue == self.total { self.done.open() }
          self.next()
        }
      } catch {
        Issue.record(error)
      }
    }
  }
}
