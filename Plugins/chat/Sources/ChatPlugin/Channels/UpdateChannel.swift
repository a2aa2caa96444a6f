internal import PluginKit

/// `PATCH /v1/channels/{type}/{id}`: what the app has put there, and whether it is frozen or slow.
extension ChatShard {
  private struct Change: Decodable {
    let data: RawJSON?
    let isFrozen: Bool?
    let slowMode: Int64?
    let revision: Int64?

    private enum CodingKeys: String, CodingKey {
      case data
      case isFrozen = "frozen"
      case slowMode = "slow_mode_seconds"
      case revision
    }
  }

  /// How often a change is tried while others change the rest of the channel.
  private static let updates = 8

  /// The last change of each member holds, unless the request says which revision it has seen.
  func updateChannel(_ request: Request) async throws -> Response {
    let (address, type) = try request.channel(types)
    let change: Change = try request.decode()
    let actor = try AppActor(request.principal)
    var needed: [Permission] = []
    if change.data != nil { needed.append(.updateChannel) }
    if change.isFrozen != nil || change.slowMode != nil { needed.append(.freezeChannel) }
    guard !needed.isEmpty else {
      throw Problem.invalid("Say what is to change: data, frozen or slow_mode_seconds.")
    }
    for _ in 0..<Self.updates {
      let access = try await access(actor, address, type)
      try access.requireChannel()
      for permission in needed { try access.require(permission) }
      let place = try await eventPlace(of: address)
      let found = try await record(of: address)
      if let seen = change.revision, seen != found.revision {
        throw Problem.conflict(
          "\(address) has revision \(found.revision), not \(seen): somebody else has changed it.")
      }
      var channel = found
      channel.data = change.data ?? found.data
      channel.isFrozen = change.isFrozen ?? found.isFrozen
      channel.slowMode = change.slowMode ?? found.slowMode
      guard
        channel.data != found.data || channel.isFrozen != found.isFrozen
          || channel.slowMode != found.slowMode
      else {
        return try .json(found.listened(from: place))
      }
      let now = try context.clock.now()
      channel.revision += 1
      channel.updatedAt = now
      var told = channel
      told.members = nil
      var batch = Batch()
      batch.add(
        SQL(
          """
          UPDATE chat_channels SET data = \(channel.data), frozen = \(channel.isFrozen),
            slow_mode_seconds = \(channel.slowMode), revision = \(channel.revision), updated_at = \(now)
          WHERE type = \(address.type) AND id = \(address.id) AND revision = \(found.revision)
            AND deleted_at IS NULL
          """
        ).expect(exactly: 1))
      for permission in needed {
        if let still = address.still(permission, actor, type, at: now) { batch.add(still) }
      }
      try batch.emit("chat.channel.updated", channel: address.realTimeName, data: told)
      do {
        try await context.store.commit(batch)
        return try .json(channel.listened(from: place))
      } catch StoreError.conflict {
        // It is gone, has been changed, or the actor is not any more who he was; which, is seen when it is read again.
      }
    }
    throw Problem.conflict("\(address) is being changed by others; try again.")
  }
}
