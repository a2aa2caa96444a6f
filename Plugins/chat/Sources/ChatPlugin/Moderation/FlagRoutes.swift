internal import PluginKit

/// `POST /v1/messages/{id}/flag`, `GET /v1/flags` and `POST /v1/flags/{id}/resolve`
extension ChatShard {
  private struct Complaint: Decodable {
    let reason: String?
    let userID: String?

    private enum CodingKeys: String, CodingKey {
      case reason
      case userID = "user_id"
    }
  }

  private struct Settlement: Decodable {
    let action: Flag.Action
    let seconds: Int64?
  }

  /// Says that something is wrong with a message; again is nothing.
  func flagMessage(_ request: Request) async throws -> Response {
    let complaint: Complaint? = request.body.isEmpty ? nil : try request.decode()
    let actor = try AppActor(request.principal)
    let user = try actor.acting(as: complaint?.userID, pointer: "/user_id")
    let found = try await find(message: try request.parameter(0), for: actor)
    try found.access.require(.flag)
    let flag = Flag(
      id: try context.id.make("flg"), messageID: found.message.id, channel: found.message.channel,
      authorID: found.message.userID, flaggedBy: user, reason: complaint?.reason,
      createdAt: try context.clock.now())
    var batch = Batch()
    batch.add(flag.insert(in: found.address).expect(exactly: 1))
    let room = batch.add(Flag.hasRoom)
    try batch.emit("chat.flag.created", data: flag)
    do {
      try await context.store.commit(batch)
    } catch StoreError.conflict(statement: 0, _) {
      let earlier: [Flag] = try await context.store.read(
        """
        SELECT \(raw: Flag.columns) FROM chat_flags f
        WHERE f.message = \(flag.messageID) AND f.flagged_by = \(user)
        """
      ).decode()
      guard let earlier = earlier.first else { throw Self.overtaken(found.address) }
      return try .json(earlier)
    } catch StoreError.conflict(statement: room, _) {
      throw Problem(
        status: 403, code: "quota_exceeded",
        detail: "At most \(Flag.limit) flags wait to be settled in an app.")
    }
    var shown = flag
    shown.text = found.message.text
    return try .json(shown, status: 201)
  }

  /// Flags for whoever settles them: all for a server, those of a channel for its moderators.
  func listFlags(_ request: Request) async throws -> Response {
    let limit = try request.limit()
    let actor = try AppActor(request.principal)
    var address: ChannelAddress?
    if let name = request.query("channel") {
      let (type, id) = try Self.cursor(name)
      guard let named = ChannelAddress(type: type, id: id) else {
        throw Problem.invalid(pointer: "/query/channel", "A channel is called {type}:{id}.")
      }
      address = named
      try await admit(actor, to: named, types[type], for: .reviewFlags).requireChannel()
    } else if actor.user != nil {
      throw Problem.invalid(
        pointer: "/query/channel", "Say of which channel: all are for the app's server.")
    }
    let isResolved = request.query("status") == "resolved"
    let found: [Flag] = try await context.store.read(
      """
      SELECT \(raw: Flag.columns) FROM chat_flags f
      WHERE f.id > \(request.query("after") ?? "")
        AND CASE WHEN f.resolved_at IS NULL THEN 0 ELSE 1 END = \(isResolved)
        AND (\(address == nil) = 1
          OR (f.type = \(address?.type ?? "") AND f.channel = \(address?.id ?? "")))
      ORDER BY f.id LIMIT \(limit + 1)
      """
    ).decode()
    return try .json(Page(found, limit: limit, next: \.id))
  }

  /// Settles a flag, and with it the others of its message. What is to be done is done first, so that a flag that has been
  /// settled has come to something.
  func resolveFlag(_ request: Request) async throws -> Response {
    let id = try request.parameter(0)
    let settlement: Settlement = try request.decode()
    let actor = try AppActor(request.principal)
    let flag = try await flag(id)
    let (type, channel) = try Self.cursor(flag.channel)
    guard let address = ChannelAddress(type: type, id: channel) else { throw Self.noFlag(id) }
    let channelType = try types[type]
    let access = try await access(actor, address, channelType)
    guard access.allows(.reviewFlags) else { throw Self.noFlag(id) }
    guard flag.resolvedAt == nil else {
      throw Problem.conflict("The flag \"\(id)\" has been settled already.")
    }
    switch settlement.action {
    case .dismiss: break
    case .deleteMessage:
      do {
        _ = try await delete(flag.messageID, as: nil, at: "", for: actor)
      } catch let problem as Problem where problem.status == 404 {
        // It is gone already.
      }
    case .banAuthor:
      try await ban(
        flag.authorID, from: address, channelType, seconds: settlement.seconds,
        reason: flag.reason, for: actor)
    }
    let now = try context.clock.now()
    var settled = flag
    settled.resolvedAt = now
    settled.resolvedBy = actor.user
    settled.action = settlement.action
    settled.text = nil
    do {
      try await context.store.commit {
        SQL(
          """
          UPDATE chat_flags SET resolved_at = \(now), resolved_by = \(actor.user),
            action = \(settlement.action.rawValue)
          WHERE message = \(flag.messageID) AND resolved_at IS NULL
          """
        ).expect(atLeast: 1)
        try Emit("chat.flag.resolved", data: settled)
      }
    } catch StoreError.conflict(statement: 0, _) {
      throw Problem.conflict("The flag \"\(id)\" has been settled already.")
    }
    return try .json(try await self.flag(id))
  }

  /// Flags a message in the batch that writes it, for the lists that want it to be looked at. It is sent also where too many flags are open.
  func keep(
    _ lists: [String], of message: Message, in address: ChannelAddress, _ batch: inout Batch
  ) throws {
    guard !lists.isEmpty else { return }
    let flag = Flag(
      id: try context.id.make("flg"), messageID: message.id, channel: message.channel,
      authorID: message.userID, flaggedBy: nil,
      reason: "blocklist: " + lists.joined(separator: ", "), createdAt: message.createdAt)
    batch.add(flag.insertIfRoom(in: address))
    try batch.emit("chat.flag.created", data: flag)
  }

  private func flag(_ id: String) async throws -> Flag {
    let found: [Flag] = try await context.store.read(
      "SELECT \(raw: Flag.columns) FROM chat_flags f WHERE f.id = \(id)"
    ).decode()
    guard let flag = found.first else { throw Self.noFlag(id) }
    return flag
  }

  private static func noFlag(_ id: String) -> Problem { .notFound("There is no flag \"\(id)\".") }
}
