internal import PluginKit

/// A member of a channel, as others see him.
struct Member: Codable, Equatable {
  /// `type:id`
  let channel: String
  let userID: String
  var role: String
  /// Since when.
  let createdAt: Timestamp

  private enum CodingKeys: String, CodingKey {
    case channel
    case userID = "user_id"
    case role
    case createdAt = "created_at"
  }

  /// What a statement selects from `chat_members m` to decode one.
  static let columns = "m.type || ':' || m.channel AS channel, m.user_id, m.role, m.created_at"
}

/// What a channel is to one of its members, as he alone sees it.
struct Membership: Codable, Equatable {
  /// `type:id`
  let channel: String
  let userID: String
  let role: String
  /// Whether his list leaves it out until its next message.
  let isHidden: Bool
  /// Messages of others that he has not read, counted up to `ReadMark.limit`; nil where his channels are not listed.
  var unread: Int?
  let archivedAt: Timestamp?
  let pinnedAt: Timestamp?
  let createdAt: Timestamp

  private enum CodingKeys: String, CodingKey {
    case channel
    case userID = "user_id"
    case role
    case isHidden = "hidden"
    case unread
    case archivedAt = "archived_at"
    case pinnedAt = "pinned_at"
    case createdAt = "created_at"
  }

  /// What a statement selects from `chat_members m` and its `chat_channels c` to decode one.
  static let columns = """
    \(Member.columns), NULL AS unread, m.archived_at, m.pinned_at,
    CASE WHEN m.hidden_seq >= c.last_seq THEN 1 ELSE 0 END AS hidden
    """
}

extension ChannelAddress {
  /// One row if `user` is a member.
  func membership(of user: String) -> SQL {
    """
    SELECT role FROM chat_members
    WHERE type = \(type) AND channel = \(id) AND user_id = \(user)
    """
  }

  /// Makes `user` a member, who is then not invited any more; one who is one stays as he is. Where he could not read before, he has
  /// nothing unread from before, in threads neither.
  func join(
    _ user: String, _ channelType: ChannelType, as role: String = Role.member, at time: Timestamp
  ) -> [SQL] {
    let catchUp: SQL = """
      UPDATE chat_thread_members SET seen = (
        SELECT c.last_seq FROM chat_channels c WHERE c.type = \(type) AND c.id = \(id))
      WHERE user_id = \(user)
        AND EXISTS (SELECT 1 FROM chat_messages p WHERE p.id = chat_thread_members.parent
          AND p.type = \(type) AND p.channel = \(id))
        AND NOT EXISTS (SELECT 1 FROM chat_members
          WHERE type = \(type) AND channel = \(id) AND user_id = \(user))
      """
    return (channelType.grants.allows(Role.user, .readChannel) ? [] : [catchUp]) + [
      """
      INSERT INTO chat_members (type, channel, user_id, role, created_at, joined_seq)
      VALUES (\(type), \(id), \(user), \(role), \(time), coalesce(
        (SELECT last_seq FROM chat_channels WHERE type = \(type) AND id = \(id)), 0))
      ON CONFLICT (type, channel, user_id) DO NOTHING
      """,
      """
      DELETE FROM chat_invitations
      WHERE type = \(type) AND channel = \(id) AND user_id = \(user)
      """,
    ]
  }

  /// Those of the users who have marks there.
  func marked(among users: [String]) -> SQL {
    """
    SELECT user_id FROM chat_reads
    WHERE type = \(type) AND channel = \(id) AND user_id IN (\(each: users))
    """
  }

  /// One row as long as there are not more members than the type allows, to be expected after they have come.
  func hasRoom(_ type: ChannelType) -> SQL {
    SQL(
      """
      SELECT 1 AS has_room WHERE (SELECT count(*) FROM chat_members
        WHERE type = \(self.type) AND channel = \(id)) <= \(type.maxMembers)
      """
    ).expect(exactly: 1)
  }

  func isFull(_ type: ChannelType) -> Problem {
    Problem(
      status: 403, code: "quota_exceeded",
      detail: "A channel of the type \"\(self.type)\" has at most \(type.maxMembers) members.")
  }
}
