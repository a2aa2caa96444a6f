internal import Bus
internal import CSluice
internal import EventLoop
internal import Gateway
internal import Store

/// Brings a tenant's events to one listening plugin, one at a time, from where its cursor stands (ext/events.h).
///
/// `@unchecked Sendable`: confined to its loop; store threads only carry the reference, and post.
final class EventPump: @unchecked Sendable {
  private unowned let shard: Shard
  private let patterns: [DottedPattern]
  private var nextDelivery: UInt64 = 1
  /// The next event is the last.
  private var queue: [CommittedEvent] = []
  /// The last event that is dealt with, or wanted by nobody; -1 until the store has said.
  private var cursor: Int64 = -1
  /// Where the cursor stands on disk, as far as known.
  private var storedCursor: Int64 = -1
  private var isReading = false
  private var isStopped = false
  /// Whether no further event is begun; the one in the plugin's hands may still end.
  private var isDraining = false
  /// Whether events may have come since the last read.
  private var isBehind = true
  private var pauseMilliseconds: UInt64 = 0
  private var current: (delivery: UInt64, sequence: Int64, hasEnded: Bool)?

  private static let page = 256
  /// How long the place behind passed events may be known in memory alone, in milliseconds.
  private static let patience: UInt64 = 1_000
  private var isKeepingPlace = false

  /// Begins where the plugin left off for this tenant. [loop-thread]
  init(_ shard: Shard) {
    self.shard = shard
    patterns = shard.plugin.manifest.listens
    locate()
  }

  /// Asks the store where the cursor stands, and goes on from there.
  private func locate() {
    let listener = shard.plugin.manifest.id
    attempt { [self] done throws(StoreError) in
      try shard.instance.host.store.cursor(
        tenant: shard.tenant, listener: listener, completion: done)
    } then: { [self] (position: Int64?) in
      // None: the plugin has just been switched off.
      guard let position else { return stop() }
      // What was passed over since the place was written down is not heard again.
      (cursor, storedCursor) = (max(cursor, position), position)
      queue = []
      isBehind = true
      read()
    }
  }

  /// Events of the tenant are on disk. [loop-thread]
  func wake() {
    isBehind = true
    read()
  }

  /// Begins no further event: the plugin's next generation takes them. [loop-thread]
  func drain() {
    keepPlace()
    isDraining = true
    queue = []
  }

  /// Ends everything; what the store still answers is for nobody. [loop-thread]
  func stop() { isStopped = true }

  private func read() {
    guard !isStopped, !isDraining, !isReading, cursor >= 0, queue.isEmpty, current == nil, isBehind
    else { return }
    isReading = true
    isBehind = false
    let from = cursor
    attempt { [self] done throws(StoreError) in
      try shard.instance.host.store.eventsAfter(
        tenant: shard.tenant, sequence: from, limit: Self.page, completion: done)
    } then: { [self] (events: [CommittedEvent]) in
      isReading = false
      queue = events.reversed()
      if !events.isEmpty { isBehind = true }
      next()
    }
  }

  /// Delivers the next event that the plugin wants; moves the cursor past those that it does not.
  private func next() {
    guard !isStopped, !isDraining, current == nil else { return }
    while let event = queue.last, !patterns.contains(where: { $0.matches(event.type) }) {
      queue.removeLast()
      cursor = event.sequence
    }
    guard let event = queue.last else {
      keepPlaceSoon()
      return read()
    }
    deliver(event)
  }

  /// Sees that the place behind events of which nothing came is written down, once for many: the tenant's file keeps all events
  /// above the lowest cursor, and after a crash a tenant is opened whose listeners have not heard all.
  private func keepPlaceSoon() {
    guard cursor > storedCursor else { return }
    if cursor - storedCursor >= Int64(Self.page) { return keepPlace() }
    guard !isKeepingPlace else { return }
    isKeepingPlace = true
    shard.eventLoop.after(Self.patience) { [weak self] in
      guard let self, !isStopped else { return }
      isKeepingPlace = false
      keepPlace()
    }
  }

  private func keepPlace() {
    guard !isStopped, !isDraining, cursor > storedCursor else { return }
    storedCursor = cursor
    // Nothing depends on it: what fails is made up for by the next one.
    try? shard.instance.host.store.submit(tenant: shard.tenant, batch: move(to: cursor)) { _ in }
  }

  private func move(to sequence: Int64) -> Batch {
    Batch(
      owner: shard.tablePrefix, statements: [],
      advance: CursorAdvance(listener: shard.plugin.manifest.id, sequence: sequence))
  }

  private func deliver(_ event: CommittedEvent) {
    guard let table = shard.plugin.listener else { return }
    let delivery = nextDelivery
    nextDelivery += 1
    current = (delivery, event.sequence, false)
    shard.deliveries[delivery] = event.sequence
    let publication = Publication(
      tenant: shard.tenant, channel: event.channel ?? "", sequence: event.sequence,
      offset: event.offset ?? 0,
      time: event.timeMilliseconds, type: event.type, id: event.id, epoch: "", data: event.data)
    var status: Int32 = 0
    publication.withEvent { contract in
      status = shard.call("event") { table.pointee.event(shard.value, contract, delivery) }
    }
    if status != SLUICE_PENDING { done(delivery, status) }
  }

  /// A delivery has ended. False when it is none that goes on. [loop-thread]
  @discardableResult
  func done(_ delivery: UInt64, _ outcome: Int32) -> Bool {
    guard !isStopped, let current, current.delivery == delivery, !current.hasEnded else {
      return false
    }
    self.current?.hasEnded = true
    if outcome == SLUICE_EVENT_PASSED_OVER {
      pauseMilliseconds = 0
      pass(delivery, at: current.sequence)
      return true
    }
    guard outcome >= 0 else {
      pauseMilliseconds = min(max(pauseMilliseconds * 2, 100), 60_000)
      later { $0.again(delivery) }
      return true
    }
    pauseMilliseconds = 0
    // The shard may be closed while the store works; its loop is there as long as the process.
    let eventLoop = shard.eventLoop
    // A batch that named the delivery has moved the cursor already: then this one is refused, and nothing is lost.
    do throws(StoreError) {
      try shard.instance.host.store.submit(
        tenant: shard.tenant, batch: move(to: current.sequence)
      ) { [self] result in
        eventLoop.post { [self] in
          guard !isStopped else { return }
          if case .failure(let error) = result, error.code != .conflict {
            return later { $0.again(delivery) }
          }
          settled(delivery, at: current.sequence)
        }
      }
    } catch {
      later { $0.again(delivery) }
    }
    return true
  }

  private func settled(_ delivery: UInt64, at sequence: Int64) {
    guard !isStopped, current?.delivery == delivery else { return }
    storedCursor = sequence
    pass(delivery, at: sequence)
  }

  /// Goes on behind an event.
  private func pass(_ delivery: UInt64, at sequence: Int64) {
    shard.deliveries[delivery] = nil
    current = nil
    cursor = sequence
    if !queue.isEmpty { queue.removeLast() }
    next()
  }

  /// A delivery that failed is over. What comes next the store knows: a batch of the plugin's may have moved the cursor
  /// though the plugin then failed, and so may an older generation have.
  private func again(_ delivery: UInt64) {
    guard !isStopped, current?.delivery == delivery else { return }
    shard.deliveries[delivery] = nil
    current = nil
    if !isDraining { locate() }
  }

  private func later(_ body: @escaping (EventPump) -> Void) {
    shard.eventLoop.after(max(pauseMilliseconds, 100)) { [weak self] in
      guard let self, !isStopped else { return }
      body(self)
    }
  }

  /// Asks the store, and asks again later when it cannot answer.
  private func attempt<T: Sendable>(
    _ body:
      @escaping (@escaping @Sendable (Result<T, StoreError>) -> Void) throws(StoreError) -> Void,
    then: @escaping (T) -> Void
  ) {
    let eventLoop = shard.eventLoop
    let box = UncheckedBox((body: body, then: then))
    do throws(StoreError) {
      try body { [self] result in
        eventLoop.post { [self] in
          guard !isStopped, !isDraining else { return }
          if case .success(let value) = result { return box.value.then(value) }
          isReading = false
          later { $0.attempt(box.value.body, then: box.value.then) }
        }
      }
    } catch {
      isReading = false
      later { $0.attempt(body, then: then) }
    }
  }
}

/// Carries a loop's own closures through a store thread and back.
///
/// `@unchecked Sendable`: only the loop looks inside.
private struct UncheckedBox<Value>: @unchecked Sendable {
  let value: Value
  init(_ value: Value) { self.value = value }
}
