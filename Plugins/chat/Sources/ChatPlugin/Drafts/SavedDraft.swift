internal import PluginKit

/// What a user has begun to write and not sent yet, one for each channel and thread.
struct SavedDraft: Codable, Equatable {
  /// `type:id`
  let channel: String
  /// The message that began the thread; nil for what is to be sent to the channel.
  let parentID: String?
  let text: String
  let attachments: RawJSON?
  let mentions: [String]?
  let quotedID: String?
  let custom: RawJSON?
  let updatedAt: Timestamp

  /// The most that a user has.
  static let limit = 100

  private enum CodingKeys: String, CodingKey {
    case channel
    case parentID = "parent_id"
    case text, attachments, mentions
    case quotedID = "quoted_id"
    case custom
    case updatedAt = "updated_at"
  }

  /// What a statement selects from `chat_drafts d` to decode one.
  static let columns = """
    d.type || ':' || d.channel AS channel, nullif(d.parent, '') AS parent_id, d.text, d.attachments,
    d.mentions, d.quoted AS quoted_id, d.custom, d.updated_at
    """
}

/// A draft that is gone, as its user is told.
struct DeletedDraft: Codable, Equatable {
  /// `type:id`
  let channel: String
  let parentID: String?

  private enum CodingKeys: String, CodingKey {
    case channel
    case parentID = "parent_id"
  }
}
