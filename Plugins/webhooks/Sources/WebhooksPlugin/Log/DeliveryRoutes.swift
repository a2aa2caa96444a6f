internal import PluginKit

/// `/v1/webhooks/{id}/deliveries` and what is below it.
extension WebhooksShard {
  /// `GET /v1/webhooks/{id}/deliveries?state=&after=&limit=`
  func listDeliveries(_ request: Request) async throws -> Response {
    let endpoint = try await endpoint(try request.parameter(0))
    let limit = request.query("limit").flatMap { Int($0) } ?? 25
    let after = request.query("after")
    let query: SQL
    if let state = request.query("state") {
      // In the order of the index: of those that have ended that is when they were queued.
      query = """
        SELECT \(raw: ShownDelivery.columns)
        FROM webhooks_deliveries d JOIN webhooks_messages m ON m.id = d.message
        WHERE d.endpoint = \(endpoint.id) AND d.state = \(state) AND (\(after) IS NULL
          OR (d.next_at, d.id) < (SELECT a.next_at, a.id FROM webhooks_deliveries a WHERE a.id = \(after)))
        ORDER BY d.next_at DESC, d.id DESC LIMIT \(limit + 1)
        """
    } else {
      query = """
        SELECT \(raw: ShownDelivery.columns)
        FROM webhooks_deliveries d JOIN webhooks_messages m ON m.id = d.message
        WHERE d.endpoint = \(endpoint.id) AND d.id < \(after ?? "~")
        ORDER BY d.id DESC LIMIT \(limit + 1)
        """
    }
    let found = try await context.store.read(query).map { try ShownDelivery($0) }
    let shown = Array(found.prefix(limit))
    return try .json(Page(data: shown, next: found.count > limit ? shown.last?.id : nil))
  }

  /// `GET /v1/webhooks/{id}/deliveries/{delivery}`
  func readDelivery(_ request: Request) async throws -> Response {
    let endpoint = try await endpoint(try request.parameter(0))
    let id = try request.parameter(1)
    let rows = try await context.store.read([
      """
      SELECT \(raw: ShownDelivery.columns), m.at, m.data
      FROM webhooks_deliveries d JOIN webhooks_messages m ON m.id = d.message
      WHERE d.id = \(id) AND d.endpoint = \(endpoint.id)
      """,
      """
      SELECT * FROM webhooks_attempts WHERE delivery = \(id) ORDER BY number DESC LIMIT 100
      """,
    ])
    guard let row = rows[0].first else { throw Self.unknownDelivery(id) }
    let message = Message(
      id: try row["message", String.self], type: try row["type", String.self],
      channel: try row["channel", String?.self], at: try row["at", Timestamp.self],
      data: try row["data", RawJSON.self])
    let body = try Payload.body(
      of: message, try Payload.data(of: message, isThin: endpoint.payload == .thin))
    return try .json(
      DeliveryDetail(
        delivery: try ShownDelivery(row), payload: RawJSON(unchecked: body),
        attempts: try rows[1].map { try ShownAttempt($0) }))
  }

  /// `POST /v1/webhooks/{id}/deliveries/{delivery}/retry`
  func retryDelivery(_ request: Request) async throws -> Response {
    let endpoint = try await endpoint(try request.parameter(0))
    try refuseDisabled(endpoint)
    let id = try request.parameter(1)
    let now = try context.clock.now()
    var batch = Batch()
    // One that is due is only due now; one that has ended begins its schedule anew.
    batch.add(
      SQL(
        """
        UPDATE webhooks_deliveries SET next_at = \(now), ended_at = NULL,
          attempts_before = CASE WHEN state = 'pending' THEN attempts_before ELSE attempts END,
          ordering_key = CASE WHEN state = 'pending' THEN ordering_key END, state = 'pending'
        WHERE id = \(id) AND endpoint = \(endpoint.id) AND state <> 'waiting'
        """
      ).expect(exactly: 1))
    do {
      try await watch.commit(batch, at: now)
    } catch StoreError.conflict {
      guard try await isKnown(id, of: endpoint) else { throw Self.unknownDelivery(id) }
      throw Problem.conflict("The delivery waits for another of its channel, which goes first.")
    }
    return try await queued(id, of: endpoint)
  }

  private struct Trial: Decodable {
    /// What is sent looks like an event of this type.
    let type: String?
  }

  /// `POST /v1/webhooks/{id}/test`
  func testEndpoint(_ request: Request) async throws -> Response {
    let type = request.body.isEmpty ? nil : try request.decode(Trial.self).type
    let endpoint = try await endpoint(try request.parameter(0))
    try refuseDisabled(endpoint)
    let data = try type.map { try example(ofType: $0) }
    let now = try context.clock.now()
    let delivery = try context.id.make("dlv")
    let message = try context.id.make("evt")
    var batch = Batch()
    batch.add(
      """
      INSERT INTO webhooks_messages (id, type, channel, sequence, at, data, created_at)
      VALUES (\(message), \(type ?? "webhooks.test"), NULL, 0, \(now),
        \(try data ?? RawJSON(encoding: ["endpoint": endpoint.id])), \(now))
      """)
    batch.add(
      SQL(
        """
        INSERT INTO webhooks_deliveries (id, message, endpoint, state, attempts, attempts_before,
          next_at, sequence, created_at)
        SELECT \(delivery), \(message), e.id, 'pending', 0, 0, \(now), 0, \(now)
        FROM webhooks_endpoints e WHERE e.id = \(endpoint.id) AND e.state = 'enabled'
        """
      ).expect(exactly: 1))
    try await watch.commit(batch, at: now)
    return try await queued(delivery, of: endpoint)
  }

  /// Has it sent, and answers with it.
  private func queued(_ id: String, of endpoint: Endpoint) async throws -> Response {
    desk.stir([endpoint.id])
    dispatcher.begin()
    let row = try await context.store.read(
      """
      SELECT \(raw: ShownDelivery.columns)
      FROM webhooks_deliveries d JOIN webhooks_messages m ON m.id = d.message WHERE d.id = \(id)
      """
    ).first
    guard let row else { throw Self.unknownDelivery(id) }
    return try .json(try ShownDelivery(row), status: 202)
  }

  private func isKnown(_ id: String, of endpoint: Endpoint) async throws -> Bool {
    try await context.store.read(
      "SELECT 1 AS known FROM webhooks_deliveries WHERE id = \(id) AND endpoint = \(endpoint.id)"
    ).first != nil
  }

  /// - Throws: `Problem` 409.
  func refuseDisabled(_ endpoint: Endpoint) throws {
    guard endpoint.state == .enabled else {
      throw Problem.conflict("The endpoint is disabled; enable it first.")
    }
  }

  private static func unknownDelivery(_ id: String) -> Problem {
    .notFound("There is no delivery \"\(id)\" of this endpoint.")
  }
}
