internal import PluginKit

/// That a user may become a member by his own word, as it is answered and published.
struct Invitation: Codable, Equatable {
  /// `type:id`
  let channel: String
  let userID: String
  /// Absent when the app's server has invited him.
  let invitedBy: String?
  let createdAt: Timestamp

  private enum CodingKeys: String, CodingKey {
    case channel
    case userID = "user_id"
    case invitedBy = "invited_by"
    case createdAt = "created_at"
  }

  /// The most that a channel has open.
  static let limit = 1_000

  /// What a statement selects from `chat_invitations i` to decode one.
  static let columns =
    "i.type || ':' || i.channel AS channel, i.user_id, i.invited_by, i.created_at"
}

/// An invitation that its user does without, as it is published.
struct RejectedInvitation: Codable, Equatable {
  /// `type:id`
  let channel: String
  let userID: String

  private enum CodingKeys: String, CodingKey {
    case channel
    case userID = "user_id"
  }
}

/// `/v1/channels/{type}/{id}/invitations` and `/v1/invitations`
extension ChatShard {
  private struct Who: Decodable {
    let userID: String?

    private enum CodingKeys: String, CodingKey { case userID = "user_id" }
  }

  /// Invites users; those who are members or invited already stay what they are.
  func invite(_ request: Request) async throws -> Response {
    struct Invited: Decodable { let members: [String] }
    let (address, type) = try request.channel(types)
    let wanted = try request.decode(Invited.self).members
    let actor = try AppActor(request.principal)
    let access = try await access(actor, address, type)
    try access.requireChannel()
    try access.require(.invite)
    try access.requireIndistinct()
    let there = try await context.store.read(
      """
      SELECT user_id FROM chat_members WHERE type = \(address.type) AND channel = \(address.id)
        AND user_id IN (\(each: wanted))
      UNION SELECT user_id FROM chat_invitations
      WHERE type = \(address.type) AND channel = \(address.id) AND user_id IN (\(each: wanted))
      """
    ).map { try $0["user_id", String.self] }
    let now = try context.clock.now()
    let new = wanted.filter { !there.contains($0) }.map {
      Invitation(channel: "\(address)", userID: $0, invitedBy: actor.user, createdAt: now)
    }
    guard !new.isEmpty else { return try .json(Page(data: new, next: nil)) }
    var batch = Batch()
    batch.add(address.isThere)
    for invitation in new {
      batch.add(
        """
        INSERT INTO chat_invitations (type, channel, user_id, invited_by, created_at)
        VALUES (\(address.type), \(address.id), \(invitation.userID), \(actor.user), \(now))
        ON CONFLICT (type, channel, user_id) DO NOTHING
        """)
      try batch.emit(
        "chat.invitation.created", channel: address.realTimeName, data: invitation)
    }
    let room = batch.add(
      SQL(
        """
        SELECT 1 AS has_room WHERE (SELECT count(*) FROM chat_invitations
          WHERE type = \(address.type) AND channel = \(address.id)) <= \(Invitation.limit)
        """
      ).expect(exactly: 1))
    if let still = address.still(.invite, actor, type, at: now) { batch.add(still) }
    do {
      try await context.store.commit(batch)
    } catch StoreError.conflict(statement: room, _) {
      throw Problem(
        status: 403, code: "quota_exceeded",
        detail: "A channel has at most \(Invitation.limit) invitations open.")
    } catch StoreError.conflict {
      throw try await refusal(of: .invite, actor, address, type)
    }
    for invitation in new { tell("chat.invitation.created", invitation, to: invitation.userID) }
    return try .json(Page(data: new, next: nil))
  }

  /// Who is invited into a channel.
  func listInvited(_ request: Request) async throws -> Response {
    let (address, type) = try request.channel(types)
    let limit = try request.limit()
    let access = try await admit(AppActor(request.principal), to: address, type, for: .invite)
    try access.requireChannel()
    let found: [Invitation] = try await context.store.read(
      """
      SELECT \(raw: Invitation.columns) FROM chat_invitations i
      WHERE i.type = \(address.type) AND i.channel = \(address.id)
        AND i.user_id > \(request.query("after") ?? "")
      ORDER BY i.user_id LIMIT \(limit + 1)
      """
    ).decode()
    return try .json(Page(found, limit: limit, next: \.userID))
  }

  /// Into which channels a user is invited.
  func listInvitations(_ request: Request) async throws -> Response {
    let user = try AppActor(request.principal).acting(
      as: request.query("user_id"), pointer: "/query/user_id")
    let limit = try request.limit()
    let after = try request.query("after").map(Self.cursor) ?? ("", "")
    let found: [Invitation] = try await context.store.read(
      """
      SELECT \(raw: Invitation.columns) FROM chat_invitations i
      WHERE i.user_id = \(user) AND (i.type, i.channel) > (\(after.0), \(after.1))
      ORDER BY i.type, i.channel LIMIT \(limit + 1)
      """
    ).decode()
    return try .json(Page(found, limit: limit, next: \.channel))
  }

  func acceptInvitation(_ request: Request) async throws -> Response {
    let (address, type) = try request.channel(types)
    let who: Who? = request.body.isEmpty ? nil : try request.decode()
    let user = try AppActor(request.principal).acting(as: who?.userID, pointer: "/user_id")
    let now = try context.clock.now()
    let member = Member(
      channel: "\(address)", userID: user, role: Role.member, createdAt: now)
    var batch = Batch()
    batch.add(taken(from: address, by: user))
    batch.add(address.isThere)
    // The invitation is what lets him in; of a ban he is told.
    let unbanned = batch.add(
      SQL(
        """
        SELECT 1 AS is_free WHERE NOT EXISTS (SELECT 1 FROM chat_bans b WHERE b.user_id = \(user)
          AND ((b.type = '' AND b.channel = '')
            OR (b.type = \(address.type) AND b.channel = \(address.id)))
          AND (b.expires_at IS NULL OR b.expires_at > \(now)))
        """
      ).expect(exactly: 1))
    for statement in address.join(user, type, at: now) { batch.add(statement) }
    let room = batch.add(address.hasRoom(type))
    let marked = batch.add(address.marked(among: [user]))
    try batch.emit("chat.member.added", channel: address.realTimeName, data: member)
    let commit: Commit
    do {
      commit = try await context.store.commit(batch)
    } catch StoreError.conflict(statement: unbanned, _) {
      throw Problem.forbidden("The user is banned from \(address).")
    } catch StoreError.conflict(statement: room, _) {
      throw address.isFull(type)
    } catch StoreError.conflict {
      throw Self.notInvited(user, into: address)
    }
    tell("chat.member.added", member, to: user)
    try tellMarked(commit.statements[marked], in: address)
    return try .json(try await placed(address))
  }

  func rejectInvitation(_ request: Request) async throws -> Response {
    let (address, _) = try request.channel(types)
    let who: Who? = request.body.isEmpty ? nil : try request.decode()
    let user = try AppActor(request.principal).acting(as: who?.userID, pointer: "/user_id")
    do {
      try await context.store.commit {
        taken(from: address, by: user)
        try Emit(
          "chat.invitation.rejected", channel: address.realTimeName,
          data: RejectedInvitation(channel: "\(address)", userID: user))
      }
    } catch StoreError.conflict {
      throw Self.notInvited(user, into: address)
    }
    return .empty()
  }

  /// The invitation, which is used up.
  private func taken(from address: ChannelAddress, by user: String) -> SQL {
    SQL(
      """
      DELETE FROM chat_invitations
      WHERE type = \(address.type) AND channel = \(address.id) AND user_id = \(user)
      """
    ).expect(exactly: 1)
  }

  private static func notInvited(_ user: String, into address: ChannelAddress) -> Problem {
    .notFound("\"\(user)\" is not invited into \(address).")
  }
}
