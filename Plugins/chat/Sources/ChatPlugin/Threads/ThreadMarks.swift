internal import PluginKit

/// `POST /v1/messages/{id}/thread/read`: up to where a user has read a thread.
extension ChatShard {
  struct ThreadReading: Decodable {
    /// A reply; nil for all that there are.
    let messageID: String?
    /// Whether the reply and what came after it are not read, whatever was said before.
    let isUnread: Bool?
    let userID: String?

    private enum CodingKeys: String, CodingKey {
      case messageID = "message_id"
      case isUnread = "unread"
      case userID = "user_id"
    }

    static let all = ThreadReading(messageID: nil, isUnread: nil, userID: nil)
  }

  func markThreadRead(_ request: Request) async throws -> Response {
    try .json(
      try await readThread(
        of: try request.parameter(0), to: request.body.isEmpty ? .all : try request.decode(),
        for: AppActor(request.principal)))
  }

  /// Moves a user's mark in a thread to a reply, and back only where it is to be unread.
  func readThread(
    of parent: String, to reading: ThreadReading, for actor: AppActor
  ) async throws -> UnreadThread {
    let user = try actor.acting(as: reading.userID, pointer: "/user_id")
    let address = try await findThread(of: parent, for: actor).address
    let reply = reading.messageID
    var named = Self.replies(to: parent, reply)
    if let reply, try await context.store.read("\(named)").isEmpty {
      guard try await held(reply, by: actor)?.parentID == parent else {
        throw Problem.invalid(
          pointer: "/message_id", "There is no reply \"\(reply)\" in the thread of \"\(parent)\".")
      }
      named = "SELECT seq FROM chat_held_messages WHERE id = \(reply)"
    }
    let (isUnread, now) = (reading.isUnread ?? false, try context.clock.now())
    try await context.store.commit {
      SQL(
        """
        INSERT INTO chat_thread_members (parent, user_id, replies, place, seen, follows, since)
        SELECT \(parent), \(user), 0, 0, CASE WHEN \(isUnread) = 1 THEN n.seq - 1 ELSE n.seq END, 0,
          \(now) FROM (\(named)) AS n
        WHERE 1 = 1 ORDER BY n.seq \(raw: isUnread ? "ASC" : "DESC") LIMIT 1
        ON CONFLICT (parent, user_id) DO UPDATE SET seen = excluded.seen
        WHERE \(isUnread) = 1 OR excluded.seen > chat_thread_members.seen
        """)
    }
    let row = try await context.store.read(
      """
      SELECT t.follows, \(raw: UnreadSQL.replies) FROM chat_thread_members t
      WHERE t.parent = \(parent) AND t.user_id = \(user)
      """
    ).first
    let unread = UnreadThread(
      parentID: parent, channel: "\(address)", unread: try row?["unread", Int.self] ?? 0)
    // Who only reads it has no list in which he could see it.
    if try row?["follows", Int.self] == 1 {
      tell(
        UnreadCount(
          key: UnreadCount.Key(user: ExactText(user), channel: unread.channel, parentID: parent),
          unread: unread.unread),
        of: .thread(parent, address, of: ExactText(user)))
    }
    return unread
  }

  /// The places of a reply, deleted or not, or of all that are there.
  private static func replies(to parent: String, _ reply: String?) -> Fragment {
    guard let reply else {
      return """
        SELECT x.seq FROM chat_messages x WHERE x.parent = \(parent) AND x.deleted_at IS NULL
        """
    }
    return "SELECT x.seq FROM chat_messages x WHERE x.parent = \(parent) AND x.id = \(reply)"
  }
}
