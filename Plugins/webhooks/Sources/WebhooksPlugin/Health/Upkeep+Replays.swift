internal import PluginKit

/// How replays get on.
extension Upkeep {
  /// A slice of the first that is not finished; whether there was one.
  func goOnWithReplays() async throws -> Bool {
    let row = try await context.store.read(
      "SELECT * FROM webhooks_replays WHERE finished_at IS NULL ORDER BY created_at, id LIMIT 1"
    ).first
    guard let row else { return false }
    let replay = try Replay(row)
    let endpoint = try await context.store.read(
      """
      SELECT \(raw: Endpoint.columns) FROM webhooks_endpoints
      WHERE id = \(replay.endpoint) AND state = 'enabled'
      """
    ).first.map { try Endpoint($0) }
    let now = try context.clock.now()
    guard let endpoint else {
      // Nobody is there to be sent anything.
      try await context.store.commit { finishing(replay, at: now) }
      return true
    }
    let found = try await messages(of: replay)
    var batch = Batch()
    batch.isApartFromRequest = true
    var requeued: [String] = []
    for row in found {
      let channel = try row["channel", String?.self]
      guard endpoint.wants(try row["type", String.self], in: channel) else { continue }
      let message = try row["id", String.self]
      requeued.append(message)
      batch.add(
        replay.requeue(
          message, QueueEntry.orderingKey(channel: channel),
          sequence: try row["sequence", Int64.self], id: try context.id.make("dlv"), at: now))
    }
    batch.add(moving(replay, behind: found, with: requeued, at: now))
    do {
      try await watch.commit(batch, at: now)
    } catch StoreError.conflict {
      // Another shard has gone on with it.
      return true
    }
    desk.stir([endpoint.id])
    dispatcher.begin()
    return true
  }

  private func messages(of replay: Replay) async throws -> Rows {
    try await context.store.read(
      """
      SELECT id, type, channel, sequence, created_at FROM webhooks_messages
      WHERE (created_at, id) > (\(replay.positionAt), \(replay.positionID))
        AND created_at <= \(replay.until) AND sequence > 0
      ORDER BY created_at, id LIMIT \(Self.slice)
      """)
  }

  /// Where it is behind a slice. Whoever else has taken the same slice finds that it has moved.
  private func moving(
    _ replay: Replay, behind found: Rows, with messages: [String], at now: Timestamp
  ) -> SQL {
    let last = found.last
    let position = last.flatMap { try? $0["created_at", Timestamp.self] } ?? replay.positionAt
    let id = last.flatMap { try? $0["id", String.self] } ?? replay.positionID
    return SQL(
      """
      UPDATE webhooks_replays SET position_at = \(position), position_id = \(id),
        queued = queued + (SELECT count(*) FROM webhooks_deliveries
          WHERE endpoint = \(replay.endpoint) AND message IN (\(each: messages.isEmpty ? [""] : messages))
            AND state IN ('pending', 'waiting') AND next_at = \(now) AND attempts = attempts_before),
        batches = batches + 1,
        finished_at = \(found.count < Self.slice ? now : nil)
      WHERE id = \(replay.id) AND batches = \(replay.batches) AND finished_at IS NULL
      """
    ).expect(exactly: 1)
  }

  private func finishing(_ replay: Replay, at now: Timestamp) -> SQL {
    "UPDATE webhooks_replays SET finished_at = \(now) WHERE id = \(replay.id)"
  }
}
