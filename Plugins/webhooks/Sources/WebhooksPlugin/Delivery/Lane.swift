internal import PluginKit

/// One endpoint's own way out, so that none waits for another. Loop thread.
///
/// What is to go stands on disk. Here are those under way and the few that come next.
final class Lane {
  private(set) var endpoint: Endpoint
  /// Whether there may be some on disk that are due and not here.
  var isStirred = true
  /// When the next is due of those on disk; nil: none that is known of.
  var nextDue: Timestamp?
  var ready: ArraySlice<Due> = []
  private(set) var underWay: Set<String> = []
  /// The endpoint asked to be left alone until then, or the host has no room before.
  var restsUntil: Timestamp?
  private var bucket: TokenBucket?
  /// How many may be under way: one until the endpoint has shown that it answers, and again when it does not.
  private var width = 1
  /// How many that are due are taken from disk at a time: few of an endpoint that has not shown that it answers.
  var window: Int { 2 * width }
  /// Whether it may take its time: its last attempt failed or was slow. One that is known to fail is so from the start.
  private(set) var isSlow: Bool

  init(_ endpoint: Endpoint) {
    self.endpoint = endpoint
    isSlow = endpoint.failingSince != nil
  }

  /// Takes the endpoint as it is now.
  func renew(_ endpoint: Endpoint) {
    if endpoint.rateLimit != self.endpoint.rateLimit { bucket = nil }
    if endpoint.state != self.endpoint.state || endpoint.url != self.endpoint.url {
      // What the one before asked for, or could take, is not this one's.
      restsUntil = nil
      width = 1
      isStirred = true
    }
    let known = self.endpoint
    self.endpoint = endpoint
    // What this shard has written of its health since may be newer than what was read.
    if endpoint.updatedAt == known.updatedAt {
      setHealth(failingSince: known.failingSince, toldAt: known.toldAt)
    }
  }

  /// Forgets what was read of what is due.
  func readAnew() {
    ready = []
    isStirred = true
  }

  /// Keeps what became of the endpoint's health.
  func setHealth(failingSince: Timestamp?, toldAt: Timestamp?) {
    endpoint.failingSince = failingSince
    endpoint.toldAt = toldAt
  }

  var isEnabled: Bool { endpoint.state == .enabled }

  /// Whether one may begin now but for its rate.
  func hasRoom(at now: Timestamp) -> Bool {
    isEnabled && !ready.isEmpty && underWay.count < width && (restsUntil ?? now) <= now
  }

  /// Takes the next, if its rate lets it.
  func take(at nanoseconds: UInt64) -> Due? {
    if let rate = endpoint.rateLimit {
      if bucket == nil { bucket = TokenBucket(perSecond: rate, at: nanoseconds) }
      guard bucket?.take(at: nanoseconds) == true else { return nil }
    }
    guard let due = ready.popFirst() else { return nil }
    underWay.insert(due.id)
    return due
  }

  /// How long until one may begin that waits for nothing but time, in milliseconds; nil: it waits for something else.
  func pause(at now: Timestamp, _ nanoseconds: UInt64) -> Int64? {
    guard isEnabled else { return nil }
    guard !ready.isEmpty else {
      return nextDue.map { max(0, $0.unixMilliseconds - now.unixMilliseconds) }
    }
    guard underWay.count < width else { return nil }
    let rest = max(0, (restsUntil ?? now).unixMilliseconds - now.unixMilliseconds)
    return max(rest, bucket?.wait(at: nanoseconds) ?? 0)
  }

  /// One has ended, which was taken.
  func end(_ id: String) {
    underWay.remove(id)
    if ready.isEmpty { isStirred = true }
  }

  /// What an attempt shows of the endpoint.
  ///
  /// - Parameter most: how many may be under way of one that answers.
  func learn(_ outcome: Outcome, most: Int) {
    isSlow = !outcome.isSuccess || outcome.elapsed > 1_000
    width = outcome.isSuccess ? min(most, width * 2) : 1
  }
}

/// A delivery that is due, with its event.
struct Due: Sendable {
  let id: String
  let message: Message
  let attempts: Int64
  let attemptsBefore: Int64
  let orderingKey: String?

  init(_ row: Row) throws {
    id = try row["id", String.self]
    message = Message(
      id: try row["message", String.self], type: try row["type", String.self],
      channel: try row["channel", String?.self], at: try row["at", Timestamp.self],
      data: try row["data", RawJSON.self])
    attempts = try row["attempts", Int64.self]
    attemptsBefore = try row["attempts_before", Int64.self]
    orderingKey = try row["ordering_key", String?.self]
  }

  /// Which deliveries of an endpoint are due first.
  static func select(_ endpoint: String, at now: Timestamp, limit: Int) -> SQL {
    """
    SELECT d.id, d.message, d.attempts, d.attempts_before, d.ordering_key, m.type, m.channel, m.at, m.data
    FROM webhooks_deliveries d JOIN webhooks_messages m ON m.id = d.message
    WHERE d.endpoint = \(endpoint) AND d.state = 'pending' AND d.next_at <= \(now)
    ORDER BY d.next_at, d.id LIMIT \(limit)
    """
  }

  /// When the first is due that is not yet.
  static func next(_ endpoint: String, after now: Timestamp) -> SQL {
    """
    SELECT next_at FROM webhooks_deliveries
    WHERE endpoint = \(endpoint) AND state = 'pending' AND next_at > \(now)
    ORDER BY next_at LIMIT 1
    """
  }
}
