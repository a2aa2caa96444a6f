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
    _ = try types[wanted.type]
    guard
      let address = ChannelAddress(
        type: wanted.type, id: try wanted.id ?? context.id.make("chn"))
    else {
      throw Problem.invalid(pointer: "/id", "A channel's id is \(Identifier.words).")
    }
    if wanted.id != nil, let found = try await find(address, for: actor) {
      return try .json(found)
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
      batch.add(address.join(user, at: now))
    }
    do {
      try await context.store.commit(batch)
    } catch StoreError.conflict {
      // Somebody else was quicker.
      guard let found = try await find(address, for: actor) else { throw Self.gone(address) }
      return try .json(found)
    }
    guard let made = try await find(address, for: actor) else { throw Self.gone(address) }
    return try .json(made, status: 201)
  }

  /// `GET /v1/channels/{type}/{id}`
  func readChannel(_ request: Request) async throws -> Response {
    let (address, _) = try request.channel(types)
    guard let found = try await find(address, for: Actor(request.principal)) else {
      throw Self.gone(address)
    }
    return try .json(found)
  }

  /// `POST /v1/channels/{type}/{id}/members`
  func addMembers(_ request: Request) async throws -> Response {
    struct Members: Decodable { let members: [String] }
    let (address, type) = try request.channel(types)
    let wanted: Members = try request.decode()
    let actor = try Actor(request.principal)
    guard let channel = try await find(address, for: actor) else { throw Self.gone(address) }
    if let user = actor.user, type.isOpen, wanted.members != [user] {
      // A closed channel has been found by a member only.
      guard try await context.store.read(address.membership(of: user)).count == 1 else {
        throw Problem.forbidden("Join the channel yourself before you bring others in.")
      }
    }
    let now = try context.clock.now()
    var batch = Batch()
    for user in wanted.members { batch.add(address.join(user, at: now)) }
    try await context.store.commit(batch)
    return try .json(try await find(address, for: actor) ?? channel)
  }

  static func gone(_ address: ChannelAddress) -> Problem {
    .notFound("There is no channel \(address).")
  }

  /// The channel with its members; nil when there is none.
  ///
  /// - Throws: `Problem` 403 when it is of a closed type and the user no member.
  private func find(_ address: ChannelAddress, for actor: Actor) async throws -> ChannelRecord? {
    let type = try types[address.type]
    var statements = [address.record, address.members]
    if let user = actor.user, !type.isOpen { statements.append(address.membership(of: user)) }
    let results = try await context.store.read(statements)
    guard var channel = try results[0].first?.decode(ChannelRecord.self) else { return nil }
    if results.count == 3, results[2].isEmpty { throw Self.notAMember(of: address) }
    channel.members = try results[1].map { try $0["user_id", String.self] }
    return channel
  }

  static func notAMember(of address: ChannelAddress) -> Problem {
    .forbidden("Only members may read and write \(address).")
  }
}
