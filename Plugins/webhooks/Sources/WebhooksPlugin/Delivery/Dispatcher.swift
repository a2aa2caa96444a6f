internal import PluginKit

/// Sends what is due to endpoints, each in its own lane. At work in one shard of an instance at a time. Loop thread.
final class Dispatcher {
  /// How often it is tried to become the one who delivers while another generation is, in milliseconds.
  private static let patience = 100
  /// The pause after the store could not be asked, in milliseconds.
  private static let storePause = 1_000
  /// How long an endpoint waits of which it could not be noted what it answered, in milliseconds: it is sent the same again.
  private static let unnotedPause: Int64 = 30_000
  /// How often it is looked after the tenure while something is under way, in milliseconds.
  private static let keeping = 5_000

  private let settings: WebhookSettings
  private let context: ShardContext
  private let desk: Desk
  private let tenure: Tenure
  private let book: EndpointBook
  private let secrets: EndpointSecrets
  private let journal: Journal
  private var bookRevision: Int64?
  private var lanes: [Lane] = []
  private var lanesByID: [String: Lane] = [:]
  /// Where the round goes on, so that each lane has its turn.
  private var turn = 0
  private var underWay = 0
  /// Of these, those of lanes that may take their time: they have no more than half of the room.
  private var slowUnderWay = 0
  /// Lanes, and rows of each, that are read together: fewer once they were too large.
  private var most = (lanes: 16, rows: Int.max)
  private var isAtWork = false
  private var isDraining = false
  private var timer: Timer?
  private let gauge: Metric?

  init(
    _ settings: WebhookSettings, _ context: ShardContext, _ desk: Desk, _ tenure: Tenure,
    _ book: EndpointBook, _ secrets: EndpointSecrets
  ) {
    self.settings = settings
    self.context = context
    self.desk = desk
    self.tenure = tenure
    self.book = book
    self.secrets = secrets
    journal = Journal(settings, context, desk)
    gauge = try? context.metrics.gauge("under_way", "Attempts that are under way.")
  }

  /// Calls `action` when there are letters that are to go out.
  func whenTold(_ action: @escaping () -> Void) { journal.whenTold = action }

  /// Has what is due sent, by this shard or by the one that delivers already.
  func begin() {
    guard !isDraining else { return }
    desk.bell.ring()
    guard !isAtWork, desk.claim(loop: context.loopIndex) else { return }
    isAtWork = true
    context.spawn { [self] in
      defer {
        isAtWork = false
        desk.release(loop: context.loopIndex)
      }
      while context.isOpen, !isDraining, !Task.isCancelled {
        wait(milliseconds: await round())
        await desk.bell.wait()
      }
    }
  }

  /// Begins nothing any more. What is under way ends here, or is taken over by the next generation when it must have ended.
  func drain() {
    guard !isDraining else { return }
    isDraining = true
    desk.bell.ring()
    let until = try? context.clock.now().adding(
      milliseconds: Int64(settings.timeoutMilliseconds) + 2_000)
    let ids = lanes.flatMap { $0.underWay }
    tenure.leave()
    guard isAtWork, let until else { return }
    context.spawn { [self] in
      try await context.store.commit {
        if !ids.isEmpty {
          """
          UPDATE webhooks_deliveries SET next_at = \(until)
          WHERE id IN (\(each: ids)) AND state = 'pending'
          """ as SQL
        }
        tenure.end
      }
    }
  }

  /// Begins what can begin.
  ///
  /// - Returns: when to look again though nobody rings, in milliseconds; nil: not before.
  private func round() async -> Int? {
    do {
      try await renewLanes()
      try await load()
      guard underWay > 0 || lanes.contains(where: { !$0.ready.isEmpty }) else { return nextLook() }
      let wasHeld = try tenure.isHeld()
      guard try await tenure.hold() else { return Self.patience }
      if !wasHeld {
        // What was read before may be what another has had under way.
        for lane in lanes { lane.readAnew() }
        try await load()
      }
      guard !isDraining else { return nil }
      start()
      return nextLook()
    } catch {
      if context.isOpen, !isDraining, !Task.isCancelled {
        context.log.warning("deliveries go on later", ["error": "\(error)"])
      }
      return Self.storePause
    }
  }

  private func wait(milliseconds: Int?) {
    if let timer { context.timers.cancel(timer) }
    timer = nil
    guard let milliseconds, context.isOpen, !isDraining else { return }
    timer = try? context.timers.after(milliseconds: milliseconds) { [desk] in desk.bell.ring() }
  }

  private func renewLanes() async throws {
    let stirred = desk.takeStirred()
    do {
      try await book.refresh()
    } catch {
      desk.stirQuietly()
      throw error
    }
    if book.revision != bookRevision {
      bookRevision = book.revision
      secrets.forget()
      lanes = book.endpoints.map { endpoint in
        guard let lane = lanesByID[endpoint.id] else { return Lane(endpoint) }
        lane.renew(endpoint)
        return lane
      }
      lanesByID = Dictionary(lanes.map { ($0.endpoint.id, $0) }) { first, _ in first }
    }
    if let stirred {
      for id in stirred { lanesByID[id]?.isStirred = true }
    } else {
      for lane in lanes { lane.isStirred = true }
    }
  }

  /// Fills lanes that have nothing ready with what is due of theirs.
  private func load() async throws {
    let now = try context.clock.now()
    let hungry = lanes.filter { lane in
      guard lane.isEnabled, lane.ready.isEmpty else { return false }
      return lane.isStirred || lane.nextDue.map { $0 <= now } ?? false
    }
    var from = hungry.startIndex
    while from < hungry.endIndex {
      let part = hungry[from..<min(from + most.lanes, hungry.endIndex)]
      from = part.endIndex
      for lane in part { lane.isStirred = false }
      // One that ends while it is read is in neither the rows of after nor those under way.
      let before = part.map(\.underWay)
      let rows: [Rows]
      do {
        rows = try await context.store.read(
          part.flatMap { lane in
            [
              Due.select(
                lane.endpoint.id, at: now, limit: min(lane.window, most.rows) + lane.underWay.count),
              Due.next(lane.endpoint.id, after: now),
            ]
          })
      } catch {
        for lane in part { lane.isStirred = true }
        if case StoreError.failed(.tooLarge, _) = error {
          most = (max(1, most.lanes / 2), max(1, min(most.rows, 64) / 2))
        }
        throw error
      }
      for (index, lane) in part.enumerated() {
        let due = try rows[2 * index].map { try Due($0) }
        let known = before[index].union(lane.underWay)
        lane.ready = due.filter { !known.contains($0.id) }[...]
        lane.nextDue = try rows[2 * index + 1].first?["next_at", Timestamp.self]
      }
    }
  }

  /// One of each lane, and again, while there is room.
  private func start() {
    guard !lanes.isEmpty, let now = try? context.clock.now(),
      let nanoseconds = try? context.clock.monotonicNanoseconds()
    else { return }
    var passed = 0
    while underWay < settings.concurrency, passed < lanes.count {
      turn = turn + 1 < lanes.count ? turn + 1 : 0
      let lane = lanes[turn]
      guard lane.hasRoom(at: now),
        !lane.isSlow || slowUnderWay < max(1, settings.concurrency / 2),
        let due = lane.take(at: nanoseconds)
      else {
        passed += 1
        continue
      }
      passed = 0
      attempt(due, in: lane)
    }
  }

  private func nextLook() -> Int? {
    guard let now = try? context.clock.now(),
      let nanoseconds = try? context.clock.monotonicNanoseconds()
    else { return Self.storePause }
    // Whoever waits for room is looked at when something ends. While anything is under way the tenure is kept.
    guard underWay < settings.concurrency else { return Self.keeping }
    let pauses = lanes.compactMap { lane in
      lane.isSlow && !lane.ready.isEmpty && slowUnderWay >= max(1, settings.concurrency / 2)
        ? nil : lane.pause(at: now, nanoseconds)
    }
    // A clock that is set is noticed within a minute.
    let longest = underWay > 0 ? Self.keeping : 60_000
    guard let least = pauses.min() else { return underWay > 0 ? longest : nil }
    return min(Int(clamping: max(least, 1)), longest)
  }

  private func attempt(_ due: Due, in lane: Lane) {
    let isSlow = lane.isSlow
    underWay += 1
    gauge?.add()
    if isSlow { slowUnderWay += 1 }
    context.spawn { [self] in
      defer {
        underWay -= 1
        gauge?.add(-1)
        if isSlow { slowUnderWay -= 1 }
        lane.end(due.id)
        desk.bell.ring()
      }
      do {
        try await send(due, in: lane)
      } catch {
        guard context.isOpen, !Task.isCancelled else { return }
        let pause = error is StoreError ? Self.unnotedPause : Int64(Self.storePause)
        let next = try context.clock.now().adding(milliseconds: pause)
        lane.restsUntil = max(lane.restsUntil ?? next, next)
        context.log.warning(
          "an attempt is repeated", ["delivery": due.id, "error": "\(error)"])
      }
    }
  }

  private func send(_ due: Due, in lane: Lane) async throws {
    let endpoint = lane.endpoint
    let now = try context.clock.now()
    let found: RawJSON?
    do {
      found = try await data(of: due.message, for: endpoint)
    } catch {
      guard context.isOpen, !Task.isCancelled else { return }
      return try await journal.postpone(due, in: lane, because: error)
    }
    guard let data = found else { return try await journal.drop(due, in: lane) }
    let attempt = try Attempt(
      due, to: endpoint, try Payload.body(of: due.message, data), try await secrets.find(endpoint),
      at: now)
    let outcome: Outcome
    do {
      let response = try await context.client.send(attempt.request(settings))
      outcome = Outcome(response, at: try context.clock.now())
    } catch let error as HostError {
      let elapsed = try context.clock.now().unixMilliseconds - now.unixMilliseconds
      guard let failure = Outcome(error, elapsed: max(0, elapsed)) else {
        // Nothing was sent, or it was broken off here: the endpoint is not to blame.
        lane.restsUntil = now.adding(milliseconds: 250)
        lane.isStirred = true
        return
      }
      outcome = failure
    }
    // What another URL answers says nothing of the present one.
    if attempt.url == lane.endpoint.url {
      lane.learn(outcome, most: settings.endpointConcurrency)
      if let pause = outcome.pause {
        let most = settings.retryAfterSeconds * 1_000
        lane.restsUntil = try context.clock.now().adding(milliseconds: min(pause, most))
      }
    }
    try await journal.write(attempt, outcome, in: lane)
  }

  private func data(of message: Message, for endpoint: Endpoint) async throws -> RawJSON? {
    settings.transform
      ? try await Transformation.data(of: message, for: endpoint, context)
      : try Payload.data(of: message, isThin: endpoint.payload == .thin)
  }
}
