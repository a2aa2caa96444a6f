internal import PluginKit

/// How a user reacts to a message.
struct Reaction: Codable, Equatable {
  let messageID: String
  /// `type:id`
  let channel: String
  let userID: String
  let reaction: String
  let createdAt: Timestamp

  /// The most bytes that its name has.
  static let bytes = 64
  /// The most that a user has on a message.
  static let limit = 16

  private enum CodingKeys: String, CodingKey {
    case messageID = "message_id"
    case channel
    case userID = "user_id"
    case reaction
    case createdAt = "created_at"
  }

  /// Whether a text can be one: no control characters and no spaces.
  static func isName(_ text: String) -> Bool {
    (1...bytes).contains(text.utf8.count)
      && text.unicodeScalars.allSatisfy { $0.value > 0x20 && !(0x7F...0xA0).contains($0.value) }
  }
}

/// `PUT` and `DELETE /v1/messages/{id}/reactions/{type}`: each of a user's reactions is there or not.
extension ChatShard {
  private struct Who: Decodable {
    let userID: String?

    private enum CodingKeys: String, CodingKey { case userID = "user_id" }
  }

  func addReaction(_ request: Request) async throws -> Response {
    let who: Who? = request.body.isEmpty ? nil : try request.decode()
    let reaction = try await react(
      to: try request.parameter(0), with: try request.parameter(1), at: "/path/type",
      exclusively: request.query("exclusive") == "true", as: who?.userID,
      for: AppActor(request.principal))
    return try .json(reaction)
  }

  func removeReaction(_ request: Request) async throws -> Response {
    try await unreact(
      to: try request.parameter(0), with: try request.parameter(1), as: request.query("user_id"),
      at: "/query/user_id", for: AppActor(request.principal))
    return .empty()
  }

  /// Adds a reaction; one that is there already stays as it is.
  ///
  /// - Parameters:
  ///   - pointer: where the request names the reaction.
  ///   - exclusively: whether it takes the place of the user's others.
  func react(
    to id: String, with name: String, at pointer: String, exclusively: Bool, as named: String?,
    for actor: AppActor
  ) async throws -> Reaction {
    let user = try actor.acting(as: named, pointer: "/user_id")
    guard Reaction.isName(name) else {
      throw Problem.invalid(
        pointer: pointer, "A reaction is a word of 1 to \(Reaction.bytes) bytes, without spaces.")
    }
    for _ in 0..<Self.attempts {
      let found = try await find(message: id, for: actor)
      try found.type.require(.reactions, in: found.address)
      try found.access.require(.react)
      let reaction = Reaction(
        messageID: id, channel: found.message.channel, userID: user, reaction: name,
        createdAt: try context.clock.now())
      let own = exclusively ? try await reactions(of: user, to: id) : []
      var batch = Batch()
      let replacing = try replace(own.filter { $0 != name }, by: reaction, &batch)
      // With the others gone it is as it is to be.
      let adding = own.contains(name) ? nil : try add(reaction, in: found.address, &batch)
      let allowing = found.address.still(.react, actor, found.type, at: reaction.createdAt).map {
        batch.add($0)
      }
      let alone =
        exclusively
        ? batch.add(
          SQL("SELECT 1 FROM chat_reactions WHERE message = \(id) AND user_id = \(user)")
            .expect(exactly: 1)) : nil
      do {
        try await context.store.commit(batch)
        return adding == nil ? try await earlier(reaction) : reaction
      } catch StoreError.conflict(statement: let failed?, _) where failed == allowing {
        throw try await refusal(of: .react, actor, found.address, found.type)
      } catch StoreError.conflict(statement: let failed?, _) where failed == adding {
        // It is there already, or cannot be added.
        let earlier = try await earlier(reaction)
        if !exclusively { return earlier }
      } catch StoreError.conflict(statement: let failed?, _)
        where failed == replacing || failed == alone
      {
        // The user is reacting in other ways at the same time.
      }
    }
    throw Problem.conflict("The user reacts to \"\(id)\" in other ways all the time; try again.")
  }

  /// How a user has reacted to a message.
  private func reactions(of user: String, to id: String) async throws -> [String] {
    try await context.store.read(
      """
      SELECT reaction FROM chat_reactions WHERE message = \(id) AND user_id = \(user)
      ORDER BY reaction
      """
    ).map { try $0["reaction", String.self] }
  }

  /// Adds a reaction in a batch.
  private func add(
    _ reaction: Reaction, in address: ChannelAddress, _ batch: inout Batch
  ) throws -> Int {
    try batch.emit("chat.reaction.added", channel: address.realTimeName, data: reaction)
    return batch.add(
      SQL(
        """
        INSERT INTO chat_reactions (message, user_id, reaction, created_at)
        SELECT id, \(reaction.userID), \(reaction.reaction), \(reaction.createdAt) FROM chat_messages
        WHERE id = \(reaction.messageID) AND deleted_at IS NULL AND (
          SELECT count(*) FROM chat_reactions
          WHERE message = \(reaction.messageID) AND user_id = \(reaction.userID)
        ) < \(Reaction.limit)
        ON CONFLICT (message, user_id, reaction) DO NOTHING
        """
      ).expect(exactly: 1))
  }

  /// Takes a user's other reactions back in a batch; nil when there are none.
  private func replace(
    _ others: [String], by reaction: Reaction, _ batch: inout Batch
  ) throws -> Int? {
    guard !others.isEmpty else { return nil }
    for other in others {
      try batch.emit(
        "chat.reaction.removed", channel: "\(ChannelAddress.namespace):\(reaction.channel)",
        data: Reaction(
          messageID: reaction.messageID, channel: reaction.channel, userID: reaction.userID,
          reaction: other, createdAt: reaction.createdAt))
    }
    return batch.add(
      SQL(
        """
        DELETE FROM chat_reactions WHERE message = \(reaction.messageID)
          AND user_id = \(reaction.userID) AND reaction IN (\(each: others))
        """
      ).expect(exactly: others.count))
  }

  /// Removes a reaction; one that is not there is not missed.
  ///
  /// - Parameter pointer: where the request names the user.
  func unreact(
    to id: String, with name: String, as named: String?, at pointer: String, for actor: AppActor
  ) async throws {
    let user = try actor.acting(as: named, pointer: pointer)
    let found = try await find(message: id, for: actor)
    let reaction = Reaction(
      messageID: id, channel: found.message.channel, userID: user, reaction: name,
      createdAt: try context.clock.now())
    do {
      try await context.store.commit {
        SQL(
          """
          DELETE FROM chat_reactions
          WHERE message = \(id) AND user_id = \(user) AND reaction = \(name)
          """
        ).expect(exactly: 1)
        try Emit("chat.reaction.removed", channel: found.address.realTimeName, data: reaction)
      }
    } catch StoreError.conflict(statement: 0, _) {
    }
  }

  /// Why a reaction was not added: it is there already, the message is gone, or the user has too many.
  private func earlier(_ reaction: Reaction) async throws -> Reaction {
    let row = try await context.store.read(
      """
      SELECT created_at FROM chat_reactions WHERE message = \(reaction.messageID)
        AND user_id = \(reaction.userID) AND reaction = \(reaction.reaction)
      """
    ).first
    if let row {
      return Reaction(
        messageID: reaction.messageID, channel: reaction.channel, userID: reaction.userID,
        reaction: reaction.reaction, createdAt: try row["created_at", Timestamp.self])
    }
    guard try await !context.store.read(Message.find(reaction.messageID)).isEmpty else {
      throw Self.noMessage(reaction.messageID)
    }
    throw Problem(
      status: 403, code: "quota_exceeded",
      detail: "A user has at most \(Reaction.limit) reactions to a message.")
  }
}

/// How many users have reacted in which way, in the order of the names.
struct ReactionCounts: Encodable {
  private struct Name: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }

    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }

  private let counts: [(String, Int)]

  init(_ counts: [(String, Int)]) { self.counts = counts }

  func encode(to encoder: any Encoder) throws {
    var object = encoder.container(keyedBy: Name.self)
    for (name, count) in counts { try object.encode(count, forKey: Name(stringValue: name)) }
  }

  /// Of each message that has any.
  ///
  /// - Parameter rows: message, reaction and users, those of a message together.
  static func byMessage(in rows: Rows) throws -> [String: RawJSON] {
    var counts: [String: [(String, Int)]] = [:]
    for row in rows {
      counts[try row["message", String.self], default: []].append(
        (try row["reaction", String.self], try row["users", Int.self]))
    }
    return try counts.mapValues { try RawJSON(encoding: ReactionCounts($0)) }
  }
}
