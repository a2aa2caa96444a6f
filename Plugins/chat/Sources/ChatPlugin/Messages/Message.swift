internal import PluginKit

/// What a message is beside what users say.
enum MessageKind: String, Codable {
  /// Said by the app's server about what has happened.
  case system
}

/// A message, as it is stored, answered and published.
struct Message: Codable, Equatable {
  let id: String
  /// `type:id`
  let channel: String
  var userID: String
  /// nil for what users say.
  let kind: MessageKind?
  /// Empty only beside attachments.
  var text: String
  /// A list of objects, byte for byte as it was sent; nil for none.
  var attachments: RawJSON?
  /// The users that it mentions; nil for none.
  var mentions: [String]?
  /// What it asks; with what was answered where it is shown, and without in events.
  var poll: Poll?
  /// The message of the same channel that it quotes.
  let quotedID: String?
  /// The quoted message as it is now; nil in events, so that the history holds nothing of it that could outlive it.
  var quoted: QuotedMessage?
  /// Of a reply: the message that began the thread.
  let parentID: String?
  /// Of a reply: true when the channel shows it too; else nil.
  let showInChannel: Bool?
  /// True when nobody is told of it and it is never unread; else nil.
  let silent: Bool?
  /// What the app has put there, byte for byte.
  var custom: RawJSON?
  let createdAt: Timestamp
  /// When it was changed last; nil while it is as it was sent.
  var updatedAt: Timestamp?
  /// How many replies there are; nil where there are none, and in events.
  var replyCount: Int?
  var latestReplyAt: Timestamp?
  /// Some of those who have replied, in the order in which they came; nil where nobody has, and in events.
  var participants: [String]?
  /// When it was pinned; nil while it is not, and in events.
  var pinnedAt: Timestamp?
  /// Who has pinned it; nil too when the app's server has.
  var pinnedBy: String?
  /// How many users have reacted in which way; nil where nobody has, and in events.
  var reactions: RawJSON?
  /// How the user who asks has reacted; nil where he has not, and in events.
  var ownReactions: [String]?

  private enum CodingKeys: String, CodingKey {
    case id, channel
    case userID = "user_id"
    case kind, text, attachments, mentions, poll
    case quotedID = "quoted_id"
    case quoted
    case parentID = "parent_id"
    case showInChannel = "show_in_channel"
    case silent, custom
    case createdAt = "created_at"
    case updatedAt = "updated_at"
    case replyCount = "reply_count"
    case latestReplyAt = "latest_reply_at"
    case participants
    case pinnedAt = "pinned_at"
    case pinnedBy = "pinned_by"
    case reactions
    case ownReactions = "own_reactions"
  }

  /// What a statement selects from `chat_messages m` to decode one.
  static let columns = """
    m.id, m.type || ':' || m.channel AS channel, m.user_id, m.kind, m.text, m.attachments,
    m.mentions, m.quoted AS quoted_id, nullif(m.silent, 0) AS silent, m.custom, m.created_at,
    m.updated_at, m.parent AS parent_id,
    CASE WHEN m.parent IS NOT NULL AND m.listed = 1 THEN 1 END AS show_in_channel,
    nullif(m.reply_count, 0) AS reply_count, m.latest_reply_at, m.pinned_at, m.pinned_by, m.poll
    """

  /// The message called `id`, if there is one.
  static func find(_ id: String, evenDeleted: Bool = false) -> SQL {
    """
    SELECT \(raw: columns), m.type, m.channel AS channel_id, m.deleted_at FROM chat_messages m
    WHERE m.id = \(id) AND (m.deleted_at IS NULL OR \(evenDeleted) = 1)
    """
  }

  /// As it is published: without what is read with it, which changes without it.
  var published: Message {
    var message = self
    message.quoted = nil
    message.poll = poll?.asked
    message.replyCount = nil
    message.latestReplyAt = nil
    message.participants = nil
    message.pinnedAt = nil
    message.pinnedBy = nil
    message.reactions = nil
    message.ownReactions = nil
    return message
  }

  /// Whether its channel shows it.
  var isListed: Bool { parentID == nil || showInChannel == true }

  /// Whether both say the same, whenever they were said.
  func hasContent(of other: Message) -> Bool {
    id == other.id && channel == other.channel && userID.isExactly(other.userID)
      && kind == other.kind && text == other.text
      && Attachments.areSame(attachments, other.attachments)
      && Mentions.areSame(mentions, other.mentions)
      && poll?.asked == other.poll?.asked
      && quotedID == other.quotedID && parentID == other.parentID
      && showInChannel == other.showInChannel && silent == other.silent && custom == other.custom
  }

  /// - Throws: `Problem` 400 when there is nothing that it says.
  func requireContent() throws {
    guard !text.isEmpty || attachments != nil || poll != nil else {
      throw Problem.invalid(pointer: "/text", "A message has a text, attachments or a poll.")
    }
  }
}

/// What is shown of a message where another quotes it.
struct QuotedMessage: Codable, Equatable {
  let id: String
  let userID: String
  /// nil when the message has been deleted.
  let text: String?
  let createdAt: Timestamp
  let deletedAt: Timestamp?

  private enum CodingKeys: String, CodingKey {
    case id
    case userID = "user_id"
    case text
    case createdAt = "created_at"
    case deletedAt = "deleted_at"
  }
}

/// A message with the channel that it stands in.
struct Found {
  var message: Message
  let access: Access
  /// nil while it is there.
  let deletedAt: Timestamp?

  var address: ChannelAddress { access.address }
  var type: ChannelType { access.type }
}

extension ChatShard {
  /// A message that the actor may read.
  ///
  /// - Throws: `Problem` 404, also where it is not for the actor: whoever may not read it is not told that it is there.
  func find(
    message id: String, for actor: AppActor, evenDeleted: Bool = false
  ) async throws -> Found {
    let gone = Self.noMessage(id)
    guard Identifier.isValid(id),
      let row = try await context.store.read(Message.find(id, evenDeleted: evenDeleted)).first,
      let address = ChannelAddress(
        type: try row["type", String.self], id: try row["channel_id", String.self]),
      let type = try? types[address.type]
    else { throw gone }
    let access = try await access(actor, address, type)
    guard access.allows(.readChannel) else { throw gone }
    return Found(
      message: try row.decode(Message.self), access: access,
      deletedAt: try row["deleted_at", Timestamp?.self])
  }

  static func noMessage(_ id: String) -> Problem { .notFound("There is no message \"\(id)\".") }
}

extension RawJSON {
  /// nil for an empty list, which says as much as none.
  ///
  /// - Throws: `JSONError` when it is no list.
  func asList() throws -> RawJSON? {
    try decode([RawJSON].self).isEmpty ? nil : self
  }
}
