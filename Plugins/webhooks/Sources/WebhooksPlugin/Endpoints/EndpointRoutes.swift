internal import PluginKit

/// `/v1/webhooks` and what is below it of endpoints themselves. The app's server alone asks for these.
extension WebhooksShard {
  private struct Rotation: Decodable {
    let graceSeconds: Int64

    private enum CodingKeys: String, CodingKey { case graceSeconds = "grace_seconds" }
  }

  /// `POST /v1/webhooks`
  func createEndpoint(_ request: Request) async throws -> Response {
    let input: EndpointInput = try request.decode()
    try input.check(settings)
    guard let url = input.url, let events = input.events else { throw RequestGone() }
    let now = try context.clock.now()
    let id = try context.id.make("whk")
    let signing = input.signing ?? .v1
    let (key, insertion) = try await secrets.make(signing, for: id, at: now)
    let headers = try await secrets.seal(headers: input.loweredHeaders ?? [:], of: id)
    let isEnabled = input.isEnabled ?? true
    do {
      try await context.store.commit {
        SQL(
          """
          INSERT INTO webhooks_endpoints (id, url, description, events, channels, headers, rate_limit,
            payload, ordered, signing, state, reason, created_at, updated_at)
          SELECT \(id), \(url), \(input.description ?? ""), \(try RawJSON(encoding: events)),
            \(try input.channels.over(nil).map { try RawJSON(encoding: $0) }), \(headers),
            \(input.rateLimit.over(nil)), \((input.payload ?? .full).rawValue),
            \(input.isOrdered ?? false), \(signing.rawValue),
            \(isEnabled ? "enabled" : "disabled"), \(isEnabled ? nil : "user"), \(now), \(now)
          WHERE (SELECT count(*) FROM webhooks_endpoints WHERE state <> 'deleted') < \(settings.endpoints)
          """
        ).expect(exactly: 1)
        insertion
        EndpointBook.changed
      }
    } catch StoreError.conflict(statement: 0, _) {
      throw Problem(
        status: 403, code: "quota_exceeded",
        detail: "An app has at most \(settings.endpoints) endpoints; its settings say so.")
    }
    desk.endpointChanged()
    return try .json(
      try await show(try await endpoint(id)).with(key), status: 201)
  }

  /// `GET /v1/webhooks`
  func listEndpoints(_ request: Request) async throws -> Response {
    let limit = request.query("limit").flatMap { Int($0) } ?? 25
    let found = try await context.store.read(
      """
      SELECT \(raw: Endpoint.columns) FROM webhooks_endpoints
      WHERE state <> 'deleted' AND id > \(request.query("after") ?? "")
      ORDER BY id LIMIT \(limit + 1)
      """
    ).map { try Endpoint($0) }
    let headers = try await secrets.headers(of: found.map(\.id))
    var shown: [ShownEndpoint] = []
    for endpoint in found.prefix(limit) {
      shown.append(try await show(endpoint, headers[endpoint.id] ?? [:]))
    }
    return try .json(Page(data: shown, next: found.count > limit ? shown.last?.id : nil))
  }

  /// `GET /v1/webhooks/{id}`
  func readEndpoint(_ request: Request) async throws -> Response {
    try .json(try await show(try await endpoint(try request.parameter(0))))
  }

  /// `PATCH /v1/webhooks/{id}`
  func changeEndpoint(_ request: Request) async throws -> Response {
    let input: EndpointInput = try request.decode()
    try input.check(settings)
    let old = try await endpoint(try request.parameter(0))
    let now = try context.clock.now()
    let headers = try await input.loweredHeaders.asyncMap {
      try await secrets.seal(headers: $0, of: old.id)
    }
    let channels = try input.channels.over(old.channels).map { try RawJSON(encoding: $0) }
    let isEnabled = input.isEnabled ?? (old.state == .enabled)
    let isSwitched = isEnabled != (old.state == .enabled)
    var batch = Batch()
    batch.add(
      SQL(
        """
        UPDATE webhooks_endpoints SET url = \(input.url ?? old.url),
          description = \(input.description ?? old.description),
          events = \(try RawJSON(encoding: input.events ?? old.events)), channels = \(channels),
          headers = CASE WHEN \(input.headers != nil) THEN \(headers) ELSE headers END,
          rate_limit = \(input.rateLimit.over(old.rateLimit)),
          payload = \((input.payload ?? old.payload).rawValue),
          ordered = \(input.isOrdered ?? old.isOrdered), updated_at = \(now)
        WHERE id = \(old.id) AND state <> 'deleted' AND updated_at = \(old.updatedAt)
        """
      ).expect(exactly: 1))
    if isSwitched {
      // Who is asked again is not judged by what was.
      batch.add(
        """
        UPDATE webhooks_endpoints SET state = \(isEnabled ? "enabled" : "disabled"),
          reason = \(isEnabled ? nil : "user"), failing_since = NULL, told_at = NULL
        WHERE id = \(old.id)
        """)
    }
    if let url = input.url, url != old.url, !isSwitched {
      batch.add(
        "UPDATE webhooks_endpoints SET failing_since = NULL, told_at = NULL WHERE id = \(old.id)")
    }
    batch.add(EndpointBook.changed)
    if isSwitched && isEnabled {
      // What had waited goes on, and may do so after a crash.
      try await watch.commit(batch, at: now)
    } else {
      try await context.store.commit(batch)
    }
    desk.endpointChanged()
    dispatcher.begin()
    return try .json(try await show(try await endpoint(old.id)))
  }

  /// `DELETE /v1/webhooks/{id}`
  func deleteEndpoint(_ request: Request) async throws -> Response {
    let old = try await endpoint(try request.parameter(0))
    var batch = Batch()
    batch.add(
      SQL(
        """
        UPDATE webhooks_endpoints SET state = 'deleted', headers = NULL, updated_at = \(try context.clock.now())
        WHERE id = \(old.id) AND state <> 'deleted'
        """
      ).expect(exactly: 1))
    batch.add("DELETE FROM webhooks_secrets WHERE endpoint = \(old.id)")
    batch.add("DELETE FROM webhooks_letters WHERE endpoint = \(old.id)")
    batch.add(EndpointBook.changed)
    do {
      // Its deliveries go by and by.
      try await watch.commit(batch, at: try context.clock.now())
    } catch StoreError.conflict {
      throw Self.unknown(old.id)
    }
    desk.endpointChanged()
    upkeep.begin()
    return .empty(204)
  }

  /// `POST /v1/webhooks/{id}/rotate-secret`
  func rotateSecret(_ request: Request) async throws -> Response {
    let rotation: Rotation = try request.decode()
    let endpoint = try await endpoint(try request.parameter(0))
    let now = try context.clock.now()
    let until = now.adding(milliseconds: rotation.graceSeconds * 1_000)
    let (key, insertion) = try await secrets.make(endpoint.signing, for: endpoint.id, at: now)
    do {
      try await context.store.commit {
        SQL(
          """
          SELECT 1 AS room FROM webhooks_endpoints e WHERE e.id = \(endpoint.id) AND e.state <> 'deleted'
            AND (\(rotation.graceSeconds) = 0 OR (SELECT count(*) FROM webhooks_secrets s
              WHERE s.endpoint = e.id AND (s.expires_at IS NULL OR s.expires_at > \(now)))
              <= \(Self.oldSecrets))
          """
        ).expect(exactly: 1)
        SQL(
          """
          UPDATE webhooks_secrets SET expires_at = \(until)
          WHERE endpoint = \(endpoint.id) AND (expires_at IS NULL OR expires_at > \(until))
          """)
        SQL(
          "DELETE FROM webhooks_secrets WHERE endpoint = \(endpoint.id) AND expires_at <= \(now)")
        insertion
        EndpointBook.changed
      }
    } catch StoreError.conflict(statement: 0, _) {
      throw Problem.conflict(
        "Too many old secrets of the endpoint are still good; rotate with grace_seconds 0, which ends them, or later."
      )
    }
    desk.endpointChanged()
    var shown = try await show(endpoint).with(key)
    shown.previousExpiresAt = until
    return try .json(shown)
  }

  /// - Throws: `Problem` 404.
  func endpoint(_ id: String) async throws -> Endpoint {
    let row = try await context.store.read(
      """
      SELECT \(raw: Endpoint.columns) FROM webhooks_endpoints
      WHERE id = \(id) AND state <> 'deleted'
      """
    ).first
    guard let row else { throw Self.unknown(id) }
    return try Endpoint(row)
  }

  private func show(_ endpoint: Endpoint) async throws -> ShownEndpoint {
    let headers = try await secrets.headers(of: [endpoint.id])
    return try await show(endpoint, headers[endpoint.id] ?? [:])
  }

  private func show(_ endpoint: Endpoint, _ headers: [String: String]) async throws
    -> ShownEndpoint
  {
    var shown = ShownEndpoint(endpoint, headers: headers)
    if endpoint.signing == .v1a {
      let keys = try await secrets.read(endpoint).keys
      shown.publicKey = keys.first { $0.expiresAt == nil }?.key.verifier
    }
    return shown
  }

  private static func unknown(_ id: String) -> Problem {
    .notFound("There is no endpoint \"\(id)\".")
  }

  /// How many are good beside the present one at most.
  private static let oldSecrets = 3
}

extension Optional {
  /// As `map`, with a transform that may await.
  fileprivate func asyncMap<Value>(
    _ transform: nonisolated(nonsending) (Wrapped) async throws -> Value?
  ) async throws -> Value? {
    guard let value = self else { return nil }
    return try await transform(value)
  }
}
