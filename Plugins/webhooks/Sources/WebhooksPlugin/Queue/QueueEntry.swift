internal import PluginKit

/// An event on its way into the queue.
struct QueueEntry {
  /// Endpoints in one statement.
  private static let together = 100

  let message: String
  let type: String
  let channel: String?
  let sequence: UInt64
  let at: Timestamp
  let data: RawJSON

  /// What those are ordered by whose endpoint wants order: the channel, and all events without one together.
  static func orderingKey(channel: String?) -> String { channel ?? "" }

  /// The message and its deliveries. A delivery is pending; behind another of its key where the endpoint wants order; missed
  /// where the endpoint is disabled.
  ///
  /// - Parameter due: when those are tried that are pending.
  func insertion(
    for endpoints: [Endpoint], at now: Timestamp, due: Timestamp, id: () throws -> String
  ) rethrows -> [SQL] {
    var statements: [SQL] = [
      """
      INSERT INTO webhooks_messages (id, type, channel, sequence, at, data, created_at)
      VALUES (\(message), \(type), \(channel), \(sequence), \(at), \(data), \(now))
      ON CONFLICT (id) DO NOTHING
      """
    ]
    var from = endpoints.startIndex
    while from < endpoints.endIndex {
      let part = endpoints[from..<min(from + Self.together, endpoints.endIndex)]
      from = part.endIndex
      statements.append(try deliveries(for: part, at: now, due: due, id: id))
    }
    return statements
  }

  private func deliveries(
    for endpoints: ArraySlice<Endpoint>, at now: Timestamp, due: Timestamp,
    id: () throws -> String
  ) rethrows -> SQL {
    var text = SQL.StringInterpolation(
      literalCapacity: 2_048, interpolationCount: 2 * endpoints.count + 8)
    text.appendLiteral(
      """
      INSERT INTO webhooks_deliveries (id, message, endpoint, state, attempts, attempts_before, next_at,
        ordering_key, sequence, created_at, ended_at)
      SELECT v.column1,
      """)
    text.appendLiteral(" ")
    text.appendInterpolation(message)
    text.appendLiteral(", e.id, CASE WHEN e.state <> 'enabled' THEN 'missed'")
    text.appendLiteral(" WHEN e.ordered = 1 AND EXISTS (SELECT 1 FROM webhooks_deliveries o")
    text.appendLiteral(" WHERE o.endpoint = e.id AND o.ordering_key = ")
    text.appendInterpolation(Self.orderingKey(channel: channel))
    text.appendLiteral(" AND o.state IN ('pending', 'waiting')) THEN 'waiting'")
    text.appendLiteral(" ELSE 'pending' END, 0, 0, CASE WHEN e.state = 'enabled' THEN ")
    text.appendInterpolation(due)
    text.appendLiteral(" ELSE ")
    text.appendInterpolation(now)
    text.appendLiteral(" END, CASE WHEN e.ordered = 1 AND e.state = 'enabled' THEN ")
    text.appendInterpolation(Self.orderingKey(channel: channel))
    text.appendLiteral(" END, ")
    text.appendInterpolation(sequence)
    text.appendLiteral(", ")
    text.appendInterpolation(now)
    text.appendLiteral(", CASE WHEN e.state <> 'enabled' THEN ")
    text.appendInterpolation(now)
    text.appendLiteral(" END FROM (VALUES ")
    for (index, endpoint) in endpoints.enumerated() {
      text.appendLiteral(index == 0 ? "(" : ", (")
      text.appendInterpolation(try id())
      text.appendLiteral(", ")
      text.appendInterpolation(endpoint.id)
      text.appendLiteral(")")
    }
    text.appendLiteral(
      """
      ) v JOIN webhooks_endpoints e ON e.id = v.column2
      WHERE e.state <> 'deleted'
      ON CONFLICT (message, endpoint) DO NOTHING
      """)
    return SQL(stringInterpolation: text)
  }
}
