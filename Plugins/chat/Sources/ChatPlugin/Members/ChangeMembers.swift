internal import PluginKit

/// A member who is one no more, as it is published.
struct RemovedMember: Codable, Equatable {
  /// `type:id`
  let channel: String
  let userID: String
  /// Absent when the app's server has removed him; himself when he has left.
  let removedBy: String?

  private enum CodingKeys: String, CodingKey {
    case channel
    case userID = "user_id"
    case removedBy = "removed_by"
  }
}

/// `DELETE /v1/channels/{type}/{id}/members?user_id=` and `PATCH /v1/channels/{type}/{id}/members/{user}`
extension ChatShard {
  /// Removes a member, or lets him leave; what he has read is forgotten, so that he begins anew if he comes back.
  func removeMember(_ request: Request) async throws -> Response {
    let (address, type) = try request.channel(types)
    let actor = try AppActor(request.principal)
    guard let user = request.query("user_id") else {
      throw Problem.invalid(pointer: "/query/user_id", "Say whom: user_id is missing.")
    }
    let access = try await access(actor, address, type)
    try access.requireChannel()
    let permission: Permission = actor.isUser(user) ? .leave : .removeMembers
    try access.require(permission)
    try access.requireIndistinct()
    let isAbove = access.isAboveModerators || actor.isUser(user)
    let now = try context.clock.now()
    var batch = Batch()
    // Before he has left: who is no member may not leave.
    let place = address.still(permission, actor, type, at: now).map { batch.add($0) }
    let removal = batch.add(
      SQL(
        """
        DELETE FROM chat_members
        WHERE type = \(address.type) AND channel = \(address.id) AND user_id = \(user)
          AND (\(isAbove) = 1 OR role NOT IN (\(each: Role.protected)))
        """
      ).expect(exactly: 1))
    batch.add(
      """
      DELETE FROM chat_reads
      WHERE type = \(address.type) AND channel = \(address.id) AND user_id = \(user)
      """)
    let removed = RemovedMember(channel: "\(address)", userID: user, removedBy: actor.user)
    try batch.emit("chat.member.removed", channel: address.realTimeName, data: removed)
    do {
      try await context.store.commit(batch)
    } catch StoreError.conflict(statement: removal, _) {
      throw try await noChange(of: user, in: address)
    } catch StoreError.conflict(statement: place, _) {
      throw try await refusal(of: permission, actor, address, type)
    }
    tell("chat.member.removed", removed, to: user)
    tellUnread(to: user, in: address)
    if !type.grants.allows(Role.user, .readChannel) { endSubscriptions(to: address, of: user) }
    return .empty()
  }

  /// Gives a member another role.
  func changeRole(_ request: Request) async throws -> Response {
    struct Change: Decodable { let role: String }
    let (address, type) = try request.channel(types)
    let actor = try AppActor(request.principal)
    let user = try request.parameter(2)
    let role = try request.decode(Change.self).role
    guard type.grants.memberRoles.contains(role) else {
      let known = type.grants.memberRoles.joined(separator: ", ")
      throw Problem.invalid(
        pointer: "/role", "Channels of the type \"\(address.type)\" have the roles: \(known).")
    }
    let access = try await access(actor, address, type)
    try access.requireChannel()
    try access.require(.updateMembers)
    guard access.isAboveModerators || !Role.protected.contains(role) else {
      throw Problem.forbidden("The role \"\(role)\" is given by an owner or the app's server.")
    }
    let now = try context.clock.now()
    let member: Member
    do {
      var batch = Batch()
      let change = batch.add(
        SQL(
          """
          UPDATE chat_members SET role = \(role)
          WHERE type = \(address.type) AND channel = \(address.id) AND user_id = \(user)
            AND (\(access.isAboveModerators) = 1 OR role NOT IN (\(each: Role.protected)))
          """
        ).expect(exactly: 1))
      // Nobody's own role decides about this change of it.
      if !actor.isUser(user), let still = address.still(.updateMembers, actor, type, at: now) {
        batch.add(still)
      }
      guard
        let found = try await context.store.read(address.member(user)).first?.decode(Member.self)
      else { throw Self.noMember(user, of: address) }
      member = Member(
        channel: found.channel, userID: user, role: role, createdAt: found.createdAt)
      try batch.emit("chat.member.updated", channel: address.realTimeName, data: member)
      do {
        try await context.store.commit(batch)
      } catch StoreError.conflict(statement: change, _) {
        throw try await noChange(of: user, in: address)
      }
    } catch StoreError.conflict {
      throw try await refusal(of: .updateMembers, actor, address, type)
    }
    tell("chat.member.updated", member, to: user)
    tellUnread(to: user, in: address)
    if !type.grants.allows(role, .readChannel) { endSubscriptions(to: address, of: user) }
    return try .json(member)
  }

  /// Why a member could not be changed: he is none, or one whom only an owner changes.
  func noChange(of user: String, in address: ChannelAddress) async throws -> Problem {
    guard try await !context.store.read(address.membership(of: user)).isEmpty else {
      return Self.noMember(user, of: address)
    }
    return .forbidden("Owners and moderators are changed by an owner or the app's server.")
  }

  static func noMember(_ user: String, of address: ChannelAddress) -> Problem {
    .notFound("\"\(user)\" is no member of \(address).")
  }
}

extension ChannelAddress {
  /// The member, if the user is one.
  func member(_ user: String) -> SQL {
    """
    SELECT \(raw: Member.columns) FROM chat_members m
    WHERE m.type = \(type) AND m.channel = \(id) AND m.user_id = \(user)
    """
  }
}
