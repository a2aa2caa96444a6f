internal import EventLoop
internal import Store
internal import Synchronization

/// Wakes plugins at the times that stand in `control.sqlite` (ext/alarm.h).
///
/// What waits is on disk alone, in one ordered index; one timer waits for the first of it. In memory are those under way,
/// of which there are so many at most. An actor on the control thread.
actor AlarmClock {
  /// Wake-ups at once: each may open a tenant.
  static let mostUnderWay = 64
  /// Of these, those of one plugin: one that hangs keeps no other's from coming.
  static let mostOfPlugin = 16
  /// Between two looks at the clock of day, in milliseconds: so late an alarm is at most when that is set forward.
  static let longestWait: Int64 = 60_000
  /// Between two wake-ups of one plugin for one tenant, in milliseconds.
  static let shortestPause: Int64 = 100
  /// Between two that fail, in milliseconds.
  static let longestPause: Int64 = 300_000

  /// Wake-ups in a row that may be cut off and are repeated at once: a tenant's plugins are changed now and then. More are failures.
  static let mostCuts = 5

  nonisolated let counters = AlarmCounters()
  nonisolated let executor: EventLoop
  private let store: Store
  private let log: Log
  private let wake: @Sendable (Alarm) async -> AlarmOutcome
  private var underWay: [Alarm: UnderWay] = [:]
  /// Those whose wake-up has ended since the last look began, and whether what became of them is on disk: until a look has begun behind that,
  /// what it reads may be the row of before.
  private var ended: [Alarm: Bool] = [:]
  /// How often in a row wake-ups were cut off.
  private var cuts: [Alarm: Int] = [:]
  /// When the timer is to look, in Unix milliseconds.
  private var next = AlarmStatements.never
  /// When it looked last, in Unix milliseconds.
  private var lookedAt = Int64.min
  private var timer: Timer?
  private var isLooking = false
  private var looksAgain = false
  /// Whether more are due than may be under way.
  private var hasMore = false
  private var isStopped = false

  nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

  private struct UnderWay {
    /// How often in a row it has failed before.
    let failures: Int64
    /// The earliest time that the plugin has set since it is being woken. The alarm itself stands until that has ended, so
    /// a crash loses nothing of it.
    var asked: Int64?
  }

  /// - Parameter wake: wakes a plugin, and returns when that has ended.
  init(
    _ store: Store, control: EventLoop, log: Log,
    wake: @escaping @Sendable (Alarm) async -> AlarmOutcome
  ) {
    self.store = store
    executor = control
    self.log = log
    self.wake = wake
  }

  /// Begins to wake; what had failed or was parked before is tried anew.
  func start() async {
    timer = executor.timer { [weak self] in
      self?.lookSoon()
    }
    await unpark(nil)
  }

  /// Wakes nobody any more; what is under way goes on.
  func stop() {
    isStopped = true
    timer?.close()
    timer = nil
  }

  /// Sets an alarm, or leaves it where it is set for an earlier time; returns when it is on disk, or why it cannot be.
  ///
  /// - Parameter isStatic: whether the tenant is a configuration file's.
  func set(_ alarm: Alarm, at time: Int64, isStatic: Bool) async -> StoreError? {
    if let known = underWay[alarm] { underWay[alarm]?.asked = min(known.asked ?? time, time) }
    // In the same turn: what `end` writes later comes behind it, or has seen it.
    let error = await write(AlarmStatements.set(alarm, at: time, isStatic: isStatic))
    if error == nil { expect(time) }
    return error
  }

  /// Has an alarm wait until the tenant's plugins change. Whoever says that they have not holds the tenant's lock, so that
  /// ``unpark(_:)`` of a change comes behind it.
  func park(_ alarm: Alarm) async -> AlarmOutcome {
    let error = await write(
      AlarmStatements.delay(alarm, until: AlarmStatements.never, failures: 0))
    return error.map { .failed("it cannot be written down: \($0)") } ?? .parked
  }

  /// The plugins of a tenant, or of all, are others now.
  func unpark(_ tenant: String?) async {
    _ = await write(AlarmStatements.unpark(tenant))
    lookSoon()
  }

  // MARK: - looking

  /// Has it looked without waiting for that, which may go on for as long as wake-ups end. [any-thread]
  nonisolated func lookSoon() { Task { await look() } }

  /// Wakes those whose time has come, and sets the timer for the next.
  func look() async {
    guard !isLooking else {
      looksAgain = true
      return
    }
    isLooking = true
    repeat {
      looksAgain = false
      await lookOnce()
    } while looksAgain
    isLooking = false
  }

  private func lookOnce() async {
    guard !isStopped else { return }
    let now = store.options.now()
    ended = ended.filter { !$0.value }
    // Before the read: what is set behind its snapshot is expected by itself.
    next = now + Self.longestWait
    await noteTime(now)
    do throws(StoreError) {
      let rows = try await store.read(
        tenant: Store.controlTenant, owner: Owner.host,
        statements: [
          // Those under way are still due.
          AlarmStatements.due(at: now, limitOfPlugin: 2 * Self.mostOfPlugin),
          AlarmStatements.next(after: now),
        ])
      let found = (try? rows.decoded()) ?? []
      guard found.count == 2 else { return expect(now + 1_000) }
      begin(found[0].rows)
      if case .integer(let following)? = found[1].rows.first?.first { next = min(next, following) }
    } catch {
      log.write(
        .error, "alarms cannot be read; they are looked for again",
        fields: ["reason": .string("\(error)")])
      next = min(next, now + 10_000)
    }
    arm()
  }

  /// Where the clock was set back, pauses after failures were counted by a time that is far ahead now.
  private func noteTime(_ now: Int64) async {
    if now < lookedAt {
      let latest = now + Self.longestPause + Self.shortestPause
      guard await write(AlarmStatements.hurry(to: latest)) == nil else { return }
    }
    lookedAt = now
  }

  /// Wakes as many as may be. Of a plugin that has more than it may have there are always more than are under way among those that
  /// were read, so that none is overlooked.
  private func begin(_ due: [[SQLValue]]) {
    hasMore = false
    var ofPlugin: [String: Int] = [:]
    for alarm in underWay.keys { ofPlugin[alarm.plugin, default: 0] += 1 }
    for row in due {
      guard case .text(let tenant) = row[0], case .text(let plugin) = row[1],
        case .integer(let failures) = row[2]
      else { continue }
      let alarm = Alarm(tenant: tenant, plugin: plugin)
      guard underWay[alarm] == nil else { continue }
      guard ended[alarm] == nil, underWay.count < Self.mostUnderWay,
        ofPlugin[plugin, default: 0] < Self.mostOfPlugin
      else {
        hasMore = true
        continue
      }
      ofPlugin[plugin, default: 0] += 1
      underWay[alarm] = UnderWay(failures: failures)
      counters.underWay.add(1, ordering: .relaxed)
      Task { await end(alarm, await wake(alarm)) }
    }
  }

  /// Has the timer look at a time at the latest.
  private func expect(_ time: Int64) {
    guard time < next else { return }
    next = time
    arm()
  }

  private func arm() {
    let wait = min(max(next - store.options.now(), 0), Self.longestWait)
    timer?.start(after: UInt64(wait))
  }

  // MARK: - ending

  /// A wake-up has ended.
  private func end(_ alarm: Alarm, _ outcome: AlarmOutcome) async {
    guard let past = underWay.removeValue(forKey: alarm) else { return }
    ended[alarm] = outcome == .parked
    counters.underWay.subtract(1, ordering: .relaxed)
    let outcome = judged(outcome, of: alarm)
    if outcome != .parked, outcome != .cut { counters.wakes.add(1, ordering: .relaxed) }
    let soon = store.options.now() + Self.shortestPause
    switch outcome {
    case .done(let wanted):
      guard let time = [wanted, past.asked].compactMap(\.self).min() else {
        return await settle(alarm, AlarmStatements.remove(alarm), at: nil)
      }
      let tryAt = max(time, soon)
      await settle(alarm, AlarmStatements.move(alarm, to: time, notBefore: tryAt), at: tryAt)
    case .failed(let reason):
      let failures = past.failures + 1
      note(alarm, reason, failures)
      let tryAt = soon + min(1_000 << min(failures - 1, 20), Self.longestPause)
      await settle(alarm, AlarmStatements.delay(alarm, until: tryAt, failures: failures), at: tryAt)
    case .cut:
      await settle(
        alarm, AlarmStatements.delay(alarm, until: soon, failures: past.failures), at: soon)
    case .parked:
      if hasMore { await look() }
    }
  }

  /// What came of a wake-up, with one that was cut off once too often as a failure.
  private func judged(_ outcome: AlarmOutcome, of alarm: Alarm) -> AlarmOutcome {
    guard outcome == .cut else {
      cuts[alarm] = nil
      return outcome
    }
    let count = cuts[alarm, default: 0] + 1
    cuts[alarm] = count
    return count > Self.mostCuts ? .failed("it was cut off \(count) times in a row") : .cut
  }

  /// Counts a failure, and tells of it ever more rarely, however long it goes on.
  private func note(_ alarm: Alarm, _ reason: String, _ failures: Int64) {
    counters.failures.add(1, ordering: .relaxed)
    guard failures & (failures - 1) == 0 else { return }
    log.write(
      .warning, "a plugin failed when it was woken; it is woken again",
      fields: [
        "tenant": .string(alarm.tenant), "plugin": .string(alarm.plugin),
        "reason": .string(reason), "failures": .integer(Int(failures)),
      ])
  }

  /// Writes what became of an alarm; what cannot be written leaves it due.
  private func settle(_ alarm: Alarm, _ statement: Statement, at time: Int64?) async {
    let error = await write(statement)
    ended[alarm]? = true
    if error != nil {
      // It may be so for long.
      return expect(store.options.now() + 1_000)
    }
    if let time { expect(time) }
    if hasMore { await look() }
  }

  /// Submits in the turn of the caller, and returns when it is on disk, or why it cannot be.
  private func write(_ statement: Statement) async -> StoreError? {
    await withCheckedContinuation { continuation in
      do throws(StoreError) {
        try store.submit(
          tenant: Store.controlTenant, batch: Batch(owner: Owner.host, statements: [statement])
        ) { result in
          switch result {
          case .success: continuation.resume(returning: nil)
          case .failure(let error): continuation.resume(returning: error)
          }
        }
      } catch {
        continuation.resume(returning: error)
      }
    }
  }
}
