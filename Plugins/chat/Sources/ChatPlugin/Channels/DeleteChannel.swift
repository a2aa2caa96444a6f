internal import PluginKit

/// A channel that is gone, as it is published.
struct DeletedChannel: Codable, Equatable {
  /// `type:id`
  let channel: String
  /// Whether what was said in it goes too.
  let isHard: Bool
  let deletedAt: Timestamp

  private enum CodingKeys: String, CodingKey {
    case channel
    case isHard = "hard"
    case deletedAt = "deleted_at"
  }
}

/// `DELETE /v1/channels/{type}/{id}?hard=`
extension ChatShard {
  /// How many messages a batch removes, so that others' writes come between.
  private static let purged = 200

  /// Tables with something of a message, by the column that names it.
  static let ofMessages =
    [
      ("chat_reactions", "message"), ("chat_mentions", "message"),
      ("chat_thread_members", "parent"),
      ("chat_edits", "message"), ("chat_reminders", "message"),
    ] + ChatShard.ofPolls.map { ($0, "message") }
  /// Tables with something of a channel beside its messages, by type and channel.
  private static let ofChannels = [
    "chat_members", "chat_reads", "chat_invitations", "chat_bans", "chat_drafts", "chat_pace",
    "chat_held_messages", "chat_flags",
  ]

  func deleteChannel(_ request: Request) async throws -> Response {
    let (address, type) = try request.channel(types)
    let isHard = request.query("hard") == "true"
    let actor = try AppActor(request.principal)
    guard !isHard || actor.user == nil else {
      throw Problem.forbidden("What was said in a channel is removed by the app's server alone.")
    }
    let access = try await access(actor, address, type)
    guard access.channel?.isDeleted == false || isHard && access.channel != nil else {
      throw Self.gone(address)
    }
    if access.channel?.isDeleted == false {
      try access.require(.deleteChannel)
      try await close(address, type, for: actor, isHard: isHard)
    }
    if isHard { try await purge(address) }
    return .empty()
  }

  /// From here on the channel is nobody's, and its id stays taken.
  private func close(
    _ address: ChannelAddress, _ type: ChannelType, for actor: AppActor, isHard: Bool
  ) async throws {
    let now = try context.clock.now()
    let deleted = DeletedChannel(channel: "\(address)", isHard: isHard, deletedAt: now)
    // Nobody else is to know that there is a closed channel.
    let others = type.grants.allows(Role.user, .readChannel) ? [address.followers] : []
    let told = try await context.store.read([address.members] + others).flatMap { rows in
      try rows.map { try $0["user_id", String.self] }
    }
    do {
      try await context.store.commit {
        SQL(
          """
          UPDATE chat_channels SET deleted_at = \(now), distinct_key = NULL
          WHERE type = \(address.type) AND id = \(address.id) AND deleted_at IS NULL
          """
        ).expect(exactly: 1)
        if let still = address.still(.deleteChannel, actor, type, at: now) { still }
        SQL(
          "DELETE FROM chat_invitations WHERE type = \(address.type) AND channel = \(address.id)")
        try Emit("chat.channel.deleted", channel: address.realTimeName, data: deleted)
      }
    } catch StoreError.conflict(statement: 0, _) {
      // Somebody else was quicker; that it is gone is what was wanted.
      return
    } catch StoreError.conflict {
      throw try await refusal(of: .deleteChannel, actor, address, type)
    }
    for user in told { tell("chat.channel.deleted", deleted, to: user) }
    endSubscriptions(to: address, of: nil)
  }

  /// Removes all that a deleted channel had but its id, some messages at a time. Cut short it is taken up where it ended when it is asked for
  /// again.
  private func purge(_ address: ChannelAddress) async throws {
    let some: SQL = """
      SELECT id FROM chat_messages WHERE type = \(address.type) AND channel = \(address.id)
      ORDER BY seq LIMIT \(Self.purged)
      """
    while true {
      let ids = try await context.store.read(some).map { try $0["id", String.self] }
      guard !ids.isEmpty else { break }
      var batch = Batch()
      batch.isApartFromRequest = true
      for (table, column) in Self.ofMessages {
        batch.add("DELETE FROM \(raw: table) WHERE \(raw: column) IN (\(each: ids))")
      }
      Self.releaseUploads(of: "\(each: ids)", &batch)
      batch.add("DELETE FROM chat_messages WHERE id IN (\(each: ids))")
      try await context.store.commit(batch)
    }
    var batch = Batch()
    // Generations of before know held messages by their ids there.
    Self.releaseUploads(
      of: """
        SELECT \(Self.holder(ofHeld: "")) || h.id FROM chat_held_messages h
        WHERE h.type = \(address.type) AND h.channel = \(address.id)
        UNION ALL SELECT h.id FROM chat_held_messages h
        WHERE h.type = \(address.type) AND h.channel = \(address.id)
          AND NOT EXISTS (SELECT 1 FROM chat_messages m WHERE m.id = h.id)
        """, &batch)
    for table in Self.ofChannels {
      batch.add(
        "DELETE FROM \(raw: table) WHERE type = \(address.type) AND channel = \(address.id)")
    }
    batch.add(
      """
      UPDATE chat_channels SET data = '{}', created_by = NULL
      WHERE type = \(address.type) AND id = \(address.id)
      """)
    try await context.store.commit(batch)
    endUploads()
  }
}

extension ChannelAddress {
  /// The first hundred who follow threads of the channel and are no members.
  fileprivate var followers: SQL {
    """
    SELECT DISTINCT t.user_id FROM chat_messages p JOIN chat_thread_members t ON t.parent = p.id
    WHERE p.type = \(type) AND p.channel = \(id) AND p.reply_count > 0 AND t.follows = 1
      AND NOT EXISTS (SELECT 1 FROM chat_members m
        WHERE m.type = \(type) AND m.channel = \(id) AND m.user_id = t.user_id)
    ORDER BY t.user_id LIMIT 100
    """
  }
}
