internal import PluginKit

/// Up to where a user has read a channel.
struct ReadMark: Codable, Equatable {
  /// `type:id`
  let channel: String
  let userID: String
  /// The last message that the channel shows up to there; nil when there is none.
  let messageID: String?
  let readAt: Timestamp
  /// How many messages of others stand behind it, counted up to ``limit``; nil in events, which all may hear.
  var unread: Int?

  /// What is not counted further.
  static let limit = 1_000

  private enum CodingKeys: String, CodingKey {
    case channel
    case userID = "user_id"
    case messageID = "message_id"
    case readAt = "read_at"
    case unread
  }
}

/// What somebody has read, or wants to have unread.
struct Reading: Decodable {
  let messageID: String
  /// Whether the message and what came after it are not read, whatever was said before.
  let isUnread: Bool?
  let userID: String?

  private enum CodingKeys: String, CodingKey {
    case messageID = "message_id"
    case isUnread = "unread"
    case userID = "user_id"
  }
}

extension ChatShard {
  /// `POST /v1/channels/{type}/{id}/read`
  func markRead(_ request: Request) async throws -> Response {
    let (address, type) = try request.channel(types)
    return try .json(
      try await read(try request.decode(), in: address, type, for: AppActor(request.principal)))
  }

  /// Moves a user's mark to a message, and back only where it is to be unread.
  func read(
    _ reading: Reading, in address: ChannelAddress, _ type: ChannelType, for actor: AppActor
  ) async throws -> ReadMark {
    let user = try actor.acting(as: reading.userID, pointer: "/user_id")
    try type.require(.reads, in: address)
    try await admit(actor, to: address, type, for: .readChannel)
    let now = try context.clock.now()
    let isUnread = reading.isUnread ?? false
    var isMoved = true
    do {
      try await context.store.commit {
        address.move(of: user, to: reading.messageID, isUnread: isUnread, at: now)
          .expect(exactly: 1)
      }
    } catch StoreError.conflict(statement: 0, _) {
      isMoved = false
    }
    let results = try await context.store.read([
      address.mark(of: user), address.membership(of: user),
      "SELECT seq FROM (\(address.place(of: reading.messageID, for: user))) AS named",
    ])
    guard isMoved || !results[2].isEmpty else {
      throw Problem.invalid(
        pointer: "/message_id",
        "There is no message \"\(reading.messageID)\" that \(address) shows.")
    }
    guard let row = results[0].first else { throw Self.overtaken(address) }
    let mark = try row.decode(ReadMark.self)
    if isMoved && !isUnread && mark.messageID != nil { publish(mark, in: address) }
    // Who is no member has no list in which he could see it.
    if !results[1].isEmpty {
      tell(
        UnreadCount(
          key: UnreadCount.Key(user: ExactText(user), channel: mark.channel, parentID: nil),
          unread: mark.unread ?? 0, messageID: mark.messageID),
        of: .channel(address, of: ExactText(user)))
    }
    return mark
  }

  /// Tells who listens to a channel up to where a user has read; kept nowhere but in the table.
  private func publish(_ mark: ReadMark, in address: ChannelAddress) {
    var mark = mark
    mark.unread = nil
    do {
      try context.bus.publish(
        address.realTimeName, type: "chat.read", data: RawJSON(encoding: mark))
    } catch {
      // The mark is on disk, so the request has succeeded all the same.
      context.log.warning(
        "a mark cannot be told", ["channel": "\(address)", "error": "\(error)"])
    }
  }
}

extension ChannelAddress {
  /// Moves a user's mark to a message, on from where it is, or from where it begins for a member; or to what comes before the message.
  fileprivate func move(
    of user: String, to message: String, isUnread: Bool, at now: Timestamp
  ) -> SQL {
    """
    INSERT INTO chat_reads (type, channel, user_id, seq, message, read_at)
    SELECT \(type), \(id), \(user), at.seq, \(shown(upTo: "at.seq")), \(now) FROM (
      SELECT CASE WHEN \(isUnread) = 1 THEN n.seq - 1
        WHEN n.seq < coalesce(j.joined_seq, 0) THEN j.joined_seq ELSE n.seq END AS seq
      FROM (\(place(of: message, for: user))) AS n LEFT JOIN chat_members j
        ON j.type = \(type) AND j.channel = \(id) AND j.user_id = \(user) AND NOT EXISTS (
          SELECT 1 FROM chat_reads k
          WHERE k.type = \(type) AND k.channel = \(id) AND k.user_id = \(user))
    ) AS at WHERE 1 = 1
    ON CONFLICT (type, channel, user_id) DO UPDATE
    SET seq = excluded.seq, message = excluded.message, read_at = excluded.read_at
    WHERE \(isUnread) = 1 OR excluded.seq > chat_reads.seq
    """
  }

  /// Has marks that stand at messages that the batch has removed stand at what is left before them.
  func moveMarks(from messages: [String]) -> SQL {
    """
    UPDATE chat_reads SET message = \(shown(upTo: "chat_reads.seq"))
    WHERE type = \(type) AND channel = \(id) AND message IN (\(each: messages))
    """
  }

  /// The last message that the channel shows up to a place, deleted or not; `''` when there is none.
  private func shown(upTo seq: String) -> Fragment {
    """
    coalesce((SELECT x.id FROM chat_messages x WHERE x.type = \(type) AND x.channel = \(id)
      AND x.listed = 1 AND x.seq <= \(raw: seq) ORDER BY x.seq DESC LIMIT 1), '')
    """
  }

  /// The place of a message that the channel shows to a user, held ones of his own among them.
  fileprivate func place(of message: String, for user: String) -> Fragment {
    """
    SELECT seq FROM chat_messages
    WHERE id = \(message) AND type = \(type) AND channel = \(id) AND listed = 1
    UNION ALL SELECT seq FROM chat_held_messages
    WHERE id = \(message) AND type = \(type) AND channel = \(id) AND user_id = \(user) LIMIT 1
    """
  }

  /// Up to where a user has read, if he has, and how much stands behind it; also for a user who is no member of an open channel.
  fileprivate func mark(of user: String) -> SQL {
    """
    SELECT r.type || ':' || r.channel AS channel, r.user_id, nullif(r.message, '') AS message_id,
      r.read_at, \(raw: UnreadSQL.messages(of: "r", after: "r.seq"))
    FROM chat_reads r WHERE r.type = \(type) AND r.channel = \(id) AND r.user_id = \(user)
    """
  }
}
