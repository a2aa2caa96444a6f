internal import PluginKit

/// What somebody wants to say.
struct Draft: Decodable, Equatable {
  let id: String?
  let userID: String?
  let text: String
  let custom: RawJSON?

  private enum CodingKeys: String, CodingKey {
    case id
    case userID = "user_id"
    case text, custom
  }
}

extension ChatShard {
  /// `POST /v1/channels/{type}/{id}/messages`
  func sendMessage(_ request: Request) async throws -> Response {
    let (address, type) = try request.channel(types)
    let (message, isNew) = try await send(
      try request.decode(), to: address, type, for: Actor(request.principal))
    return try .json(message, status: isNew ? 201 : 200)
  }

  /// Message and event are one batch: whoever has the answer finds both, and nobody hears of a message
  /// that is not on disk.
  ///
  /// - Returns: the message; the one that was sent before, if it is the same with the same id.
  func send(
    _ draft: Draft, to address: ChannelAddress, _ type: ChannelType, for actor: Actor
  ) async throws -> (message: Message, isNew: Bool) {
    let user = try actor.acting(as: draft.userID, pointer: "/user_id")
    guard draft.id.map(Identifier.isValid) ?? true else {
      throw Problem.invalid(pointer: "/id", "A message's id is \(Identifier.words).")
    }
    try type.check(text: draft.text)
    let message = Message(
      id: try draft.id ?? context.id.make("msg"), channel: "\(address)", userID: user,
      text: draft.text, custom: draft.custom, createdAt: try context.clock.now())
    do {
      let commit = try await context.store.commit {
        place(in: address, type, for: actor, at: message.createdAt)
        insert(message, in: address)
        if let still = address.still(.sendMessage, actor, type, at: message.createdAt) { still }
        try Emit("chat.message.created", channel: address.realTimeName, data: message)
      }
      if try commit.statements[0].first?["has_members", Int.self] == 1 {
        tellUnread(in: address, but: user)
      }
      return (message, true)
    } catch StoreError.conflict(statement: 0, _) {
      // There was no place, since there is no channel.
      throw try await refusal(of: .sendMessage, actor, address, type)
    } catch StoreError.conflict(statement: 1, _) {
      return (try await repeated(message), false)
    } catch StoreError.conflict(statement: 2, _) {
      throw try await refusal(of: .sendMessage, actor, address, type)
    }
  }

  /// What is told of a place: its number, and whether there are members to be told of what they have not read.
  private static let placed = """
    last_seq, CASE WHEN EXISTS (
      SELECT 1 FROM chat_members m WHERE m.type = chat_channels.type AND m.channel = chat_channels.id
    ) THEN 1 ELSE 0 END AS has_members
    """

  /// The next place in the channel, which comes to be with it where its type has that.
  private func place(
    in address: ChannelAddress, _ type: ChannelType, for actor: Actor, at time: Timestamp
  ) -> SQL {
    if type.beginsWithMessage || (type.isOpen && actor.user == nil) {
      return SQL(
        """
        INSERT INTO chat_channels (
          type, id, created_by, data, created_at, last_seq, last_message_at)
        VALUES (\(address.type), \(address.id), \(actor.user), '{}', \(time), 1, \(time))
        ON CONFLICT (type, id) DO UPDATE
        SET last_seq = chat_channels.last_seq + 1, last_message_at = excluded.last_message_at
        WHERE chat_channels.deleted_at IS NULL
        RETURNING \(raw: Self.placed)
        """
      ).expect(exactly: 1)
    }
    return SQL(
      """
      UPDATE chat_channels SET last_seq = last_seq + 1, last_message_at = \(time)
      WHERE type = \(address.type) AND id = \(address.id) AND deleted_at IS NULL
      RETURNING \(raw: Self.placed)
      """
    ).expect(exactly: 1)
  }

  /// The message, in the place that the statement before found; nothing if its id is taken.
  private func insert(_ message: Message, in address: ChannelAddress) -> SQL {
    SQL(
      """
      INSERT INTO chat_messages (id, type, channel, seq, user_id, text, custom, created_at)
      VALUES (\(message.id), \(address.type), \(address.id), \(.returned(from: 0, "last_seq")),
        \(message.userID), \(message.text), \(message.custom), \(message.createdAt))
      ON CONFLICT (id) DO NOTHING
      """
    ).expect(exactly: 1)
  }

  /// What a message whose id is taken comes to: the first, if it is the same message.
  private func repeated(_ message: Message) async throws -> Message {
    guard
      let earlier = try await context.store.read(Message.find(message.id)).first?
        .decode(Message.self),
      earlier.hasContent(of: message)
    else {
      throw Problem.conflict("Another message has the id \"\(message.id)\" already.")
    }
    return earlier
  }
}
