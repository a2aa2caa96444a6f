import EventLoop
import Gateway
import Store
import Synchronization
import Testing

@testable import PluginHost

@Suite struct `The clock of alarms` {
  /// Goes on when the tests have ended: a look at the clock may still be on its way to it.
  private static let loop = Result { try EventLoop.spawn(index: 0, name: "control") }
  private let bench = TenantBench()
  private let sleepers = Sleepers()

  /// Lends a clock that wakes the sleepers, on the bench's data and by the bench's time.
  private func run(_ body: (AlarmClock, Store) async throws -> Void) async throws {
    let store = try bench.store()
    defer { store.close() }
    // It makes the tables.
    _ = try await TenantRegistry.open(store: store, sealing: try bench.key())
    let log = Log(writer: try LogWriter(path: "stderr"), level: .error)
    let sleepers = sleepers
    let clock = AlarmClock(store, control: try Self.loop.get(), log: log) {
      await sleepers.wake($0)
    }
    await clock.start()
    try await body(clock, store)
    await clock.stop()
    // Nobody waits for an outcome that does not come, also who has not come as far yet.
    while clock.counters.underWay.load(ordering: .relaxed) > 0 {
      await sleepers.endAll()
      try await Task.sleep(for: .milliseconds(2))
    }
  }

  private func set(_ clock: AlarmClock, _ alarm: Alarm, at time: Int64) async {
    let error = await clock.set(alarm, at: time, isStatic: true)
    #expect(error == nil)
  }

  private func rows(_ store: Store) async throws -> [[SQLValue]] {
    try await store.controlRows(
      "SELECT wake_at, try_at, failures FROM sluice_alarms ORDER BY plugin, tenant")
  }

  /// Returns when the rows are these.
  private func wait(_ store: Store, for expected: [[SQLValue]]) async throws {
    while try await rows(store) != expected { try await Task.sleep(for: .milliseconds(2)) }
  }

  private func fill(_ store: Store, _ count: Int) async throws {
    try await store.tamper(
      (0..<count).map {
        "INSERT INTO sluice_alarms VALUES ('app_\($0)', '\(plugin($0))', \($0), \($0), 0)"
      })
  }

  /// Four plugins take turns.
  private func plugin(_ number: Int) -> String { "p\(number % 4)" }

  @Test func `leaves room for others when all of one plugin's hang`() async throws {
    try await run { (clock, store) async throws in
      try await store.tamper(
        (0..<100).map { "INSERT INTO sluice_alarms VALUES ('app_\($0)', 'hangs', 0, 0, 0)" })
      await clock.look()
      await sleepers.wait(for: AlarmClock.mostOfPlugin)
      await set(clock, Alarm(tenant: "app", plugin: "other"), at: 1)
      await sleepers.wait(for: AlarmClock.mostOfPlugin + 1)
      await clock.look()
      #expect(await sleepers.woken.count == AlarmClock.mostOfPlugin + 1)
      #expect(await sleepers.woken.last?.plugin == "other")
      while await sleepers.woken.count < 101 {
        await sleepers.endAll(.done(nil))
        try await Task.sleep(for: .milliseconds(2))
      }
      await sleepers.endAll(.done(nil))
      try await wait(store, for: [])
      #expect(Set(await sleepers.woken).count == 101)
    }
  }

  @Test func `wakes those that have waited longest, so many at once and no more`() async throws {
    try await run { (clock, store) async throws in
      try await fill(store, 200)
      await clock.look()
      await sleepers.wait(for: AlarmClock.mostUnderWay)
      await clock.look()
      #expect(await sleepers.woken.map(\.tenant) == (0..<64).map { "app_\($0)" })
      // Its plugin's next, though others' have waited longer: those have what they may.
      await sleepers.end(Alarm(tenant: "app_7", plugin: "p3"), .done(nil))
      await sleepers.wait(for: 65)
      #expect(await sleepers.woken.last?.tenant == "app_67")
      #expect(clock.counters.underWay.load(ordering: .relaxed) == 64)
      while await sleepers.woken.count < 200 {
        await sleepers.endAll(.done(nil))
        try await Task.sleep(for: .milliseconds(2))
      }
      await sleepers.endAll(.done(nil))
      try await wait(store, for: [])
      #expect(Set(await sleepers.woken).count == 200)
      #expect(clock.counters.wakes.load(ordering: .relaxed) == 200)
    }
  }

  @Test(
    arguments: [
      (nil, nil, nil), (nil, 5_000, 5_000), (7_000, nil, 7_000), (7_000, 5_000, 5_000),
      (3_000, 5_000, 3_000), (-1, nil, -1), (5_000, -1, -1),
    ] as [(Int64?, Int64?, Int64?)])
  func `keeps the earlier of what a plugin says and what it set while it was woken`(
    said: Int64?, asked: Int64?, kept: Int64?
  ) async throws {
    try await run { (clock, store) async throws in
      let (alarm, now) = (Alarm(tenant: "app", plugin: "p"), bench.now)
      await set(clock, alarm, at: now)
      await sleepers.wait(for: 1)
      if let asked { await set(clock, alarm, at: now + asked) }
      // A crash now would have it woken for what it was set for.
      #expect(try await rows(store).count == 1)
      await sleepers.end(alarm, .done(said.map { now + $0 }))
      try await wait(
        store,
        for: kept.map {
          [[.integer(now + $0), .integer(max(now + $0, now + 100)), .integer(0)]]
        } ?? [])
    }
  }

  @Test func `waits ever longer for one that fails, five minutes at most`() async throws {
    try await run { (clock, store) async throws in
      let (alarm, due) = (Alarm(tenant: "app", plugin: "p"), bench.now)
      await set(clock, alarm, at: due)
      let pauses: [Int64] = [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]
      for (number, pause) in pauses.enumerated() {
        await sleepers.wait(for: number + 1)
        await sleepers.end(alarm, .failed("it is a test"))
        let tryAt = bench.now + 100 + pause * 1_000
        try await wait(
          store, for: [[.integer(due), .integer(tryAt), .integer(Int64(number) + 1)]])
        bench.advance(hours: 1)
        await clock.look()
      }
      await sleepers.wait(for: pauses.count + 1)
      #expect(clock.counters.failures.load(ordering: .relaxed) == pauses.count)
      // One that was cut off is woken again soon, and is not said to have failed.
      await sleepers.end(alarm, .cut)
      try await wait(
        store, for: [[.integer(due), .integer(bench.now + 100), .integer(Int64(pauses.count))]])
      #expect(clock.counters.failures.load(ordering: .relaxed) == pauses.count)
    }
  }

  @Test func `has one that is cut off again and again wait like one that fails`() async throws {
    try await run { (clock, store) async throws in
      let (alarm, due) = (Alarm(tenant: "app", plugin: "p"), bench.now)
      await set(clock, alarm, at: due)
      for number in 1...AlarmClock.mostCuts + 2 {
        await sleepers.wait(for: number)
        await sleepers.end(alarm, .cut)
        let failures = max(number - AlarmClock.mostCuts, 0)
        let tryAt = bench.now + 100 + Int64(failures) * 1_000
        try await wait(
          store, for: [[.integer(due), .integer(tryAt), .integer(Int64(failures))]])
        bench.advance(hours: 1)
        await clock.look()
      }
      #expect(clock.counters.failures.load(ordering: .relaxed) == 2)
      // Whoever ends a wake-up is not blamed for what was.
      await sleepers.wait(for: AlarmClock.mostCuts + 3)
      await sleepers.end(alarm, .done(bench.now))
      try await wait(
        store, for: [[.integer(bench.now), .integer(bench.now + 100), .integer(0)]])
      bench.advance(hours: 1)
      await clock.look()
      await sleepers.wait(for: AlarmClock.mostCuts + 4)
      await sleepers.end(alarm, .cut)
      try await wait(
        store, for: [[.integer(bench.now - 3_600_000), .integer(bench.now + 100), .integer(0)]])
    }
  }

  @Test func `goes by the new time when the clock is set back`() async throws {
    try await run { (clock, store) async throws in
      let (alarm, due) = (Alarm(tenant: "app", plugin: "p"), bench.now - 10_000_000)
      await set(clock, alarm, at: due)
      await sleepers.wait(for: 1)
      await sleepers.end(alarm, .failed("it is a test"))
      try await wait(store, for: [[.integer(due), .integer(bench.now + 1_100), .integer(1)]])
      try await store.tamper([
        "INSERT INTO sluice_alarms VALUES ('app', 'set', \(bench.now), \(bench.now + 1), 1)",
        "INSERT INTO sluice_alarms VALUES ('app', 'z', 1, \(Int64.max), 0)",
      ])
      bench.advance(hours: -2)
      await clock.look()
      // What was set for a time comes then; what failed waits for no longer than it may; what is parked stays so.
      try await wait(
        store,
        for: [
          [.integer(due), .integer(bench.now + 300_100), .integer(1)],
          [.integer(bench.now + 7_200_000), .integer(bench.now + 7_200_000), .integer(1)],
          [.integer(1), .integer(.max), .integer(0)],
        ])
      #expect(await sleepers.woken.count == 1)
    }
  }

  @Test func `keeps nothing for a tenant that is gone, and what is parked for one that is there`()
    async throws
  {
    try await run { (clock, store) async throws in
      let alarm = Alarm(tenant: "app", plugin: "p")
      let error = await clock.set(alarm, at: 1, isStatic: false)
      #expect(error == nil)
      #expect(try await rows(store).isEmpty)
      let later = bench.now + 1_000
      await set(clock, alarm, at: later)
      #expect(await clock.park(alarm) == .parked)
      bench.advance(hours: 1)
      await clock.look()
      #expect(try await rows(store) == [[.integer(later), .integer(.max), .integer(0)]])
      #expect(await sleepers.woken.isEmpty)
      await clock.unpark("other")
      #expect(try await rows(store) == [[.integer(later), .integer(.max), .integer(0)]])
      await clock.unpark("app")
      await sleepers.wait(for: 1)
    }
  }
}

/// Plugins that are woken, and sleep on when the test says so.
private actor Sleepers {
  private(set) var woken: [Alarm] = []
  private var awake: [Alarm: CheckedContinuation<AlarmOutcome, Never>] = [:]

  func wake(_ alarm: Alarm) async -> AlarmOutcome {
    woken.append(alarm)
    return await withCheckedContinuation { awake[alarm] = $0 }
  }

  func end(_ alarm: Alarm, _ outcome: AlarmOutcome) {
    awake.removeValue(forKey: alarm)?.resume(returning: outcome)
  }

  func endAll(_ outcome: AlarmOutcome = .parked) {
    for alarm in Array(awake.keys) { end(alarm, outcome) }
  }

  /// Returns when so many have been woken, all told.
  func wait(for count: Int) async {
    while woken.count < count { try? await Task.sleep(for: .milliseconds(2)) }
  }
}
