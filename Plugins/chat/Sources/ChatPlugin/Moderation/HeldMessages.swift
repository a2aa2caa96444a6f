internal import PluginKit

/// Messages that are answered to their author as if they had been sent, and reach nobody else.
extension ChatShard {
  /// Keeps a message from everybody but its author.
  ///
  /// - Returns: the message; the one that was held before, if it is the same with the same id.
  func hold(
    _ passed: MessageGate.Passed, in address: ChannelAddress, at place: SQL
  ) async throws -> (message: Message, isNew: Bool) {
    let message = passed.message
    var batch = Batch()
    batch.add(place)
    batch.add(
      SQL(
        """
        INSERT INTO chat_held_messages (id, type, channel, seq, user_id, message, created_at)
        SELECT \(message.id), \(address.type), \(address.id), \(.returned(from: 0, "last_seq")),
          \(message.userID), \(try RawJSON(encoding: message)), \(message.createdAt)
        WHERE NOT EXISTS (SELECT 1 FROM chat_messages WHERE id = \(message.id))
        ON CONFLICT (id) DO NOTHING
        """
      ).expect(exactly: 1))
    // Who has hidden the channel does not see by it that there is a message.
    batch.add(
      """
      UPDATE chat_members SET hidden_seq = \(.returned(from: 0, "last_seq"))
      WHERE type = \(address.type) AND channel = \(address.id) AND user_id <> \(message.userID)
        AND hidden_seq >= \(.returned(from: 0, "last_seq")) - 1
      """)
    let linking = Self.keepUploads(
      passed.uploads, of: message, as: Self.holder(ofHeld: message.id), &batch)
    do {
      try await context.store.commit(batch)
    } catch StoreError.conflict(statement: 0, _) {
      throw Self.gone(address)
    } catch StoreError.conflict(statement: let failed?, _) where failed == linking {
      throw Self.uploadsGone()
    } catch StoreError.conflict {
      let row = try await context.store.read(
        """
        SELECT message FROM chat_held_messages
        WHERE id = \(message.id) AND user_id = \(message.userID)
        """
      ).first
      guard let earlier = try row?["message", RawJSON.self].decode(Message.self),
        earlier.hasContent(of: message)
      else {
        throw Self.taken(message.id)
      }
      return (earlier, false)
    }
    tell("chat.message.created", message, to: message.userID)
    return (message, true)
  }

  /// A held message of the actor's, who still may read its channel.
  func held(_ id: String, by actor: AppActor) async throws -> Message? {
    guard let user = actor.user,
      let row = try await context.store.read(
        "SELECT type, channel, message FROM chat_held_messages WHERE id = \(id) AND user_id = \(user)"
      ).first,
      let address = ChannelAddress(
        type: try row["type", String.self], id: try row["channel", String.self]),
      let type = try? types[address.type],
      try await access(actor, address, type).allows(.readChannel)
    else { return nil }
    return try row["message", RawJSON.self].decode(Message.self)
  }
}

/// A user's held messages in a channel, as they stand in his list of its messages.
struct HeldList {
  let address: ChannelAddress
  let user: String

  /// As many as a page of the list may show; none around a message.
  func statement(_ list: MessageList, _ start: MessageStart, _ limit: Int) -> SQL {
    let side: Fragment =
      switch start {
      case .cursor(.older(let seq)): "h.seq < \(seq)"
      case .cursor(.newer(let seq)): "h.seq > \(seq)"
      case .before(let id): "h.seq < (\(list.place(of: id)))"
      case .after(let id): "h.seq > (\(list.place(of: id)))"
      case .around: "1 = 0"
      }
    return """
      SELECT h.message, h.seq FROM chat_held_messages h
      WHERE h.type = \(address.type) AND h.channel = \(address.id) AND h.user_id = \(user) AND \(side)
      ORDER BY h.seq \(raw: start.isOlder ? "DESC" : "ASC") LIMIT \(limit + 1)
      """
  }

  /// Both in one order.
  static func merge(
    _ rows: Rows, into found: [Placed], newestFirst: Bool
  ) throws -> [Placed] {
    let held = try rows.map {
      Placed(
        message: try $0["message", RawJSON.self].decode(Message.self),
        seq: try $0["seq", Int64.self])
    }
    return (found + held).sorted { newestFirst ? $0.seq > $1.seq : $0.seq < $1.seq }
  }
}

extension MessageStart {
  /// Whether the newest come first.
  var isOlder: Bool {
    switch self {
    case .cursor(.older), .before: true
    case .cursor(.newer), .after, .around: false
    }
  }
}
