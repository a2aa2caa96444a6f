internal import PluginKit

/// That a user wants to come back to a message, at a time or some day.
struct Reminder: Codable, Equatable {
  let messageID: String
  /// `type:id`
  let channel: String
  let userID: String
  /// nil for what is kept without a time.
  let remindAt: Timestamp?
  /// When the user was told; nil until then.
  var remindedAt: Timestamp?
  let createdAt: Timestamp
  let updatedAt: Timestamp
  /// As it is now, in lists; nil in events.
  var message: Message?

  /// The most that a user has.
  static let limit = 250

  private enum CodingKeys: String, CodingKey {
    case messageID = "message_id"
    case channel
    case userID = "user_id"
    case remindAt = "remind_at"
    case remindedAt = "reminded_at"
    case createdAt = "created_at"
    case updatedAt = "updated_at"
    case message
  }

  /// What a statement selects from `chat_reminders r` to decode one.
  static let columns = """
    r.message AS message_id, r.type || ':' || r.channel AS channel, r.user_id, r.remind_at,
    r.reminded_at, r.created_at, r.updated_at
    """
}

/// A reminder that is gone, as its user is told.
struct DeletedReminder: Codable, Equatable {
  let messageID: String
  let userID: String

  private enum CodingKeys: String, CodingKey {
    case messageID = "message_id"
    case userID = "user_id"
  }
}
