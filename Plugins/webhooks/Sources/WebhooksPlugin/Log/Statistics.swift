internal import PluginKit

/// `GET /v1/webhooks/{id}/stats`: what came of an endpoint's deliveries.
extension WebhooksShard {
  private struct Hour: Encodable {
    let hour: Timestamp
    let succeeded: Int64
    let failed: Int64
    let averageMilliseconds: Int64

    private enum CodingKeys: String, CodingKey {
      case hour, succeeded, failed
      case averageMilliseconds = "average_ms"
    }
  }

  private struct Statistics: Encodable {
    let pending: Int64
    let isMore: Bool
    let oldestPendingAt: Timestamp?
    let succeeded: Int64
    let failed: Int64
    let hours: [Hour]

    private enum CodingKeys: String, CodingKey {
      case pending
      case isMore = "pending_is_more"
      case oldestPendingAt = "oldest_pending_at"
      case succeeded, failed, hours
    }
  }

  /// Counting stops there, so that an endpoint with a million waiting is asked about as quickly as any.
  private static let counted: Int64 = 10_000

  func readStatistics(_ request: Request) async throws -> Response {
    let endpoint = try await endpoint(try request.parameter(0))
    let now = try context.clock.now()
    let since = now.adding(milliseconds: -24 * 3_600_000)
    let rows = try await context.store.read([
      """
      SELECT count(*) AS waiting FROM (SELECT 1 FROM webhooks_deliveries
        WHERE endpoint = \(endpoint.id) AND state IN ('pending', 'waiting') LIMIT \(Self.counted + 1)) AS w
      """,
      """
      SELECT created_at FROM webhooks_deliveries WHERE endpoint = \(endpoint.id) AND state = 'pending'
      ORDER BY next_at LIMIT 1
      """,
      """
      SELECT hour, succeeded, failed, elapsed_ms FROM webhooks_hours
      WHERE endpoint = \(endpoint.id) AND hour > \(since) ORDER BY hour
      """,
    ])
    let waiting = try rows[0].first?["waiting", Int64.self] ?? 0
    let hours = try rows[2].map { row in
      let (succeeded, failed) = (try row["succeeded", Int64.self], try row["failed", Int64.self])
      return Hour(
        hour: try row["hour", Timestamp.self], succeeded: succeeded, failed: failed,
        averageMilliseconds: try row["elapsed_ms", Int64.self] / max(1, succeeded + failed))
    }
    return try .json(
      Statistics(
        pending: min(waiting, Self.counted), isMore: waiting > Self.counted,
        oldestPendingAt: try rows[1].first?["created_at", Timestamp.self],
        succeeded: hours.reduce(0) { $0 + $1.succeeded },
        failed: hours.reduce(0) { $0 + $1.failed }, hours: hours))
  }
}
