internal import PluginKit

/// What is done beside delivering, a slice at a time: old entries go, and those of endpoints that were deleted. Any shard does it,
/// and what two do at once is done once. Loop thread.
final class Upkeep {
  /// Rows in one batch.
  static let slice = 200
  /// Between two looks for what has grown old, in milliseconds.
  private static let distance = 600_000
  /// After the store could not be used, in milliseconds.
  private static let pause = 5_000

  let settings: WebhookSettings
  let context: ShardContext
  let desk: Desk
  let watch: Watch
  let dispatcher: Dispatcher
  private var isAtWork = false
  private var isBehind = false
  private var hasEnded = false
  private var timer: Timer?

  init(
    _ settings: WebhookSettings, _ context: ShardContext, _ desk: Desk, _ watch: Watch,
    _ dispatcher: Dispatcher
  ) {
    self.settings = settings
    self.context = context
    self.desk = desk
    self.watch = watch
    self.dispatcher = dispatcher
  }

  /// Looks what there is to do, now or when what is being done is done.
  func begin() {
    isBehind = true
    guard !isAtWork, !hasEnded else { return }
    isAtWork = true
    context.spawn { [self] in
      defer { isAtWork = false }
      var next = Self.distance
      do {
        while isBehind, !hasEnded {
          isBehind = false
          if try await work() { isBehind = true }
        }
      } catch {
        guard context.isOpen, !hasEnded else { return }
        context.log.warning("upkeep goes on later", ["error": "\(error)"])
        next = Self.pause
      }
      again(after: next)
    }
  }

  /// Begins nothing more.
  func end() { hasEnded = true }

  private func again(after milliseconds: Int) {
    guard context.isOpen, !hasEnded else { return }
    if let timer { context.timers.cancel(timer) }
    timer = try? context.timers.after(milliseconds: milliseconds) { [unowned self] in begin() }
  }

  /// When something is due of what there is; nil: nothing ever, until something comes.
  func nextDue() async throws -> Timestamp? {
    let rows = try await context.store.read([
      """
      SELECT min((SELECT d.next_at FROM webhooks_deliveries d
        WHERE d.endpoint = e.id AND d.state = 'pending' ORDER BY d.next_at LIMIT 1)) AS due
      FROM webhooks_endpoints e WHERE e.state = 'enabled'
      """,
      """
      SELECT ended_at AS due FROM webhooks_deliveries WHERE ended_at IS NOT NULL
      ORDER BY ended_at LIMIT 1
      """,
      "SELECT updated_at AS due FROM webhooks_endpoints WHERE state = 'deleted' LIMIT 1",
      "SELECT created_at AS due FROM webhooks_replays WHERE finished_at IS NULL LIMIT 1",
      "SELECT created_at AS due FROM webhooks_letters LIMIT 1",
    ])
    let due = try rows.map { try $0.first?["due", Timestamp?.self] ?? nil }
    let oldest = due[1].map { $0.adding(milliseconds: settings.retentionHours * 3_600_000) }
    return [due[0], oldest, due[2], due[3], due[4]].compactMap(\.self).min()
  }

  /// A slice of everything; whether there is more.
  private func work() async throws -> Bool {
    let now = try context.clock.now()
    let isEmptied = try await removeDeleted()
    let isForgotten = try await forget(before: now)
    let isExpired = try await expire(before: now)
    let isReplayed = try await goOnWithReplays()
    let isTold = try await sendLetters()
    return isEmptied || isForgotten || isExpired || isReplayed || isTold
  }

  private var retention: Int64 { settings.retentionHours * 3_600_000 }

  // MARK: - endpoints that are gone

  private func removeDeleted() async throws -> Bool {
    let id = try await context.store.read(
      "SELECT id FROM webhooks_endpoints WHERE state = 'deleted' ORDER BY id LIMIT 1"
    ).first?["id", String.self]
    guard let id else { return false }
    let found = try await context.store.read(
      """
      SELECT id, message FROM webhooks_deliveries WHERE endpoint = \(id)
      ORDER BY id LIMIT \(Self.slice)
      """)
    var batch = removal(of: found)
    if found.count < Self.slice {
      batch.add("DELETE FROM webhooks_hours WHERE endpoint = \(id)")
      batch.add("DELETE FROM webhooks_replays WHERE endpoint = \(id)")
      batch.add(
        """
        DELETE FROM webhooks_endpoints WHERE id = \(id) AND state = 'deleted'
          AND NOT EXISTS (SELECT 1 FROM webhooks_deliveries WHERE endpoint = \(id))
        """)
    }
    try await context.store.commit(batch)
    return true
  }

  /// Deliveries go with their attempts, and with messages that nobody else gets.
  ///
  /// - Parameter end: those alone that have ended by then; nil for all.
  private func removal(of found: Rows, endedBy end: Timestamp? = nil) -> Batch {
    var batch = Batch()
    batch.isApartFromRequest = true
    let ids = found.compactMap { try? $0["id", String.self] }
    let messages = Set(found.compactMap { try? $0["message", String.self] }).sorted()
    guard !ids.isEmpty else { return batch }
    // Somebody may have had one sent again since they were read.
    batch.add(
      """
      DELETE FROM webhooks_deliveries
      WHERE id IN (\(each: ids)) AND (\(end == nil) = 1 OR ended_at <= \(end))
      """)
    batch.add(
      """
      DELETE FROM webhooks_attempts WHERE delivery IN (\(each: ids)) AND NOT EXISTS (
        SELECT 1 FROM webhooks_deliveries d WHERE d.id = webhooks_attempts.delivery)
      """)
    batch.add(
      """
      DELETE FROM webhooks_messages WHERE id IN (\(each: messages))
        AND NOT EXISTS (SELECT 1 FROM webhooks_deliveries d WHERE d.message = webhooks_messages.id)
      """)
    return batch
  }

  // MARK: - what has grown old

  private func forget(before now: Timestamp) async throws -> Bool {
    let end = now.adding(milliseconds: -retention)
    let found = try await context.store.read(
      """
      SELECT id, message FROM webhooks_deliveries WHERE ended_at <= \(end)
      ORDER BY ended_at LIMIT \(Self.slice)
      """)
    var batch = removal(of: found, endedBy: end)
    batch.add(
      """
      DELETE FROM webhooks_hours WHERE (endpoint, hour) IN (
        SELECT endpoint, hour FROM webhooks_hours WHERE hour <= \(end) ORDER BY hour LIMIT \(Self.slice))
      """)
    batch.add(
      """
      DELETE FROM webhooks_received WHERE (source, id) IN (
        SELECT source, id FROM webhooks_received WHERE at <= \(end) ORDER BY at LIMIT \(Self.slice))
      """)
    batch.add(
      "DELETE FROM webhooks_replays WHERE finished_at <= \(end)")
    let received = batch.statements.count - 2
    let commit = try await context.store.commit(batch)
    // The hours stand before what was received.
    return found.count == Self.slice
      || commit.statements[(received - 1)...received].contains { $0.changed == Self.slice }
  }

  /// What has been due for as long as entries are kept, at an endpoint that is disabled or takes too little, is given up.
  private func expire(before now: Timestamp) async throws -> Bool {
    let end = now.adding(milliseconds: -retention)
    let endpoints = try await context.store.read(
      """
      SELECT e.id FROM webhooks_endpoints e WHERE EXISTS (SELECT 1 FROM webhooks_deliveries d
        WHERE d.endpoint = e.id AND d.state = 'pending' AND d.next_at <= \(end))
      ORDER BY e.id LIMIT 50
      """)
    for row in endpoints {
      let endpoint = try row["id", String.self]
      let found = try await context.store.read(
        """
        SELECT id, ordering_key FROM webhooks_deliveries
        WHERE endpoint = \(endpoint) AND state = 'pending' AND next_at <= \(end)
        ORDER BY next_at LIMIT \(Self.slice / 2)
        """)
      var batch = Batch()
      batch.isApartFromRequest = true
      for row in found {
        batch.add(
          """
          UPDATE webhooks_deliveries SET state = 'failed', next_at = created_at, ended_at = \(now),
            error = 'it was not delivered for as long as entries are kept'
          WHERE id = \(try row["id", String.self]) AND state = 'pending'
          """)
        if let key = try row["ordering_key", String?.self] {
          // From when it was queued: it has waited as long.
          batch.add(
            """
            UPDATE webhooks_deliveries SET state = 'pending', next_at = created_at WHERE id = (
              SELECT id FROM webhooks_deliveries
              WHERE endpoint = \(endpoint) AND ordering_key = \(key) AND state = 'waiting'
                AND NOT EXISTS (SELECT 1 FROM webhooks_deliveries o WHERE o.endpoint = \(endpoint)
                  AND o.ordering_key = \(key) AND o.state = 'pending')
              ORDER BY sequence LIMIT 1)
            """)
        }
      }
      try await context.store.commit(batch)
    }
    return !endpoints.isEmpty
  }
}
