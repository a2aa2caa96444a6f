internal import PluginKit

/// `POST` and `GET /v1/channels/{type}/{id}/members`
extension ChatShard {
  func addMembers(_ request: Request) async throws -> Response {
    struct Members: Decodable { let members: [String] }
    let (address, type) = try request.channel(types)
    let wanted: Members = try request.decode()
    let actor = try AppActor(request.principal)
    let access = try await access(actor, address, type)
    try access.requireChannel()
    let joins = wanted.members.count == 1 && actor.isUser(wanted.members[0])
    // Whoever is a member need not be let in.
    guard !joins || access.memberRole == nil else {
      return try .json(try await record(of: address))
    }
    let permission: Permission = joins ? .join : .addMembers
    try access.require(permission)
    try access.requireIndistinct()
    let now = try context.clock.now()
    let there = try await context.store.read(
      """
      SELECT user_id FROM chat_members WHERE type = \(address.type) AND channel = \(address.id)
        AND user_id IN (\(each: wanted.members))
      """
    ).map { ExactText(try $0["user_id", String.self]) }
    let new = wanted.members.filter { !there.contains(ExactText($0)) }.map {
      Member(channel: "\(address)", userID: $0, role: Role.member, createdAt: now)
    }
    guard !new.isEmpty else { return try .json(try await record(of: address)) }
    try await add(new, to: address, type, for: actor, who: permission, at: now)
    return try .json(try await record(of: address))
  }

  /// - Parameter permission: what the actor needs for it.
  func add(
    _ members: [Member], to address: ChannelAddress, _ type: ChannelType, for actor: AppActor,
    who permission: Permission, at now: Timestamp
  ) async throws {
    var batch = Batch()
    batch.add(address.isThere)
    // Before he has joined: a member may not join.
    let place = address.still(permission, actor, type, at: now).map { batch.add($0) }
    for member in members {
      for statement in address.join(member.userID, type, as: member.role, at: now) {
        batch.add(statement)
      }
    }
    let room = batch.add(address.hasRoom(type))
    let marked = batch.add(address.marked(among: members.map(\.userID)))
    for member in members {
      try batch.emit("chat.member.added", channel: address.realTimeName, data: member)
    }
    let commit: Commit
    do {
      commit = try await context.store.commit(batch)
    } catch StoreError.conflict(statement: 0, _) {
      throw Self.gone(address)
    } catch StoreError.conflict(statement: room, _) {
      throw address.isFull(type)
    } catch StoreError.conflict(statement: place, _) {
      throw try await refusal(of: permission, actor, address, type)
    }
    for member in members { tell("chat.member.added", member, to: member.userID) }
    try tellMarked(commit.statements[marked], in: address)
  }

  /// Tells users who have just come what they have not read from before: where they could read, they may have marked something as unread.
  func tellMarked(_ users: Rows, in address: ChannelAddress) throws {
    for row in users { tellUnread(to: try row["user_id", String.self], in: address) }
  }

  func listMembers(_ request: Request) async throws -> Response {
    let (address, type) = try request.channel(types)
    let limit = try request.limit()
    let access = try await admit(
      AppActor(request.principal), to: address, type, for: .readChannel)
    try access.requireChannel()
    let members: [Member] = try await context.store.read(
      """
      SELECT \(raw: Member.columns) FROM chat_members m
      WHERE m.type = \(address.type) AND m.channel = \(address.id)
        AND m.user_id > \(request.query("after") ?? "")
      ORDER BY m.user_id LIMIT \(limit + 1)
      """
    ).decode()
    return try .json(Page(members, limit: limit, next: \.userID))
  }
}

extension Access {
  /// - Throws: `Problem` 409 in the one channel of its members, who are always the same.
  func requireIndistinct() throws {
    guard channel?.isDistinct == true else { return }
    throw Problem.conflict(
      "\(address) is the one channel of its members, who stay the same. It can be hidden or archived."
    )
  }

  /// Whether the actor may remove, ban and promote those who may do so themselves.
  var isAboveModerators: Bool { actor.user == nil || memberRole == Role.owner }
}
