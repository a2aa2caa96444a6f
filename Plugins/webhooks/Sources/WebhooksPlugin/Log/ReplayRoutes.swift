internal import PluginKit

/// Sending again what was: `POST …/replay`, `POST …/recover`, and what becomes of them.
extension WebhooksShard {
  private struct Range: Decodable {
    let since: Timestamp
    let until: Timestamp?
  }

  /// `POST /v1/webhooks/{id}/replay`
  func replay(_ request: Request) async throws -> Response { try await begin(.replay, request) }

  /// `POST /v1/webhooks/{id}/recover`
  func recover(_ request: Request) async throws -> Response { try await begin(.recover, request) }

  /// `GET /v1/webhooks/{id}/replays/{replay}`
  func readReplay(_ request: Request) async throws -> Response {
    let endpoint = try await endpoint(try request.parameter(0))
    return try await shown(try request.parameter(1), of: endpoint, status: 200)
  }

  private func begin(_ kind: Replay.Kind, _ request: Request) async throws -> Response {
    let range: Range = try request.decode()
    let endpoint = try await endpoint(try request.parameter(0))
    try refuseDisabled(endpoint)
    let now = try context.clock.now()
    // What comes from now on comes by itself.
    let until = min(range.until ?? now, now)
    guard range.since <= until else {
      throw Problem.invalid(pointer: "/since", "The range has no time in it.")
    }
    let id = try context.id.make("rpl")
    var batch = Batch()
    batch.add(
      SQL(
        """
        INSERT INTO webhooks_replays (id, endpoint, kind, since, until, position_at, position_id,
          queued, batches, created_at)
        SELECT \(id), \(endpoint.id), \(kind.rawValue), \(range.since), \(until), \(range.since), '',
          0, 0, \(now)
        WHERE (SELECT count(*) FROM webhooks_replays WHERE finished_at IS NULL) < \(Replay.most)
        """
      ).expect(exactly: 1))
    do {
      try await watch.commit(batch, at: now)
    } catch StoreError.conflict {
      throw Problem(
        status: 403, code: "quota_exceeded",
        detail:
          "At most \(Replay.most) replays of an app are under way; ask again when one is done.")
    }
    upkeep.begin()
    return try await shown(id, of: endpoint, status: 202)
  }

  private func shown(_ id: String, of endpoint: Endpoint, status: Int) async throws -> Response {
    let row = try await context.store.read(
      "SELECT * FROM webhooks_replays WHERE id = \(id) AND endpoint = \(endpoint.id)"
    ).first
    guard let row else { throw Problem.notFound("There is no replay \"\(id)\" of this endpoint.") }
    return try .json(ShownReplay(try Replay(row)), status: status)
  }
}
