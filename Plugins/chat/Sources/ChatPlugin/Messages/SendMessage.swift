internal import PluginKit

/// What somebody wants to say.
struct Draft: Decodable {
  let id: String?
  let userID: String?
  let kind: MessageKind?
  let text: String?
  let attachments: RawJSON?
  let mentions: [String]?
  let poll: NewPoll?
  let quotedID: String?
  let parentID: String?
  let showInChannel: Bool?
  let silent: Bool?
  let custom: RawJSON?

  private enum CodingKeys: String, CodingKey {
    case id
    case userID = "user_id"
    case kind, text, attachments, mentions, poll
    case quotedID = "quoted_id"
    case parentID = "parent_id"
    case showInChannel = "show_in_channel"
    case silent, custom
  }
}

/// What has come of a draft.
enum Sent: Encodable {
  case message(Message, isNew: Bool)
  /// A command said something to its user alone, and nothing was sent.
  case reply(CommandReply)

  /// Of the answer to a request.
  var status: Int {
    switch self {
    case .message(_, let isNew): isNew ? 201 : 200
    case .reply: 202
    }
  }

  func encode(to encoder: any Encoder) throws {
    switch self {
    case .message(let message, _): try message.encode(to: encoder)
    case .reply(let reply): try reply.encode(to: encoder)
    }
  }
}

extension ChatShard {
  /// `POST /v1/channels/{type}/{id}/messages`
  func sendMessage(_ request: Request) async throws -> Response {
    let (address, type) = try request.channel(types)
    let sent = try await send(
      try request.decode(), to: address, type, for: AppActor(request.principal))
    return try .json(sent, status: sent.status)
  }

  /// Message and event are one batch: whoever has the answer finds both, and nobody hears of a message
  /// that is not on disk.
  ///
  /// - Returns: the message; the one that was sent before, if it is the same with the same id; or what a command says to its user alone.
  func send(
    _ draft: Draft, to address: ChannelAddress, _ type: ChannelType, for actor: AppActor
  ) async throws -> Sent {
    let isNamed = draft.id != nil
    let draft = try compose(draft, to: address, type, for: actor)
    let permission: Permission = draft.parentID == nil ? .sendMessage : .sendReply
    switch try await run(
      draft, isNamed: isNamed, in: address, type, for: actor, who: permission)
    {
    case .reply(let reply): return .reply(reply)
    case .sent(let earlier): return .message(earlier, isNew: false)
    case .message(let message, let isPaced):
      let linked: Message
      let uploads: [LinkedUpload]
      switch try await link(message, isNamed: isNamed, in: address, type, for: actor) {
      case .sent(let earlier): return .message(earlier, isNew: false)
      case .linked(let message, let found): (linked, uploads) = (message, found)
      }
      var passed = try await pass(linked, in: address, type, for: actor, who: permission)
      passed.uploads = uploads
      let (sent, isNew) = try await send(
        passed, to: address, type, for: actor, isSlowed: isPaced || type.pace.isOfType,
        isPaced: isPaced)
      if isNew { throttle.hasSent(sent.userID, in: sent.channel) }
      return .message(sent, isNew: isNew)
    }
  }

  /// - Parameters:
  ///   - isSlowed: whether it is looked at how often the user writes; else a slow channel is found to be one on the way.
  ///   - isPaced: whether that has been looked at, and the message counted.
  private func send(
    _ passed: MessageGate.Passed, to address: ChannelAddress, _ type: ChannelType,
    for actor: AppActor, isSlowed: Bool, isPaced: Bool
  ) async throws -> (message: Message, isNew: Bool) {
    let message = passed.message
    let permission: Permission = message.parentID == nil ? .sendMessage : .sendReply
    if passed.isHeld {
      try await admit(actor, to: address, type, for: permission)
      return try await hold(
        passed, in: address,
        at: place(in: address, type, for: actor, at: message.createdAt, isShown: false))
    }
    var batch = Batch()
    batch.add(place(in: address, type, for: actor, at: message.createdAt))
    batch.add(try insert(message, in: address))
    let allowing = address.still(
      permission, actor, type, at: message.createdAt, isSlowed: isSlowed
    ).map { batch.add($0) }
    let pacing =
      isSlowed && !isPaced && actor.user != nil
      ? batch.add(address.mayWrite(message.userID, type, at: message.createdAt)) : nil
    if pacing != nil {
      batch.add(address.keepPace(of: message.userID, type, at: message.createdAt))
    }
    let asking =
      message.poll == nil
      ? nil
      : address.still(.createPoll, actor, type, at: message.createdAt).map { batch.add($0) }
    let uploading =
      passed.uploads.isEmpty
      ? nil : address.still(.upload, actor, type, at: message.createdAt).map { batch.add($0) }
    let linking = Self.keepUploads(passed.uploads, of: message, &batch)
    let quoting = message.quotedID.map { batch.add(Self.quote($0, in: address)) }
    Self.keepMentions(of: message, &batch)
    Self.keepPoll(of: message, &batch)
    let replying = message.parentID.map { Self.keepReply(message, to: $0, in: address, &batch) }
    try keep(passed.flags, of: message, in: address, &batch)
    try batch.emit("chat.message.created", channel: address.realTimeName, data: message)
    do {
      let commit =
        if let end = message.poll?.closesAt {
          try await context.alarm.commit(batch, wakingAt: end)
        } else {
          try await context.store.commit(batch)
        }
      if message.silent == nil {
        if message.isListed,
          try commit.statements[0].first?["has_members", Bool.self] == true
        {
          tellUnread(in: address, but: message.userID)
        }
        tell(message.mentions ?? [], of: message, in: address, type)
      }
      // Of a silent one too: who follows the thread from here on has its count.
      if let parent = message.parentID {
        tellUnread(inThreadOf: parent, address, but: message.userID)
      }
      let isWhole = message.quotedID == nil && message.poll == nil
      return (isWhole ? message : try await shown(message, to: actor.user), true)
    } catch StoreError.conflict(statement: 0, _) {
      // There was no place, since there is no channel.
      throw try await refusal(of: permission, actor, address, type)
    } catch StoreError.conflict(statement: 1, _) {
      return (try await repeated(message, for: actor), false)
    } catch StoreError.conflict(statement: let failed?, _) where failed == allowing {
      let access = try await admit(actor, to: address, type, for: permission)
      if access.ban?.isShadow == true {
        return try await hold(
          passed, in: address,
          at: place(in: address, type, for: actor, at: message.createdAt, isShown: false))
      }
      if !isSlowed, (access.channel?.slowMode ?? 0) > 0 {
        return try await send(
          passed, to: address, type, for: actor, isSlowed: true, isPaced: isPaced)
      }
      throw Self.overtaken(address)
    } catch StoreError.conflict(statement: let failed?, _) where failed == asking {
      throw try await refusal(of: .createPoll, actor, address, type)
    } catch StoreError.conflict(statement: let failed?, _) where failed == uploading {
      throw try await refusal(of: .upload, actor, address, type)
    } catch StoreError.conflict(statement: let failed?, _) where failed == linking {
      throw Self.uploadsGone()
    } catch StoreError.conflict(statement: let failed?, _) where failed == pacing {
      let slowMode = try await access(actor, address, type).channel?.slowMode
      throw type.pace.refusal(in: address, slowMode: slowMode)
    } catch StoreError.conflict(statement: let failed?, _) where failed == replying {
      throw try await noParent(message.parentID ?? "", in: address)
    } catch StoreError.conflict(statement: let failed?, _) where failed == quoting {
      throw Problem.invalid(
        pointer: "/quoted_id",
        "There is no message \"\(message.quotedID ?? "")\" in \(address) to quote.")
    }
  }

  /// The message that a draft comes to.
  ///
  /// - Throws: `Problem` 400 or 403 when it cannot be sent as it is.
  private func compose(
    _ draft: Draft, to address: ChannelAddress, _ type: ChannelType, for actor: AppActor
  ) throws -> Message {
    let user = try actor.acting(as: draft.userID, pointer: "/user_id")
    guard draft.id.map(Identifier.isValid) ?? true else {
      throw Problem.invalid(pointer: "/id", "A message's id is \(Identifier.words).")
    }
    guard draft.kind == nil || actor == .server else {
      throw Problem.forbidden("System messages are sent by the app's server alone.")
    }
    guard draft.showInChannel != true || draft.parentID != nil else {
      throw Problem.invalid(
        pointer: "/show_in_channel", "Only a reply, with parent_id, is shown in the channel too.")
    }
    if draft.parentID != nil { try type.require(.replies, in: address) }
    if draft.poll != nil { try type.require(.polls, in: address) }
    try type.check(text: draft.text ?? "")
    let message = Message(
      id: try draft.id ?? context.id.make("msg"), channel: "\(address)", userID: user,
      kind: draft.kind, text: draft.text ?? "", attachments: try draft.attachments?.asList(),
      mentions: try Mentions.checked(draft.mentions), poll: try draft.poll?.poll(),
      quotedID: draft.quotedID,
      parentID: draft.parentID, showInChannel: draft.showInChannel == true ? true : nil,
      silent: draft.silent == true ? true : nil, custom: draft.custom,
      createdAt: try context.clock.now())
    try message.requireContent()
    return message
  }

  /// What is told of a place: its number, and whether there are members to be told of what they have not read.
  private static let placed = """
    last_seq, CASE WHEN EXISTS (
      SELECT 1 FROM chat_members m WHERE m.type = chat_channels.type AND m.channel = chat_channels.id
    ) THEN 1 ELSE 0 END AS has_members
    """

  /// The next place in the channel, which comes to be with it where its type has that.
  ///
  /// - Parameter isShown: whether the channel is one that has been written to.
  private func place(
    in address: ChannelAddress, _ type: ChannelType, for actor: AppActor, at time: Timestamp,
    isShown: Bool = true
  ) -> SQL {
    let shownAt = isShown ? time : nil
    if type.beginsWithMessage || (type.isOpen && actor.user == nil) {
      return SQL(
        """
        INSERT INTO chat_channels (
          type, id, created_by, data, created_at, last_seq, last_message_at)
        VALUES (\(address.type), \(address.id), \(actor.user), '{}', \(time), 1, \(shownAt))
        ON CONFLICT (type, id) DO UPDATE
        SET last_seq = chat_channels.last_seq + 1,
          last_message_at = coalesce(excluded.last_message_at, chat_channels.last_message_at)
        WHERE chat_channels.deleted_at IS NULL
        RETURNING \(raw: Self.placed)
        """
      ).expect(exactly: 1)
    }
    return SQL(
      """
      UPDATE chat_channels SET last_seq = last_seq + 1,
        last_message_at = coalesce(\(shownAt), last_message_at)
      WHERE type = \(address.type) AND id = \(address.id) AND deleted_at IS NULL
      RETURNING \(raw: Self.placed)
      """
    ).expect(exactly: 1)
  }

  /// The message, in the place that a statement before found; nothing if its id is taken.
  ///
  /// - Parameter place: the statement's number.
  func insert(
    _ message: Message, in address: ChannelAddress, at place: Int = 0
  ) throws -> SQL {
    try SQL(
      """
      INSERT INTO chat_messages (id, type, channel, seq, user_id, kind, text, attachments, mentions,
        poll, quoted, parent, listed, silent, custom, created_at,
        updated_at)
      VALUES (\(message.id), \(address.type), \(address.id), \(.returned(from: place, "last_seq")),
        \(message.userID), \(message.kind?.rawValue), \(message.text), \(message.attachments),
        \(message.mentionsJSON), \(try message.poll.map { try RawJSON(encoding: $0) }), \(message.quotedID), \(message.parentID), \(message.isListed),
        \(message.silent ?? false), \(message.custom), \(message.createdAt), \(message.updatedAt))
      ON CONFLICT (id) DO NOTHING
      """
    ).expect(exactly: 1)
  }

  /// One row when a message of the channel can be quoted.
  private static func quote(_ id: String, in address: ChannelAddress) -> SQL {
    SQL(
      """
      SELECT 1 AS is_there FROM chat_messages WHERE id = \(id) AND type = \(address.type)
        AND channel = \(address.id) AND deleted_at IS NULL
      """
    ).expect(exactly: 1)
  }

  /// What a message whose id is taken comes to: the first, if it is the same message.
  func repeated(_ message: Message, for actor: AppActor) async throws -> Message {
    guard
      let earlier = try await context.store.read(Message.find(message.id)).first?
        .decode(Message.self),
      earlier.hasContent(of: message)
    else {
      throw Self.taken(message.id)
    }
    return earlier.quotedID == nil && earlier.poll == nil
      ? earlier.published : try await shown(earlier, to: actor.user)
  }
}
