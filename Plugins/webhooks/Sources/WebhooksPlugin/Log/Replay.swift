internal import PluginKit

/// Events that an endpoint is sent again: a slice at a time, each slice once, whoever goes on with it.
struct Replay: Sendable {
  enum Kind: String, Codable, Sendable {
    /// All that it wants of a range of time, whether it has taken them or not.
    case replay
    /// Those that it has not taken.
    case recover
  }

  /// How many an app may have under way.
  static let most = 16

  let id: String
  let endpoint: String
  let kind: Kind
  let since: Timestamp
  let until: Timestamp
  let positionAt: Timestamp
  let positionID: String
  let queued: Int64
  let batches: Int64
  let createdAt: Timestamp
  let finishedAt: Timestamp?

  init(_ row: Row) throws {
    id = try row["id", String.self]
    endpoint = try row["endpoint", String.self]
    kind = Kind(rawValue: try row["kind", String.self]) ?? .recover
    since = try row["since", Timestamp.self]
    until = try row["until", Timestamp.self]
    positionAt = try row["position_at", Timestamp.self]
    positionID = try row["position_id", String.self]
    queued = try row["queued", Int64.self]
    batches = try row["batches", Int64.self]
    createdAt = try row["created_at", Timestamp.self]
    finishedAt = try row["finished_at", Timestamp?.self]
  }

  /// What is put in the queue of one event; how it stands there is as for a new one.
  ///
  /// - Parameter id: of the delivery, where there is none yet.
  func requeue(_ message: String, _ key: String, sequence: Int64, id: String, at now: Timestamp)
    -> SQL
  {
    let taken = kind == .replay ? "" : "AND webhooks_deliveries.state <> 'succeeded'"
    return """
      INSERT INTO webhooks_deliveries (id, message, endpoint, state, attempts, attempts_before,
        next_at, ordering_key, sequence, created_at)
      SELECT \(id), \(message), e.id, CASE WHEN e.ordered = 1 AND EXISTS (
          SELECT 1 FROM webhooks_deliveries o WHERE o.endpoint = e.id AND o.ordering_key = \(key)
            AND o.state IN ('pending', 'waiting')) THEN 'waiting' ELSE 'pending' END,
        0, 0, \(now), CASE WHEN e.ordered = 1 THEN \(key) END, \(sequence), \(now)
      FROM webhooks_endpoints e WHERE e.id = \(endpoint) AND e.state = 'enabled'
        AND EXISTS (SELECT 1 FROM webhooks_messages m WHERE m.id = \(message))
      ON CONFLICT (message, endpoint) DO UPDATE SET state = excluded.state,
        attempts_before = webhooks_deliveries.attempts, next_at = excluded.next_at,
        ordering_key = excluded.ordering_key, ended_at = NULL
      WHERE webhooks_deliveries.state NOT IN ('pending', 'waiting') \(raw: taken)
      """
  }
}

/// It as the interface shows it.
struct ShownReplay: Encodable {
  let id: String
  let kind: Replay.Kind
  let since: Timestamp
  let until: Timestamp
  let queued: Int64
  let status: String
  let createdAt: Timestamp
  let finishedAt: Timestamp?

  private enum CodingKeys: String, CodingKey {
    case id, kind, since, until, queued, status
    case createdAt = "created_at"
    case finishedAt = "finished_at"
  }

  init(_ replay: Replay) {
    id = replay.id
    kind = replay.kind
    since = replay.since
    until = replay.until
    queued = replay.queued
    status = replay.finishedAt == nil ? "running" : "done"
    createdAt = replay.createdAt
    finishedAt = replay.finishedAt
  }
}
