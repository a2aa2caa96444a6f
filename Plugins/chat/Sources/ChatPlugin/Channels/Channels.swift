internal import PluginKit

/// `POST /v1/channels`: the channel of this type and id, made if there is none.
extension ChatShard {
  private struct NewChannel: Decodable {
    let type: String
    let id: String?
    let members: [String]?
    let data: RawJSON?
  }

  func createChannel(_ request: Request) async throws -> Response {
    let wanted: NewChannel = try request.decode()
    let actor = try Actor(request.principal)
    let type = try types[wanted.type]
    guard
      let address = ChannelAddress(
        type: wanted.type, id: try wanted.id ?? context.id.make("chn"))
    else {
      throw Problem.invalid(pointer: "/id", "A channel's id is \(Identifier.words).")
    }
    if wanted.id != nil, let found = try await existing(address, type, for: actor) {
      return try .json(found)
    }
    guard actor.user == nil || type.grants.allows(Role.user, .createChannel) else {
      throw Problem.forbidden(
        "The role \"user\" may not create_channel of the type \"\(address.type)\".")
    }
    let now = try context.clock.now()
    var batch = Batch()
    batch.add(
      SQL(
        """
        INSERT INTO chat_channels (type, id, created_by, data, created_at, last_seq)
        VALUES (\(address.type), \(address.id), \(actor.user), \(wanted.data ?? "{}"), \(now), 0)
        ON CONFLICT (type, id) DO NOTHING
        """
      ).expect(exactly: 1))
    for user in Set(wanted.members ?? []).union(actor.user.map { [$0] } ?? []).sorted() {
      batch.add(address.join(user, as: user == actor.user ? Role.owner : Role.member, at: now))
    }
    do {
      try await context.store.commit(batch)
    } catch StoreError.conflict {
      // Somebody else was quicker.
      guard let found = try await existing(address, type, for: actor) else {
        throw Self.gone(address)
      }
      return try .json(found)
    }
    return try .json(try await record(of: address), status: 201)
  }

  /// `GET /v1/channels/{type}/{id}`
  func readChannel(_ request: Request) async throws -> Response {
    let (address, type) = try request.channel(types)
    let access = try await admit(
      Actor(request.principal), to: address, type, for: .readChannel)
    try access.requireChannel()
    return try .json(try await record(of: address))
  }

  /// `POST /v1/channels/{type}/{id}/members`
  func addMembers(_ request: Request) async throws -> Response {
    struct Members: Decodable { let members: [String] }
    let (address, type) = try request.channel(types)
    let wanted: Members = try request.decode()
    let actor = try Actor(request.principal)
    let access = try await access(actor, address, type)
    try access.requireChannel()
    // Whoever is a member need not be let in.
    let permission: Permission =
      access.memberRole == nil && actor.user.map { [$0] } == wanted.members ? .join : .addMembers
    let now = try context.clock.now()
    if access.memberRole == nil || wanted.members.first != actor.user || wanted.members.count > 1 {
      try access.require(permission)
      var batch = Batch()
      // Before he has joined: a member may not join.
      let place = address.still(permission, actor, type, at: now).map { batch.add($0) }
      for user in wanted.members { batch.add(address.join(user, at: now)) }
      do {
        try await context.store.commit(batch)
      } catch StoreError.conflict(statement: place, _) {
        throw try await refusal(of: permission, actor, address, type)
      }
    }
    return try .json(try await record(of: address))
  }

  /// The channel with its members.
  ///
  /// - Throws: `Problem` 404 when there is none.
  func record(of address: ChannelAddress) async throws -> ChannelRecord {
    let results = try await context.store.read([address.record, address.members])
    guard var channel = try results[0].first?.decode(ChannelRecord.self) else {
      throw Self.gone(address)
    }
    channel.members = try results[1].map { try $0["user_id", String.self] }
    return channel
  }

  /// The channel that is there already; nil when there is none.
  ///
  /// - Throws: `Problem` 403 when it is not for this actor; 409 when it has been deleted, since its id stays taken.
  private func existing(
    _ address: ChannelAddress, _ type: ChannelType, for actor: Actor
  ) async throws -> ChannelRecord? {
    let access = try await access(actor, address, type)
    guard let state = access.channel else { return nil }
    guard !state.isDeleted else {
      throw Problem.conflict("\(address) has been deleted, and its id stays taken.")
    }
    try access.require(.readChannel)
    return try await record(of: address)
  }
}
