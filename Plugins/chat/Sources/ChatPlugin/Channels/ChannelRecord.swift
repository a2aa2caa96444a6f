internal import PluginKit

/// A channel, as it is answered.
struct ChannelRecord: Codable {
  let type: String
  let id: String
  /// `type:id`, as messages name their channel.
  let channel: String
  /// Absent when the app's server made it.
  let createdBy: String?
  /// What the app has put there, byte for byte.
  let data: RawJSON
  let memberCount: Int
  /// The first hundred by id; absent in lists.
  var members: [String]?
  let createdAt: Timestamp

  private enum CodingKeys: String, CodingKey {
    case type, id, channel
    case createdBy = "created_by"
    case data
    case memberCount = "member_count"
    case members
    case createdAt = "created_at"
  }

  /// What a statement selects from `chat_channels c` to decode one.
  static let columns = """
    c.type, c.id, c.type || ':' || c.id AS channel, c.created_by, c.data, c.created_at,
    (SELECT count(*) FROM chat_members m WHERE m.type = c.type AND m.channel = c.id)
      AS member_count, NULL AS members
    """
}

extension ChannelAddress {
  /// The channel, if there is one.
  var record: SQL {
    """
    SELECT \(raw: ChannelRecord.columns) FROM chat_channels c
    WHERE c.type = \(type) AND c.id = \(id) AND c.deleted_at IS NULL
    """
  }

  /// The first hundred members, by id.
  var members: SQL {
    """
    SELECT user_id FROM chat_members WHERE type = \(type) AND channel = \(id)
    ORDER BY user_id LIMIT 100
    """
  }

  /// What decides who may do what in it; one row if there is such a channel, deleted or not.
  var state: SQL {
    """
    SELECT created_by, frozen AS is_frozen, CASE WHEN deleted_at IS NULL THEN 0 ELSE 1 END AS is_deleted
    FROM chat_channels WHERE type = \(type) AND id = \(id)
    """
  }

  /// One row if `user` is a member.
  func membership(of user: String) -> SQL {
    """
    SELECT role FROM chat_members
    WHERE type = \(type) AND channel = \(id) AND user_id = \(user)
    """
  }

  /// Makes `user` a member; one who is one stays as he is.
  func join(_ user: String, as role: String = Role.member, at time: Timestamp) -> SQL {
    """
    INSERT INTO chat_members (type, channel, user_id, role, created_at, joined_seq)
    VALUES (\(type), \(id), \(user), \(role), \(time), coalesce(
      (SELECT last_seq FROM chat_channels WHERE type = \(type) AND id = \(id)), 0))
    ON CONFLICT (type, channel, user_id) DO NOTHING
    """
  }
}

/// A page of a list.
struct Page<Element: Encodable>: Encodable {
  let data: [Element]
  /// What goes on after this page; null when nothing does.
  let next: String?

  private enum CodingKeys: String, CodingKey { case data, next }

  func encode(to encoder: any Encoder) throws {
    var page = encoder.container(keyedBy: CodingKeys.self)
    try page.encode(data, forKey: .data)
    // Not left out when it is nil, as a synthesized one would be.
    try page.encode(next, forKey: .next)
  }
}
