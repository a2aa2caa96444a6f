internal import PluginKit

/// What users of channels of a type can ask another plugin for by `/word` (`sluice/services/chat-command.h`).
struct Command: Decodable, Sendable, Equatable {
  let description: String?
  /// What may stand behind the word, for people.
  let args: String?
  /// Milliseconds.
  let timeout: Int

  private enum CodingKeys: String, CodingKey {
    case description, args
    case timeout = "timeout_ms"
  }

  init(from decoder: any Decoder) throws {
    let command = try decoder.container(keyedBy: CodingKeys.self)
    description = try command.decodeIfPresent(String.self, forKey: .description)
    args = try command.decodeIfPresent(String.self, forKey: .args)
    timeout = try command.decodeIfPresent(Int.self, forKey: .timeout) ?? 1_000
  }
}

/// A command, as it is listed.
struct ListedCommand: Encodable {
  let type: String
  let name: String
  let description: String?
  let args: String?
}

/// What another plugin says to a command's user alone, as it is answered and published.
struct CommandReply: Codable, Equatable {
  let command: String
  /// `type:id`
  let channel: String
  /// Of the message that asked, which nobody else knows.
  let messageID: String
  let parentID: String?
  let userID: String
  let text: String
  let attachments: RawJSON?
  let custom: RawJSON?
  let createdAt: Timestamp

  private enum CodingKeys: String, CodingKey {
    case command, channel
    case messageID = "message_id"
    case parentID = "parent_id"
    case userID = "user_id"
    case text, attachments, custom
    case createdAt = "created_at"
  }
}

/// The question to `sluice.chat-command/1`, method 1.
private struct CommandQuestion: Encodable {
  let command: String
  let args: String
  let message: Message
}

private struct CommandAnswer: Decodable, Sendable {
  enum Action: String, Decodable { case send, reply, refuse }

  let action: Action
  let text: String?
  let attachments: RawJSON?
  let custom: RawJSON?
  let reason: String?
}

extension ChatShard {
  /// What a message comes to that may be a command.
  enum Commanded {
    /// - Parameter isPaced: whether it has been counted already among those that its user may write in some time.
    case message(Message, isPaced: Bool)
    case reply(CommandReply)
    /// What came of the command when it was given before, with the same id.
    case sent(Message)
  }

  /// The most bytes of what another plugin makes of a message.
  private static let longest = 65_536

  /// Runs the command that a user's message is, in channels of a type that has it; any other message stays as it is.
  ///
  /// - Parameter isNamed: whether the client has said the message's id, so that it may have been sent before.
  /// - Throws: `Problem` 403 when the user may not write there, or the command is refused; 409 when another message has the id; 429 when he
  ///   writes too often; 503 when nobody runs it.
  func run(
    _ message: Message, isNamed: Bool, in address: ChannelAddress, _ type: ChannelType,
    for actor: AppActor, who permission: Permission
  ) async throws -> Commanded {
    guard actor.user != nil, let (name, args) = Self.words(of: message.text),
      let command = type.commands[name]
    else { return .message(message, isPaced: false) }
    if isNamed, let earlier = try await commanded(message, in: address, type, for: actor) {
      return .sent(earlier)
    }
    // Nobody else is asked about what is refused all the same.
    let access = try await admit(actor, to: address, type, for: permission)
    let isPaced = type.pace.isOfType || (access.channel?.slowMode ?? 0) > 0
    if isPaced { try await keepPace(of: message, in: address, type, access.channel?.slowMode) }
    let answer: CommandAnswer
    do {
      answer = try await ask(
        "sluice.chat-command/1", key: name, method: 1,
        CommandQuestion(command: name, args: args, message: message.published),
        within: command.timeout)
      try Self.check(answer)
    } catch {
      context.log.warning("a command cannot be run", ["command": name, "error": "\(error)"])
      throw Problem.unavailable("The command \"/\(name)\" cannot be run now. Try again later.")
    }
    switch answer.action {
    case .refuse: throw Problem.forbidden(answer.reason ?? "The command is refused.")
    case .send:
      var made = message
      made.text = answer.text ?? message.text
      if let attachments = answer.attachments { made.attachments = try attachments.asList() }
      made.custom = answer.custom ?? message.custom
      try type.check(text: made.text)
      try made.requireContent()
      return .message(made, isPaced: isPaced)
    case .reply:
      let reply = CommandReply(
        command: name, channel: message.channel, messageID: message.id,
        parentID: message.parentID, userID: message.userID, text: answer.text ?? "",
        attachments: try answer.attachments?.asList(), custom: answer.custom,
        createdAt: message.createdAt)
      tell("chat.command.replied", try RawJSON(encoding: reply), to: message.userID)
      return .reply(reply)
    }
  }

  /// What a command with an id came to before. What another plugin made of it is its own, so it is known by who gave it, and where.
  ///
  /// - Throws: `Problem` 409 when another message has the id.
  private func commanded(
    _ message: Message, in address: ChannelAddress, _ type: ChannelType, for actor: AppActor
  ) async throws -> Message? {
    let taken = Problem.conflict("Another message has the id \"\(message.id)\" already.")
    if let held = try await held(message.id, by: actor) {
      guard held.isInPlace(of: message) else { throw taken }
      return held
    }
    let row = try await context.store.read(Message.find(message.id, evenDeleted: true)).first
    guard let row else { return nil }
    let earlier = try row.decode(Message.self)
    guard try row["deleted_at", Timestamp?.self] == nil, earlier.isInPlace(of: message),
      try await access(actor, address, type).allows(.readChannel)
    else { throw taken }
    return try await shown(earlier, to: actor.user)
  }

  /// Counts a command among what its user writes, before another plugin is asked: also one that comes to nothing has its cost.
  ///
  /// - Throws: `Problem` 429 when he writes too often.
  private func keepPace(
    of message: Message, in address: ChannelAddress, _ type: ChannelType, _ slowMode: Int64?
  ) async throws {
    do {
      try await context.store.commit(isApartFromRequest: true) {
        address.mayWrite(message.userID, type, at: message.createdAt)
        address.keepPace(of: message.userID, type, at: message.createdAt)
      }
    } catch StoreError.conflict {
      throw type.pace.refusal(in: address, slowMode: slowMode)
    }
  }

  /// The word behind the slash that a text begins with, and what stands behind that.
  static func words(of text: String) -> (name: String, args: String)? {
    guard text.first == "/" else { return nil }
    let parts = text.dropFirst().split(
      maxSplits: 1, omittingEmptySubsequences: false, whereSeparator: \.isWhitespace)
    guard let name = parts.first, ChannelTypes.isName(String(name)) else { return nil }
    let args = parts.count == 2 ? parts[1].drop(while: \.isWhitespace) : ""
    return (String(name), String(args))
  }

  private struct Attachment: Decodable { let type: String }

  /// - Throws: when it is more than a message can have.
  private static func check(_ answer: CommandAnswer) throws {
    let attachments = try answer.attachments?.decode([Attachment].self) ?? []
    _ = try Attachments(answer.attachments)
    let size =
      (answer.text?.utf8.count ?? 0) + (answer.attachments?.bytes.count ?? 0)
      + (answer.custom?.bytes.count ?? 0)
    guard attachments.count <= 16, size <= longest,
      (answer.text?.unicodeScalars.count ?? 0) <= ChannelType.longestMessage,
      answer.custom.map({ $0.bytes.first == UInt8(ascii: "{") }) ?? true
    else { throw HostError(.tooLarge, "The answer is more than a message can have.") }
  }

  /// `GET /v1/commands?type=`: what users can ask for, by type and name.
  func listCommands(_ request: Request) async throws -> Response {
    let wanted = request.query("type")
    if let wanted { _ = try types[wanted] }
    let listed = types.all.filter { wanted == nil || $0.name == wanted }.flatMap { each in
      each.type.commands.sorted { $0.key < $1.key }.map { name, command in
        ListedCommand(
          type: each.name, name: name, description: command.description, args: command.args)
      }
    }
    return try .json(Page(data: listed, next: nil))
  }
}

extension Message {
  /// Whether both are the same user's in the same place, whatever they say.
  fileprivate func isInPlace(of other: Message) -> Bool {
    id == other.id && channel == other.channel && userID.isExactly(other.userID)
      && kind == other.kind && parentID == other.parentID && showInChannel == other.showInChannel
  }
}
