internal import PluginKit

/// A message, as it is stored, answered and published.
struct Message: Codable, Equatable {
  let id: String
  /// `type:id`
  let channel: String
  let userID: String
  var text: String
  /// What the app has put there, byte for byte.
  var custom: RawJSON?
  let createdAt: Timestamp
  /// When it was changed last; nil while it is as it was sent.
  var updatedAt: Timestamp?
  /// How many users have reacted in which way; nil where nobody has, and in events.
  var reactions: RawJSON?

  private enum CodingKeys: String, CodingKey {
    case id, channel
    case userID = "user_id"
    case text, custom
    case createdAt = "created_at"
    case updatedAt = "updated_at"
    case reactions
  }

  /// What a statement selects from `chat_messages m` to decode one.
  static let columns = """
    m.id, m.type || ':' || m.channel AS channel, m.user_id, m.text, m.custom, m.created_at,
    m.updated_at, NULL AS reactions
    """

  /// The message called `id`, if there is one.
  static func find(_ id: String) -> SQL {
    """
    SELECT \(raw: columns), m.type, m.channel AS channel_id FROM chat_messages m
    WHERE m.id = \(id) AND m.deleted_at IS NULL
    """
  }

  /// Whether both say the same, whenever they were said.
  func hasContent(of other: Message) -> Bool {
    id == other.id && channel == other.channel && userID == other.userID && text == other.text
      && custom == other.custom
  }
}

/// A message with the channel that it stands in.
struct Found {
  var message: Message
  let access: Access

  var address: ChannelAddress { access.address }
  var type: ChannelType { access.type }
}

extension ChatShard {
  /// A message that the actor may read.
  ///
  /// - Throws: `Problem` 404, also where it is not for the actor: whoever may not read it is not told that it is there.
  func find(message id: String, for actor: Actor) async throws -> Found {
    let gone = Self.noMessage(id)
    guard Identifier.isValid(id), let row = try await context.store.read(Message.find(id)).first,
      let address = ChannelAddress(
        type: try row["type", String.self], id: try row["channel_id", String.self]),
      let type = try? types[address.type]
    else { throw gone }
    let access = try await access(actor, address, type)
    guard access.allows(.readChannel) else { throw gone }
    return Found(message: try row.decode(Message.self), access: access)
  }

  static func noMessage(_ id: String) -> Problem { .notFound("There is no message \"\(id)\".") }
}
