internal import PluginKit

/// A message that was pinned or is not pinned any more, as it is published.
struct PinChange: Codable, Equatable {
  let messageID: String
  /// `type:id`
  let channel: String
  /// Who has done it; nil when the app's server has.
  let userID: String?
  let at: Timestamp

  private enum CodingKeys: String, CodingKey {
    case messageID = "message_id"
    case channel
    case userID = "user_id"
    case at = "created_at"
  }
}

/// `PUT` and `DELETE /v1/messages/{id}/pin`, `GET /v1/channels/{type}/{id}/pins?after=&limit=`
extension ChatShard {
  private struct Who: Decodable {
    let userID: String?

    private enum CodingKeys: String, CodingKey { case userID = "user_id" }
  }

  /// The most messages of a channel that are pinned at a time.
  static let pins = 100

  func pinMessage(_ request: Request) async throws -> Response {
    let who: Who? = request.body.isEmpty ? nil : try request.decode()
    let actor = try AppActor(request.principal)
    let message = try await pin(
      try request.parameter(0), by: try Self.pinner(actor, who?.userID, "/user_id"), for: actor)
    return try .json(message)
  }

  func unpinMessage(_ request: Request) async throws -> Response {
    let actor = try AppActor(request.principal)
    let user = try Self.pinner(actor, request.query("user_id"), "/query/user_id")
    try await unpin(try request.parameter(0), by: user, for: actor)
    return .empty()
  }

  func listPins(_ request: Request) async throws -> Response {
    let (address, type) = try request.channel(types)
    let limit = try request.limit()
    let after = try request.query("after").map { try TimedCursor($0) }
    let actor = try AppActor(request.principal)
    try type.require(.pins, in: address)
    try await admit(actor, to: address, type, for: .readChannel)
    let scope = MessageScope(
      ids: """
        SELECT x.id FROM chat_messages x WHERE x.type = \(address.type) AND x.channel = \(address.id)
          AND x.pinned_at IS NOT NULL AND (x.pinned_at, x.id) < (\(after?.at ?? .max), \(after?.id ?? ""))
        ORDER BY x.pinned_at DESC, x.id DESC LIMIT \(limit + 1)
        """, order: "m.pinned_at DESC, m.id DESC", viewer: actor.user)
    let found = try MessageScope.messages(in: try await context.store.read(scope.statements)[...])
    let page = found.prefix(limit).map(\.message)
    let next = found.count > limit ? page.last : nil
    return try .json(
      Page(
        data: page,
        next: next.map { TimedCursor(at: $0.pinnedAt?.unixMilliseconds ?? 0, id: $0.id).text }))
  }

  /// Pins a message; one that is pinned stays as it is.
  func pin(_ id: String, by user: String?, for actor: AppActor) async throws -> Message {
    let found = try await find(message: id, for: actor)
    try found.type.require(.pins, in: found.address)
    try found.access.require(.pinMessage)
    let (address, now) = (found.address, try context.clock.now())
    var batch = Batch()
    batch.add(
      SQL(
        """
        UPDATE chat_messages SET pinned_at = \(now), pinned_by = \(user)
        WHERE id = \(id) AND deleted_at IS NULL AND pinned_at IS NULL AND (
          SELECT count(*) FROM chat_messages p WHERE p.type = \(address.type)
            AND p.channel = \(address.id) AND p.pinned_at IS NOT NULL) < \(Self.pins)
        """
      ).expect(exactly: 1))
    let allowing = address.still(.pinMessage, actor, found.type, at: now).map { batch.add($0) }
    try batch.emit(
      "chat.message.pinned", channel: address.realTimeName,
      data: PinChange(messageID: id, channel: "\(address)", userID: user, at: now))
    do {
      try await context.store.commit(batch)
    } catch StoreError.conflict(statement: 0, _) {
      // It is pinned already, gone, or one too many.
      let now = try await find(message: id, for: actor).message
      guard now.pinnedAt != nil else {
        throw Problem(
          status: 403, code: "quota_exceeded",
          detail: "At most \(Self.pins) messages of a channel are pinned at a time.")
      }
    } catch StoreError.conflict(statement: let failed?, _) where failed == allowing {
      throw try await refusal(of: .pinMessage, actor, address, found.type)
    }
    return try await shown(try await find(message: id, for: actor).message, to: actor.user)
  }

  /// Takes a pin away; one that is not there is not missed.
  func unpin(_ id: String, by user: String?, for actor: AppActor) async throws {
    let found = try await find(message: id, for: actor)
    try found.access.require(.pinMessage)
    let (address, now) = (found.address, try context.clock.now())
    var batch = Batch()
    batch.add(
      SQL(
        """
        UPDATE chat_messages SET pinned_at = NULL, pinned_by = NULL
        WHERE id = \(id) AND pinned_at IS NOT NULL
        """
      ).expect(exactly: 1))
    let allowing = address.still(.pinMessage, actor, found.type, at: now).map { batch.add($0) }
    try batch.emit(
      "chat.message.unpinned", channel: address.realTimeName,
      data: PinChange(messageID: id, channel: "\(address)", userID: user, at: now))
    do {
      try await context.store.commit(batch)
    } catch StoreError.conflict(statement: 0, _) {
    } catch StoreError.conflict(statement: let failed?, _) where failed == allowing {
      throw try await refusal(of: .pinMessage, actor, address, found.type)
    }
  }

  /// Who pins; nil for a server that names nobody.
  private static func pinner(
    _ actor: AppActor, _ named: String?, _ pointer: String
  ) throws -> String? {
    actor == .server && named == nil ? nil : try actor.acting(as: named, pointer: pointer)
  }
}
