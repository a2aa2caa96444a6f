internal import PluginKit

/// A message, as it is stored, answered and published.
struct Message: Codable, Equatable {
  let id: String
  /// `type:id`
  let channel: String
  let userID: String
  let text: String
  /// What the app has put there, byte for byte.
  let custom: RawJSON?
  let createdAt: Timestamp

  private enum CodingKeys: String, CodingKey {
    case id, channel
    case userID = "user_id"
    case text, custom
    case createdAt = "created_at"
  }

  /// What a statement selects from `chat_messages m` to decode one.
  static let columns = """
    m.id, m.type || ':' || m.channel AS channel, m.user_id, m.text, m.custom, m.created_at
    """

  /// The message called `id`, if there is one.
  static func find(_ id: String) -> SQL {
    "SELECT \(raw: columns), m.type, m.channel AS channel_id FROM chat_messages m WHERE m.id = \(id)"
  }

  /// Whether both say the same, whenever they were said.
  func hasContent(of other: Message) -> Bool {
    id == other.id && channel == other.channel && userID == other.userID && text == other.text
      && custom == other.custom
  }
}
