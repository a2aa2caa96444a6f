internal import PluginKit

/// How much of a thread a user has not read, as it is answered and told.
struct UnreadThread: Codable, Equatable {
  /// The message that began it.
  let parentID: String
  /// `type:id`
  let channel: String
  /// Replies of others, counted up to `ReadMark.limit`.
  let unread: Int

  private enum CodingKeys: String, CodingKey {
    case parentID = "parent_id"
    case channel, unread
  }
}

/// `POST /v1/messages/{id}/thread/read`: up to where a user has read a thread.
extension ChatShard {
  struct ThreadReading: Decodable {
    /// A reply; nil for all that there are.
    let messageID: String?
    let userID: String?

    private enum CodingKeys: String, CodingKey {
      case messageID = "message_id"
      case userID = "user_id"
    }
  }

  func markThreadRead(_ request: Request) async throws -> Response {
    let reading: ThreadReading? = request.body.isEmpty ? nil : try request.decode()
    return try .json(
      try await readThread(
        of: try request.parameter(0), to: reading?.messageID, as: reading?.userID,
        for: Actor(request.principal)))
  }

  /// Moves a user's mark in a thread to a reply; it never moves back.
  func readThread(
    of parent: String, to reply: String?, as named: String?, for actor: Actor
  ) async throws -> UnreadThread {
    let user = try actor.acting(as: named, pointer: "/user_id")
    let address = try await findThread(of: parent, for: actor).address
    let now = try context.clock.now()
    try await context.store.commit {
      SQL(
        """
        INSERT INTO chat_thread_members (parent, user_id, replies, place, seen, follows, since)
        SELECT \(parent), \(user), 0, 0, x.seq, 0, \(now) FROM chat_messages x
        WHERE x.parent = \(parent) AND (x.id = \(reply) OR (\(reply == nil) = 1 AND x.deleted_at IS NULL))
        ORDER BY x.seq DESC LIMIT 1
        ON CONFLICT (parent, user_id) DO UPDATE SET seen = excluded.seen
        WHERE excluded.seen > chat_thread_members.seen
        """)
    }
    let results = try await context.store.read([
      """
      SELECT \(raw: Self.unreadReplies) FROM chat_thread_members t
      WHERE t.parent = \(parent) AND t.user_id = \(user)
      """,
      "SELECT 1 AS is_there FROM chat_messages WHERE id = \(reply) AND parent = \(parent)",
    ])
    if let reply, results[1].isEmpty {
      throw Problem.invalid(
        pointer: "/message_id", "There is no reply \"\(reply)\" in the thread of \"\(parent)\".")
    }
    let unread = UnreadThread(
      parentID: parent, channel: "\(address)",
      unread: try results[0].first?["unread", Int.self] ?? 0)
    tell(unread, to: user)
    return unread
  }

  /// Tells those who follow a thread how much of it they have not read; where they are many, nobody.
  ///
  /// - Parameter authors: a single one is not told of what he has written himself.
  func tellFollowers(
    of parent: String, in address: ChannelAddress, writtenBy authors: Set<String>
  ) async throws {
    guard let type = try? types[address.type] else { return }
    let users = try await context.store.read(
      """
      SELECT user_id FROM chat_thread_members WHERE parent = \(parent) AND follows = 1
      LIMIT \(Self.audience + 1)
      """
    ).map { try $0["user_id", String.self] }
    let author = authors.count == 1 ? authors.first : nil
    let told = users.filter { $0 != author }
    guard users.count <= Self.audience, !told.isEmpty else { return }
    let readers = try await readers(among: told, of: address, type)
    guard !readers.isEmpty else { return }
    let rows = try await context.store.read(
      """
      SELECT t.user_id, \(raw: Self.unreadReplies) FROM chat_thread_members t
      WHERE t.parent = \(parent) AND t.user_id IN (\(each: readers)) ORDER BY t.user_id
      """)
    for row in rows {
      tell(
        UnreadThread(
          parentID: parent, channel: "\(address)", unread: try row["unread", Int.self]),
        to: try row["user_id", String.self])
    }
  }

  private func tell(_ unread: UnreadThread, to user: String) {
    guard let data = try? RawJSON(encoding: unread) else { return }
    tell("chat.thread.unread", data, to: user)
  }
}
