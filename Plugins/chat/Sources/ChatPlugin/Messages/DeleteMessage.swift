internal import PluginKit

/// A message that is gone, as it is published.
struct DeletedMessage: Codable, Equatable {
  let id: String
  /// `type:id`
  let channel: String
  /// Who had sent it.
  let userID: String
  /// Of a reply: the message that began the thread.
  let parentID: String?
  /// True when its id is free again; else nil.
  let hard: Bool?
  let deletedAt: Timestamp

  private enum CodingKeys: String, CodingKey {
    case id, channel
    case userID = "user_id"
    case parentID = "parent_id"
    case hard
    case deletedAt = "deleted_at"
  }

  init(_ message: Message, hard: Bool, at now: Timestamp) {
    id = message.id
    channel = message.channel
    userID = message.userID
    parentID = message.parentID
    self.hard = hard ? true : nil
    deletedAt = now
  }
}

/// `DELETE /v1/messages/{id}?hard=`
extension ChatShard {
  func deleteMessage(_ request: Request) async throws -> Response {
    let actor = try AppActor(request.principal)
    let (id, user) = (try request.parameter(0), request.query("user_id"))
    if request.query("hard") == "true" {
      _ = try await purge(id, as: user, at: "/query/user_id", for: actor)
    } else {
      _ = try await delete(id, as: user, at: "/query/user_id", for: actor)
    }
    return .empty()
  }

  /// Removes a message and its reactions from the plugin's tables, and what it said from the channel's history. Its id and
  /// its place stay taken.
  ///
  /// - Parameter pointer: where the request names the user.
  func delete(
    _ id: String, as user: String?, at pointer: String, for actor: AppActor
  ) async throws -> DeletedMessage {
    let found = try await own(
      id, as: user, at: pointer, for: actor, .deleteOwnMessage, others: .deleteAnyMessage)
    let message = found.message
    let deleted = DeletedMessage(message, hard: false, at: try context.clock.now())
    var batch = Batch()
    batch.add(
      SQL(
        """
        UPDATE chat_messages SET text = '', attachments = NULL, mentions = NULL, poll = NULL, quoted = NULL,
          custom = NULL, pinned_at = NULL, pinned_by = NULL, deleted_at = \(deleted.deletedAt)
        WHERE id = \(id) AND deleted_at IS NULL
        """
      ).expect(exactly: 1))
    let allowing = found.still(
      .deleteOwnMessage, others: .deleteAnyMessage, at: deleted.deletedAt
    ).map { batch.add($0) }
    Self.dropParts(of: message, &batch)
    if let parent = message.parentID { Self.dropReply(message, of: parent, &batch) }
    batch.emit(
      try Emit(
        "chat.message.deleted", channel: found.address.realTimeName, replacing: id, data: deleted))
    do {
      try await context.store.commit(batch)
    } catch StoreError.conflict(statement: 0, _) {
      throw Self.noMessage(id)
    } catch StoreError.conflict(statement: let failed?, _) where failed == allowing {
      throw try await refusal(
        of: found.permission(.deleteOwnMessage, others: .deleteAnyMessage), actor, found.address,
        found.type)
    }
    tellUnread(without: message, in: found.address)
    endUploads(of: message)
    return deleted
  }

  /// Removes a message, deleted already or not, with everything of it; its id is free again. For who may delete others' messages, also
  /// where it is his own.
  ///
  /// - Parameter pointer: where the request names the user.
  func purge(
    _ id: String, as user: String?, at pointer: String, for actor: AppActor
  ) async throws -> DeletedMessage {
    for _ in 0..<Self.attempts {
      let found = try await own(
        id, as: user, at: pointer, for: actor, .deleteAnyMessage, others: .deleteAnyMessage,
        evenDeleted: true)
      let message = found.message
      guard message.replyCount == nil else {
        throw Problem.conflict("The message \"\(id)\" has replies: they have to go first.")
      }
      let deleted = DeletedMessage(message, hard: true, at: try context.clock.now())
      var batch = Batch()
      batch.add(
        SQL(
          """
          DELETE FROM chat_messages WHERE id = \(id) AND reply_count = 0
            AND coalesce(deleted_at, 0) = \(found.deletedAt?.unixMilliseconds ?? 0)
          """
        ).expect(exactly: 1))
      let allowing = found.still(
        .deleteAnyMessage, others: .deleteAnyMessage, at: deleted.deletedAt
      ).map { batch.add($0) }
      Self.dropParts(of: message, &batch)
      batch.add("DELETE FROM chat_thread_members WHERE parent = \(id)")
      if message.isListed { batch.add(found.address.moveMarks(from: [id])) }
      if let parent = message.parentID, found.deletedAt == nil {
        Self.dropReply(message, of: parent, &batch)
      }
      batch.emit(
        try Emit(
          "chat.message.deleted", channel: found.address.realTimeName, replacing: id, data: deleted)
      )
      do {
        try await context.store.commit(batch)
        tellUnread(without: message, in: found.address)
        endUploads(of: message)
        return deleted
      } catch StoreError.conflict(statement: 0, _) {
        // It is gone, deleted or replied to; which, is seen when it is read again.
      } catch StoreError.conflict(statement: let failed?, _) where failed == allowing {
        throw try await refusal(of: .deleteAnyMessage, actor, found.address, found.type)
      }
    }
    throw Problem.conflict("The message \"\(id)\" is being changed by others; try again.")
  }

  /// Removes what belongs to a message and not to its row.
  private static func dropParts(of message: Message, _ batch: inout Batch) {
    batch.add("DELETE FROM chat_reactions WHERE message = \(message.id)")
    batch.add("DELETE FROM chat_mentions WHERE message = \(message.id)")
    batch.add("DELETE FROM chat_edits WHERE message = \(message.id)")
    batch.add("DELETE FROM chat_reminders WHERE message = \(message.id)")
    releaseUploads(of: "\(message.id)", &batch)
    dropPoll(of: message, &batch)
  }

  /// Tells the readers of a channel and a thread how much they have not read without a message.
  func tellUnread(without message: Message, in address: ChannelAddress) {
    if message.isListed { tellUnread(in: address, but: message.userID) }
    if let parent = message.parentID {
      tellUnread(inThreadOf: parent, address, but: message.userID)
    } else if message.replyCount != nil {
      tellUnread(inThreadOf: message.id, address)
    }
  }
}
