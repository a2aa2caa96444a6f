internal import PluginKit

/// Writes down what attempts came to, and what that means for the delivery, its key and its endpoint: one batch each. Loop thread.
final class Journal {
  private let settings: WebhookSettings
  private let context: ShardContext
  private let desk: Desk
  private let delivered: Metric?
  private let failed: Metric?
  private let givenUp: Metric?
  /// Called when there are letters that are to go out.
  var whenTold: () -> Void = {}

  init(_ settings: WebhookSettings, _ context: ShardContext, _ desk: Desk) {
    self.settings = settings
    self.context = context
    self.desk = desk
    delivered = try? context.metrics.counter("delivered_total", "Deliveries that were taken.")
    failed = try? context.metrics.counter("attempts_failed_total", "Attempts that failed.")
    givenUp = try? context.metrics.counter("given_up_total", "Deliveries that are tried no more.")
  }

  /// Returns when it is on disk; while nothing can be written the attempt keeps its place, so that no more is sent than can be noted.
  func write(_ attempt: Attempt, _ outcome: Outcome, in lane: Lane) async throws {
    var pause = 100
    while true {
      do {
        return try await writeOnce(attempt, outcome, in: lane)
      } catch StoreError.conflict(statement: 0, _) {
        // Somebody has had it sent again, or it is gone: what this attempt came to is not the last word.
        return
      } catch let error as StoreError where context.isOpen {
        switch error {
        case .conflict:
          // The endpoint was changed meanwhile, or another generation has told of it.
          try? await learnHealth(of: lane)
          desk.endpointChanged()
        case .storageFull, .unavailable, .overloaded: break
        default: throw error
        }
      }
      try await context.timers.sleep(milliseconds: pause)
      pause = min(pause * 2, 5_000)
    }
  }

  /// It is not to go out, and counts as taken.
  func drop(_ due: Due, in lane: Lane) async throws {
    let now = try context.clock.now()
    var batch = Batch()
    batch.isApartFromRequest = true
    batch.add(
      SQL(
        """
        UPDATE webhooks_deliveries SET state = 'succeeded', next_at = created_at, ended_at = \(now),
          error = 'a transformation has dropped it'
        WHERE id = \(due.id) AND state = 'pending' AND attempts = \(due.attempts)
        """
      ).expect(exactly: 1))
    if let key = due.orderingKey {
      batch.add(Self.promotion(endpoint: lane.endpoint.id, key: key, at: now))
    }
    do {
      try await context.store.commit(batch)
    } catch StoreError.conflict(statement: 0, _) {
      // Somebody has had it sent again, or it is gone.
    }
  }

  /// It cannot go out for a reason of this side's: it is tried again a little later, behind what can, and is no attempt.
  func postpone(_ due: Due, in lane: Lane, because error: any Error) async throws {
    let now = try context.clock.now()
    let age = now.unixMilliseconds - due.message.at.unixMilliseconds
    let next = now.adding(milliseconds: min(max(age / 2, 1_000), 60_000))
    context.log.warning(
      "a transformation does not answer", ["delivery": due.id, "error": "\(error)"])
    let oldest = now.adding(milliseconds: -settings.retentionHours * 3_600_000)
    var batch = Batch()
    batch.isApartFromRequest = true
    // What could not go out for as long as entries are kept is given up.
    batch.add(
      """
      UPDATE webhooks_deliveries SET error = 'a transformation has not answered; nothing was sent',
        next_at = CASE WHEN created_at <= \(oldest) THEN created_at ELSE \(next) END,
        ended_at = CASE WHEN created_at <= \(oldest) THEN \(now) END,
        state = CASE WHEN created_at <= \(oldest) THEN 'failed' ELSE 'pending' END
      WHERE id = \(due.id) AND state = 'pending' AND attempts = \(due.attempts)
      """)
    if let key = due.orderingKey {
      batch.add(
        """
        UPDATE webhooks_deliveries SET state = 'pending', next_at = \(now) WHERE id = (
          SELECT id FROM webhooks_deliveries
          WHERE endpoint = \(lane.endpoint.id) AND ordering_key = \(key) AND state = 'waiting'
            AND NOT EXISTS (SELECT 1 FROM webhooks_deliveries o
              WHERE o.endpoint = \(lane.endpoint.id) AND o.ordering_key = \(key)
                AND o.state = 'pending')
          ORDER BY sequence LIMIT 1)
        """)
    }
    try await context.store.commit(batch)
    lane.nextDue = lane.nextDue.map { min($0, next) } ?? next
  }

  private func writeOnce(_ attempt: Attempt, _ outcome: Outcome, in lane: Lane) async throws {
    let now = try context.clock.now()
    let verdict = try Verdict(
      outcome, attempt, lane.endpoint, settings, at: now, chance: try chance())
    var batch = Batch()
    batch.isApartFromRequest = true
    batch.add(ending(attempt, outcome, verdict, at: now))
    batch.add(logged(attempt, outcome))
    batch.add(counted(outcome, of: lane.endpoint.id, at: now))
    if verdict.hasEnded, let key = attempt.due.orderingKey {
      batch.add(Self.promotion(endpoint: lane.endpoint.id, key: key, at: now))
    }
    try add(verdict, of: lane.endpoint, to: &batch, at: now)
    try await context.store.commit(batch)
    lane.setHealth(failingSince: verdict.failingSince, toldAt: verdict.toldAt)
    switch verdict.ending {
    case .succeeded: delivered?.add()
    case .retried: failed?.add()
    case .failed:
      failed?.add()
      givenUp?.add()
    }
    if let next = verdict.nextAt {
      lane.nextDue = lane.nextDue.map { min($0, next) } ?? next
    }
    if verdict.isTelling || verdict.isDisabling { whenTold() }
    if verdict.isDisabling {
      desk.endpointChanged()
      context.log.warning(
        "an endpoint is disabled",
        ["endpoint": lane.endpoint.id, "reason": verdict.disabling?.rawValue ?? ""])
    }
  }

  private func chance() throws -> Double {
    let bytes = try context.random.bytes(4)
    return Double(bytes.reduce(UInt32(0)) { $0 << 8 | UInt32($1) }) / Double(UInt32.max)
  }

  private func ending(
    _ attempt: Attempt, _ outcome: Outcome, _ verdict: Verdict, at now: Timestamp
  ) -> SQL {
    let ended = verdict.hasEnded ? now : nil
    return SQL(
      """
      UPDATE webhooks_deliveries SET state = \(verdict.state), attempts = attempts + 1,
        next_at = coalesce(\(verdict.nextAt), created_at), status = \(outcome.status),
        error = \(outcome.error), ended_at = \(ended)
      WHERE id = \(attempt.due.id) AND state = 'pending' AND attempts = \(attempt.due.attempts)
      """
    ).expect(exactly: 1)
  }

  private func logged(_ attempt: Attempt, _ outcome: Outcome) -> SQL {
    let asked = try? RawJSON(encoding: attempt.shownFields)
    let answered = outcome.status == nil ? nil : try? RawJSON(encoding: outcome.shownFields)
    return """
      INSERT INTO webhooks_attempts (delivery, number, at, elapsed_ms, url, status, error,
        request_headers, response_headers, response_body)
      VALUES (\(attempt.due.id), \(attempt.number), \(attempt.at), \(outcome.elapsed),
        \(attempt.url), \(outcome.status), \(outcome.error), \(asked ?? "{}"), \(answered),
        \(outcome.status == nil ? nil : outcome.body))
      """
  }

  private func counted(_ outcome: Outcome, of endpoint: String, at now: Timestamp) -> SQL {
    let hour = now.unixMilliseconds / 3_600_000 * 3_600_000
    let (succeeded, failed) = outcome.isSuccess ? (1, 0) : (0, 1)
    return """
      INSERT INTO webhooks_hours (endpoint, hour, succeeded, failed, elapsed_ms)
      VALUES (\(endpoint), \(hour), \(succeeded), \(failed), \(outcome.elapsed))
      ON CONFLICT (endpoint, hour) DO UPDATE SET
        succeeded = webhooks_hours.succeeded + excluded.succeeded,
        failed = webhooks_hours.failed + excluded.failed,
        elapsed_ms = webhooks_hours.elapsed_ms + excluded.elapsed_ms
      """
  }

  /// Makes the next of a key due, when the one before it has ended.
  static func promotion(endpoint: String, key: String, at now: Timestamp) -> SQL {
    """
    UPDATE webhooks_deliveries SET state = 'pending', next_at = \(now) WHERE id = (
      SELECT id FROM webhooks_deliveries
      WHERE endpoint = \(endpoint) AND ordering_key = \(key) AND state = 'waiting'
      ORDER BY sequence LIMIT 1)
    """
  }

  private func learnHealth(of lane: Lane) async throws {
    let row = try await context.store.read(
      "SELECT failing_since, told_at FROM webhooks_endpoints WHERE id = \(lane.endpoint.id)"
    ).first
    guard let row else { return }
    lane.setHealth(
      failingSince: try row["failing_since", Timestamp?.self],
      toldAt: try row["told_at", Timestamp?.self])
  }

  /// What the attempt means for its endpoint.
  private func add(
    _ verdict: Verdict, of endpoint: Endpoint, to batch: inout Batch, at now: Timestamp
  ) throws {
    if verdict.isFormer {
      // What another URL answers says nothing of this one.
    } else if verdict.ending == .succeeded {
      // Whatever this shard knows of it: another attempt may have failed meanwhile.
      batch.add(
        """
        UPDATE webhooks_endpoints SET failing_since = NULL, told_at = NULL
        WHERE id = \(endpoint.id) AND failing_since IS NOT NULL
        """)
    } else if let reason = verdict.disabling {
      batch.add(
        SQL(
          """
          UPDATE webhooks_endpoints SET state = 'disabled', reason = \(reason.rawValue),
            failing_since = \(verdict.failingSince), told_at = \(verdict.toldAt), updated_at = \(now)
          WHERE id = \(endpoint.id) AND state = 'enabled' AND url = \(endpoint.url)
          """
        ).expect(exactly: 1))
      batch.add(EndpointBook.changed)
      try tell(.disabled, of: endpoint, reason.rawValue, verdict, in: &batch, at: now)
    } else if verdict.failingSince != endpoint.failingSince || verdict.toldAt != endpoint.toldAt {
      // It does not move what was there before.
      let change: SQL = """
        UPDATE webhooks_endpoints SET told_at = \(verdict.toldAt),
          failing_since = coalesce(failing_since, \(verdict.failingSince))
        WHERE id = \(endpoint.id)
        """
      guard verdict.isTelling else {
        batch.add(change)
        return
      }
      batch.add(
        SQL(
          """
          UPDATE webhooks_endpoints SET failing_since = \(verdict.failingSince),
            told_at = \(verdict.toldAt)
          WHERE id = \(endpoint.id) AND state = 'enabled' AND told_at IS NULL
          """
        ).expect(exactly: 1))
      try tell(.failing, of: endpoint, "failing", verdict, in: &batch, at: now)
    }
  }

  private func tell(
    _ news: HealthNews, of endpoint: Endpoint, _ reason: String, _ verdict: Verdict,
    in batch: inout Batch, at now: Timestamp
  ) throws {
    try batch.emit(
      news.eventType,
      data: HealthNotice(
        id: endpoint.id, url: endpoint.shownURL, reason: reason, failingSince: verdict.failingSince)
    )
    guard !settings.alertEmail.isEmpty else { return }
    batch.add(
      """
      INSERT INTO webhooks_letters (id, endpoint, kind, reason, created_at)
      VALUES (\(try context.id.make("let")), \(endpoint.id), \(news.rawValue), \(reason), \(now))
      """)
  }
}
