internal import PluginKit

/// That somebody has found something wrong with a message, as it is stored, answered and published.
struct Flag: Codable, Equatable {
  /// How it can be settled.
  enum Action: String, Codable {
    case dismiss
    case deleteMessage = "delete_message"
    case banAuthor = "ban_author"
  }

  let id: String
  let messageID: String
  /// `type:id`
  let channel: String
  /// Who has sent the message.
  let authorID: String
  /// Absent for the app's blocklists.
  let flaggedBy: String?
  let reason: String?
  let createdAt: Timestamp
  /// Absent while nobody has settled it, as are the other two.
  var resolvedAt: Timestamp?
  /// Absent too when the app's server has.
  var resolvedBy: String?
  var action: Action?
  /// What the message says now; absent when it has been deleted, and in events.
  var text: String?

  private enum CodingKeys: String, CodingKey {
    case id
    case messageID = "message_id"
    case channel
    case authorID = "author_id"
    case flaggedBy = "flagged_by"
    case reason
    case createdAt = "created_at"
    case resolvedAt = "resolved_at"
    case resolvedBy = "resolved_by"
    case action, text
  }

  /// The most that are open in an app.
  static let limit = 10_000

  /// What a statement selects from `chat_flags f` to decode one.
  static let columns = """
    f.id, f.message AS message_id, f.type || ':' || f.channel AS channel, f.author AS author_id,
    nullif(f.flagged_by, '') AS flagged_by, f.reason, f.created_at, f.resolved_at, f.resolved_by,
    f.action, (SELECT x.text FROM chat_messages x WHERE x.id = f.message AND x.deleted_at IS NULL)
      AS text
    """

  /// The flag, unless its author has flagged the message before.
  func insert(in address: ChannelAddress) -> SQL {
    """
    INSERT INTO chat_flags (id, message, type, channel, author, flagged_by, reason, created_at)
    VALUES (\(id), \(messageID), \(address.type), \(address.id), \(authorID), \(flaggedBy ?? ""),
      \(reason), \(createdAt))
    ON CONFLICT (message, flagged_by) DO NOTHING
    """
  }

  /// The same, where not too many are open.
  func insertIfRoom(in address: ChannelAddress) -> SQL {
    """
    INSERT INTO chat_flags (id, message, type, channel, author, flagged_by, reason, created_at)
    SELECT \(id), \(messageID), \(address.type), \(address.id), \(authorID), \(flaggedBy ?? ""),
      \(reason), \(createdAt)
    WHERE (SELECT count(*) FROM chat_flags WHERE resolved_at IS NULL) < \(Self.limit)
    ON CONFLICT (message, flagged_by) DO UPDATE
    SET reason = excluded.reason, resolved_at = NULL, resolved_by = NULL, action = NULL
    """
  }

  /// One row as long as not too many are open, to be expected after another has come.
  static var hasRoom: SQL {
    SQL(
      """
      SELECT 1 AS has_room
      WHERE (SELECT count(*) FROM chat_flags WHERE resolved_at IS NULL) <= \(limit)
      """
    ).expect(exactly: 1)
  }
}
