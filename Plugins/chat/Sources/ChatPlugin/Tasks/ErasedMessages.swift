internal import PluginKit

/// What becomes of the messages of an erased user.
extension ChatShard {
  /// A message in its place.
  struct PlacedMessage {
    var message: Message
    let address: ChannelAddress
    let deletedAt: Timestamp?
    /// Whether a real-time history may have events of it.
    let isRecent: Bool
  }

  /// How long a history keeps events, and a day, in milliseconds.
  private static let remembered: Int64 = 31 * 86_400_000

  func placed(_ rows: Rows) throws -> [PlacedMessage] {
    let horizon = try context.clock.now().adding(milliseconds: -Self.remembered)
    return try rows.compactMap { row in
      guard
        let address = ChannelAddress(
          type: try row["type", String.self], id: try row["channel_id", String.self])
      else { return nil }
      let message = try row.decode(Message.self)
      let deletedAt = try row["deleted_at", Timestamp?.self]
      return PlacedMessage(
        message: message, address: address, deletedAt: deletedAt,
        isRecent: (deletedAt ?? message.updatedAt ?? message.createdAt) >= horizon)
    }
  }

  private func messages(of user: String) async throws -> [PlacedMessage] {
    try placed(
      try await context.store.read(
        """
        SELECT \(raw: Message.columns), m.type, m.channel AS channel_id, m.deleted_at
        FROM chat_messages m WHERE m.user_id = \(user) ORDER BY m.id LIMIT \(tasks.rows)
        """))
  }

  /// They go with all that belongs to them. Of one with replies of others an empty row stays, as of any that is deleted.
  func eraseMessages(of user: String, leaving pseudonym: String) async throws -> Slice {
    let found = try await messages(of: user)
    guard !found.isEmpty else { return .last }
    let now = try context.clock.now()
    let ids = found.map(\.message.id)
    let answered = found.filter { $0.message.replyCount != nil }.map(\.message.id)
    let alone = found.filter { $0.message.replyCount == nil }.map(\.message.id)
    let parents = Set(found.filter { $0.deletedAt == nil }.compactMap(\.message.parentID)).sorted()
    var slice = Slice()
    for (table, column) in Self.ofMessages where column == "message" {
      slice.batch.add("DELETE FROM \(raw: table) WHERE message IN (\(each: ids))")
    }
    slice.batch.add("DELETE FROM chat_flags WHERE message IN (\(each: ids))")
    Self.releaseUploads(of: "\(each: ids)", &slice.batch)
    slice.batch.add(
      """
      UPDATE chat_messages SET user_id = \(pseudonym), text = '', attachments = NULL, mentions = NULL,
        poll = NULL, quoted = NULL, custom = NULL, pinned_at = NULL, pinned_by = NULL,
        deleted_at = coalesce(deleted_at, \(now))
      WHERE id IN (\(each: [""] + answered))
      """)
    slice.batch.add(
      "DELETE FROM chat_messages WHERE id IN (\(each: [""] + alone)) AND reply_count = 0")
    slice.batch.add(
      """
      DELETE FROM chat_thread_members WHERE parent IN (\(each: [""] + alone))
        AND NOT EXISTS (SELECT 1 FROM chat_messages p WHERE p.id = chat_thread_members.parent)
      """)
    for (address, those) in Dictionary(grouping: found, by: \.address) {
      let gone = those.filter { $0.message.replyCount == nil && $0.message.isListed }
      guard !gone.isEmpty else { continue }
      slice.batch.add(address.moveMarks(from: gone.map(\.message.id)))
    }
    if !parents.isEmpty {
      slice.batch.add(
        """
        UPDATE chat_messages SET
          reply_count = (SELECT count(*) FROM chat_messages x
            WHERE x.parent = chat_messages.id AND x.deleted_at IS NULL),
          latest_reply_at = (SELECT x.created_at FROM chat_messages x
            WHERE x.parent = chat_messages.id AND x.deleted_at IS NULL ORDER BY x.seq DESC LIMIT 1)
        WHERE id IN (\(each: parents))
        """)
    }
    for each in found where each.isRecent {
      slice.batch.emit(try Self.gone(each, by: pseudonym, at: now))
    }
    for each in found {
      slice.afterwards.append { [self] in tellUnread(without: each.message, in: each.address) }
    }
    return slice
  }

  private static func gone(
    _ placed: PlacedMessage, by pseudonym: String, at now: Timestamp
  ) throws -> Emit {
    var message = placed.message
    message.userID = pseudonym
    return try Emit(
      "chat.message.deleted", channel: placed.address.realTimeName, replacing: message.id,
      data: DeletedMessage(message, hard: false, at: placed.deletedAt ?? now))
  }

  /// Whoever has muted him mutes the pseudonym before his messages are that one's, so that nothing comes to be unread.
  func keepMuted(_ user: String, as pseudonym: String) async throws -> Slice {
    let muting = try await context.store.read(
      """
      SELECT m.user_id FROM chat_mutes m WHERE m.muted = \(user) AND NOT EXISTS (
        SELECT 1 FROM chat_mutes o WHERE o.user_id = m.user_id AND o.muted = \(pseudonym))
      LIMIT \(tasks.rows)
      """
    ).map { try $0["user_id", String.self] }
    guard !muting.isEmpty else { return .last }
    var slice = Slice()
    slice.batch.add(
      """
      INSERT INTO chat_mutes (user_id, muted, created_at)
      SELECT user_id, \(pseudonym), created_at FROM chat_mutes
      WHERE muted = \(user) AND user_id IN (\(each: muting))
      ON CONFLICT (user_id, muted) DO NOTHING
      """)
    return slice
  }

  /// They stay, and nobody knows any more whose they are.
  func renameMessages(of user: String, to pseudonym: String) async throws -> Slice {
    let found = try await messages(of: user)
    guard !found.isEmpty else { return .last }
    let now = try context.clock.now()
    var slice = Slice()
    slice.batch.add(
      """
      UPDATE chat_messages SET user_id = \(pseudonym)
      WHERE id IN (\(each: found.map(\.message.id))) AND user_id = \(user)
      """)
    // Whoever replies from here on has the messages' author follow their threads.
    Self.moveThreads(
      Set(found.map { $0.message.parentID ?? $0.message.id }).sorted(), of: user, to: pseudonym,
      &slice.batch)
    for each in found where each.isRecent {
      guard each.deletedAt == nil else {
        slice.batch.emit(try Self.gone(each, by: pseudonym, at: now))
        continue
      }
      var message = each.message
      message.userID = pseudonym
      slice.batch.emit(
        try Emit(
          "chat.message.updated", channel: each.address.realTimeName, replacing: message.id,
          data: message.published))
    }
    return slice
  }
}
