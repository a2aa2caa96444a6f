internal import PluginKit

/// A ban that is over, as it is published.
struct EndedBan: Codable, Equatable {
  /// `type:id`; nil for all channels of the app.
  let channel: String?
  let userID: String

  private enum CodingKeys: String, CodingKey {
    case channel
    case userID = "user_id"
  }
}

/// `/v1/channels/{type}/{id}/bans` and `/v1/bans`
extension ChatShard {
  private struct Wish: Decodable {
    let seconds: Int64?
    let reason: String?
    let isShadow: Bool?

    private enum CodingKeys: String, CodingKey {
      case seconds, reason
      case isShadow = "shadow"
    }
  }

  /// Where bans are: in a channel, or, without one, in all of the app's.
  fileprivate struct Place {
    let address: ChannelAddress?
    let channelType: ChannelType?

    var type: String { address?.type ?? "" }
    var id: String { address?.id ?? "" }
  }

  func banMember(_ request: Request) async throws -> Response {
    let (address, type) = try request.channel(types)
    let place = Place(address: address, channelType: type)
    return try .json(
      try await ban(
        try request.parameter(2), try wish(request), in: place, for: AppActor(request.principal)))
  }

  func banUser(_ request: Request) async throws -> Response {
    let place = Place(address: nil, channelType: nil)
    return try .json(
      try await ban(try request.parameter(0), try wish(request), in: place, for: .server))
  }

  func unbanMember(_ request: Request) async throws -> Response {
    let (address, type) = try request.channel(types)
    let place = Place(address: address, channelType: type)
    try await unban(try request.parameter(2), in: place, for: AppActor(request.principal))
    return .empty()
  }

  func unbanUser(_ request: Request) async throws -> Response {
    try await unban(
      try request.parameter(0), in: Place(address: nil, channelType: nil), for: .server)
    return .empty()
  }

  func listChannelBans(_ request: Request) async throws -> Response {
    let (address, type) = try request.channel(types)
    let access = try await admit(
      AppActor(request.principal), to: address, type, for: .banMembers)
    try access.requireChannel()
    return try await bans(request, in: Place(address: address, channelType: type))
  }

  func listBans(_ request: Request) async throws -> Response {
    try await bans(request, in: Place(address: nil, channelType: nil))
  }

  private func wish(_ request: Request) throws -> Wish {
    request.body.isEmpty
      ? Wish(seconds: nil, reason: nil, isShadow: nil) : try request.decode()
  }

  /// Bans a user from a channel for some seconds.
  func ban(
    _ user: String, from address: ChannelAddress, _ type: ChannelType, seconds: Int64?,
    reason: String?, for actor: AppActor
  ) async throws {
    _ = try await ban(
      user, Wish(seconds: seconds, reason: reason, isShadow: nil),
      in: Place(address: address, channelType: type), for: actor)
  }

  /// Bans a user, in place of a ban that there is.
  private func ban(
    _ user: String, _ wish: Wish, in place: Place, for actor: AppActor
  ) async throws -> Ban {
    let now = try context.clock.now()
    let access = try await requireBans(in: place, for: actor)
    guard !actor.isUser(user) else {
      throw Problem.forbidden("Nobody bans himself.")
    }
    let ban = Ban(
      channel: place.address.map { "\($0)" }, userID: user, isShadow: wish.isShadow ?? false,
      reason: wish.reason, bannedBy: actor.user,
      expiresAt: wish.seconds.map { now.adding(milliseconds: $0 * 1_000) }, createdAt: now)
    var batch = Batch()
    batch.add(
      """
      DELETE FROM chat_bans
      WHERE type = \(place.type) AND channel = \(place.id) AND expires_at <= \(now)
      """)
    batch.add(
      """
      INSERT INTO chat_bans (user_id, type, channel, banned_by, reason, shadow, expires_at, created_at)
      VALUES (\(user), \(place.type), \(place.id), \(actor.user), \(ban.reason), \(ban.isShadow),
        \(ban.expiresAt), \(now))
      ON CONFLICT (user_id, type, channel) DO UPDATE SET banned_by = excluded.banned_by,
        reason = excluded.reason, shadow = excluded.shadow, expires_at = excluded.expires_at,
        created_at = excluded.created_at
      """)
    let room = batch.add(
      SQL(
        """
        SELECT 1 AS has_room WHERE (SELECT count(*) FROM chat_bans
          WHERE type = \(place.type) AND channel = \(place.id)) <= \(Ban.limit)
        """
      ).expect(exactly: 1))
    let unprotected = access.flatMap { access in
      access.isAboveModerators ? nil : batch.add(place.isUnprotected(user))
    }
    let still = place.still(actor, at: now).map { batch.add($0) }
    try batch.emit(
      "chat.user.banned", channel: ban.isShadow ? nil : place.address?.realTimeName, data: ban)
    do {
      try await context.store.commit(batch)
    } catch StoreError.conflict(statement: room, _) {
      throw Problem(
        status: 403, code: "quota_exceeded",
        detail: "At most \(Ban.limit) bans hold at a time, in a channel and for the whole app.")
    } catch StoreError.conflict(statement: let failed?, _) where failed == unprotected {
      throw Problem.forbidden("Owners and moderators are banned by an owner or the app's server.")
    } catch StoreError.conflict(statement: let failed?, _) where failed == still {
      throw try await refusal(in: place, for: actor)
    }
    if !ban.isShadow { tell("chat.user.banned", ban, to: user) }
    return ban
  }

  private func unban(_ user: String, in place: Place, for actor: AppActor) async throws {
    let now = try context.clock.now()
    try await requireBans(in: place, for: actor)
    let row = try await context.store.read(
      """
      SELECT shadow FROM chat_bans
      WHERE user_id = \(user) AND type = \(place.type) AND channel = \(place.id)
      """
    ).first
    // One who is not banned need not be let go.
    guard let isShadow = try row?["shadow", Bool.self] else { return }
    let ended = EndedBan(channel: place.address.map { "\($0)" }, userID: user)
    var batch = Batch()
    batch.add(
      SQL(
        """
        DELETE FROM chat_bans
        WHERE user_id = \(user) AND type = \(place.type) AND channel = \(place.id)
        """
      ).expect(exactly: 1))
    let still = place.still(actor, at: now).map { batch.add($0) }
    try batch.emit(
      "chat.user.unbanned", channel: isShadow ? nil : place.address?.realTimeName, data: ended)
    do {
      try await context.store.commit(batch)
    } catch StoreError.conflict(statement: 0, _) {
      return
    } catch StoreError.conflict(statement: let failed?, _) where failed == still {
      throw try await refusal(in: place, for: actor)
    }
    if !isShadow { tell("chat.user.unbanned", ended, to: user) }
  }

  private func bans(_ request: Request, in place: Place) async throws -> Response {
    let limit = try request.limit()
    let found: [Ban] = try await context.store.read(
      """
      SELECT \(raw: Ban.columns) FROM chat_bans b
      WHERE b.type = \(place.type) AND b.channel = \(place.id)
        AND b.user_id > \(request.query("after") ?? "")
        AND (b.expires_at IS NULL OR b.expires_at > \(try context.clock.now()))
      ORDER BY b.user_id LIMIT \(limit + 1)
      """
    ).decode()
    return try .json(Page(found, limit: limit, next: \.userID))
  }

  /// - Returns: what the actor is in the channel; nil for the whole app, which is the server's.
  @discardableResult
  private func requireBans(in place: Place, for actor: AppActor) async throws -> Access? {
    guard let address = place.address, let type = place.channelType else { return nil }
    let access = try await access(actor, address, type)
    try access.requireChannel()
    try access.require(.banMembers)
    return access
  }

  private func refusal(in place: Place, for actor: AppActor) async throws -> Problem {
    guard let address = place.address, let type = place.channelType else {
      return .forbidden("Only the app's server bans from all channels.")
    }
    return try await refusal(of: .banMembers, actor, address, type)
  }
}

extension ChatShard.Place {
  /// One row as long as the user is no owner and no moderator, to be expected in a batch.
  fileprivate func isUnprotected(_ user: String) -> SQL {
    SQL(
      """
      SELECT 1 AS is_free WHERE NOT EXISTS (SELECT 1 FROM chat_members
        WHERE type = \(type) AND channel = \(id) AND user_id = \(user)
          AND role IN (\(each: Role.protected)))
      """
    ).expect(exactly: 1)
  }

  fileprivate func still(_ actor: AppActor, at now: Timestamp) -> SQL? {
    guard let address, let channelType else { return nil }
    return address.still(.banMembers, actor, channelType, at: now)
  }
}
