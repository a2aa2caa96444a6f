internal import PluginKit

/// How much of a channel or a thread a user has not read, as it was in one snapshot.
struct UnreadCount: Equatable {
  struct Key: Hashable {
    let user: ExactText
    /// `type:id`
    let channel: String
    /// The message that began the thread; nil for the channel itself.
    let parentID: String?
  }

  let key: Key
  /// Whether he is to know of what is counted.
  var mayRead = true
  /// Messages of others, counted up to `ReadMark.limit`.
  var unread: Int
  /// Of a channel: the last message that was read; nil when there is none.
  var messageID: String?
}

/// `chat.unread`, and an element of `GET /v1/unread`.
struct UnreadChannel: Codable, Equatable {
  /// `type:id`
  let channel: String
  let unread: Int
  let messageID: String?

  private enum CodingKeys: String, CodingKey {
    case channel, unread
    case messageID = "message_id"
  }
}

/// `chat.thread.unread`, and the answer to who has read a thread.
struct UnreadThread: Codable, Equatable {
  let parentID: String
  /// `type:id`
  let channel: String
  let unread: Int

  private enum CodingKeys: String, CodingKey {
    case parentID = "parent_id"
    case channel, unread
  }
}

/// What is unread, as columns of statements. It is counted anew whenever it is asked for, so there is no sum that could go wrong.
enum UnreadSQL {
  /// Messages that a user has not read of a channel.
  ///
  /// - Parameters:
  ///   - name: of a row with the channel's `type` and `channel`, and the `user_id`.
  ///   - seq: up to and with which he has read them.
  static func messages(of name: String, after seq: String) -> String {
    """
    (SELECT count(*) FROM (
      SELECT 1 FROM chat_messages x WHERE \(shown(to: name, after: seq))
        AND \(isHeard("x.user_id", by: "\(name).user_id"))
      LIMIT \(ReadMark.limit)) AS some) AS unread
    """
  }

  /// Replies that a row `t` of `chat_thread_members` has not read. In a thread whose first message is gone there are none.
  static let replies = """
    CASE WHEN EXISTS (SELECT 1 FROM chat_messages p WHERE p.id = t.parent AND p.deleted_at IS NULL)
    THEN (SELECT count(*) FROM (
      SELECT 1 FROM chat_messages x WHERE \(repliesOfOthers) AND \(isHeard("x.user_id", by: "t.user_id"))
      LIMIT \(ReadMark.limit)) AS some) ELSE 0 END AS unread
    """

  /// Members `m` with what they have not read, of channels that are there, to be narrowed.
  static let members = """
    SELECT m.user_id, m.role, m.type, m.channel AS id, m.type || ':' || m.channel AS channel,
      NULL AS parent_id, nullif(r.message, '') AS message_id,
      \(messages(of: "m", after: mark))
    FROM chat_members m LEFT JOIN chat_reads r
      ON r.type = m.type AND r.channel = m.channel AND r.user_id = m.user_id
    WHERE \(isThere("m"))
    """

  /// Those `t` who follow threads `p`, of channels that are there, to be narrowed.
  static let followers = """
    SELECT t.user_id, coalesce((SELECT o.role FROM chat_members o WHERE o.type = p.type
        AND o.channel = p.channel AND o.user_id = t.user_id), '\(Role.user)') AS role,
      p.type, p.channel AS id, p.type || ':' || p.channel AS channel, t.parent AS parent_id,
      NULL AS message_id, \(replies)
    FROM chat_thread_members t JOIN chat_messages p ON p.id = t.parent
    WHERE t.follows = 1 AND \(isThere("p"))
    """

  /// Members `m` and followers `t` for whom something counts unless they have muted whoever has said it.
  static let isBehind =
    "EXISTS (SELECT 1 FROM chat_messages x WHERE \(shown(to: "m", after: mark)))"
  static let isBehindInThread = "EXISTS (SELECT 1 FROM chat_messages x WHERE \(repliesOfOthers))"

  private static let mark = "coalesce(r.seq, m.joined_seq)"

  private static let repliesOfOthers = """
    x.parent = t.parent AND x.deleted_at IS NULL AND x.seq > t.seen
      AND x.user_id <> t.user_id AND x.silent = 0
    """

  private static func shown(to name: String, after seq: String) -> String {
    """
    x.type = \(name).type AND x.channel = \(name).channel AND x.seq > \(seq)
      AND x.user_id <> \(name).user_id AND x.listed = 1 AND x.deleted_at IS NULL AND x.silent = 0
    """
  }

  private static func isHeard(_ author: String, by user: String) -> String {
    "NOT EXISTS (SELECT 1 FROM chat_mutes u WHERE u.user_id = \(user) AND u.muted = \(author))"
  }

  private static func isThere(_ name: String) -> String {
    """
    NOT EXISTS (SELECT 1 FROM chat_channels d WHERE d.type = \(name).type
      AND d.id = \(name).channel AND d.deleted_at IS NOT NULL)
    """
  }
}

extension ChatShard {
  /// `GET /v1/unread?user_id=&after=&limit=`: channels of a member with messages that he has not read.
  func listUnread(_ request: Request) async throws -> Response {
    let user = try AppActor(request.principal).acting(
      as: request.query("user_id"), pointer: "/query/user_id")
    let limit = try request.limit()
    let after = try request.query("after").map(Self.cursor) ?? ("", "")
    let rows: [UnreadChannel] = try await context.store.read(
      """
      SELECT channel, unread, message_id FROM (\(raw: UnreadSQL.members)
        AND m.user_id = \(user) AND \(readable("m", by: user))
        AND (m.type, m.channel) > (\(after.0), \(after.1))
        ORDER BY m.type, m.channel) AS mine
      WHERE unread > 0 LIMIT \(limit + 1)
      """
    ).decode()
    return try .json(Page(rows, limit: limit, next: \.channel))
  }

  /// The counts in rows of `UnreadSQL.members` or `.followers`; nothing is unread to who may not read it.
  func counts(in rows: Rows) throws -> [UnreadCount] {
    try rows.map { row in
      let type = try? types[row["type", String.self]]
      let mayRead = type?.grants.allows(try row["role", String.self], .readChannel) ?? false
      return UnreadCount(
        key: UnreadCount.Key(
          user: ExactText(try row["user_id", String.self]),
          channel: try row["channel", String.self], parentID: try row["parent_id", String?.self]),
        mayRead: mayRead, unread: mayRead ? try row["unread", Int.self] : 0,
        messageID: try row["message_id", String?.self])
    }
  }
}
