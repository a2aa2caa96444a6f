internal import PluginKit

/// `POST /v1/channels`: the channel of this type and id, or of these members, made if there is none.
extension ChatShard {
  private struct NewChannel: Decodable {
    let type: String
    let id: String?
    let members: [String]?
    let isDistinct: Bool?
    let data: RawJSON?

    private enum CodingKeys: String, CodingKey {
      case type, id, members
      case isDistinct = "distinct"
      case data
    }
  }

  func createChannel(_ request: Request) async throws -> Response {
    let wanted: NewChannel = try request.decode()
    let actor = try AppActor(request.principal)
    let type = try types[wanted.type]
    guard
      let address = ChannelAddress(
        type: wanted.type, id: try wanted.id ?? context.id.make("chn"))
    else {
      throw Problem.invalid(pointer: "/id", "A channel's id is \(Identifier.words).")
    }
    let named = (wanted.members ?? []) + (actor.user.map { [$0] } ?? [])
    let members = Set(named.map(ExactText.init)).sorted().map(\.text)
    var key: String?
    if wanted.isDistinct == true {
      guard wanted.id == nil else {
        throw Problem.invalid(
          pointer: "/id", "The one channel of its members is known by them: give no id.")
      }
      key = try DistinctKey.of(members)
    }
    let wish = Wish(address: address, key: key, isNamed: wanted.id != nil)
    if let found = try await existing(wish, type, for: actor) { return try .json(found) }
    guard actor.user == nil || type.grants.allows(Role.user, .createChannel) else {
      throw Problem.forbidden(
        "The role \"user\" may not create_channel of the type \"\(address.type)\".")
    }
    guard members.count <= type.maxMembers else { throw address.isFull(type) }
    let now = try context.clock.now()
    let new = members.map {
      Member(
        channel: "\(address)", userID: $0, role: actor.isUser($0) ? Role.owner : Role.member,
        createdAt: now)
    }
    var batch = Batch()
    batch.add(
      SQL(
        """
        INSERT INTO chat_channels (type, id, created_by, data, created_at, last_seq, distinct_key)
        VALUES (\(address.type), \(address.id), \(actor.user), \(wanted.data ?? "{}"), \(now), 0, \(key))
        ON CONFLICT DO NOTHING
        """
      ).expect(exactly: 1))
    for member in new { batch.add(address.joinNew(member)) }
    try batch.emit(
      "chat.channel.created",
      data: ChannelRecord(
        type: address.type, id: address.id, channel: "\(address)", createdBy: actor.user,
        data: wanted.data ?? "{}", isFrozen: false, isDistinct: key != nil, revision: 1,
        memberCount: members.count, members: members, createdAt: now, lastMessageAt: nil))
    do {
      try await context.store.commit(batch)
    } catch StoreError.conflict {
      // Somebody else was quicker.
      guard let found = try await existing(wish, type, for: actor) else {
        throw Self.gone(address)
      }
      return try .json(found)
    }
    for member in new { tell("chat.member.added", member, to: member.userID) }
    return try .json(try await placed(address), status: 201)
  }

  /// `GET /v1/channels/{type}/{id}`
  func readChannel(_ request: Request) async throws -> Response {
    let (address, type) = try request.channel(types)
    let access = try await admit(
      AppActor(request.principal), to: address, type, for: .readChannel)
    try access.requireChannel()
    return try .json(try await placed(address))
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

  /// As ``record(of:)``, with the place from which to listen to the channel.
  func placed(_ address: ChannelAddress) async throws -> ChannelRecord {
    let place = try await eventPlace(of: address)
    return try await record(of: address).listened(from: place)
  }

  /// Which channel is wanted.
  private struct Wish {
    /// Where it is, or would be.
    let address: ChannelAddress
    /// Whose one channel it is to be; nil for others.
    let key: String?
    let isNamed: Bool
  }

  /// The channel that is there already; nil when there is none.
  ///
  /// - Throws: `Problem` 403 when it is not for this actor; 409 when it has been deleted, since its id stays taken.
  private func existing(
    _ wish: Wish, _ type: ChannelType, for actor: AppActor
  ) async throws -> ChannelRecord? {
    var address = wish.address
    if let key = wish.key {
      let row = try await context.store.read(
        "SELECT id FROM chat_channels WHERE type = \(address.type) AND distinct_key = \(key)"
      ).first
      guard let id = try row?["id", String.self],
        let found = ChannelAddress(type: address.type, id: id)
      else { return nil }
      address = found
    } else if !wish.isNamed {
      return nil
    }
    let access = try await access(actor, address, type)
    guard let state = access.channel else { return nil }
    guard !state.isDeleted else {
      throw Problem.conflict("\(address) has been deleted, and its id stays taken.")
    }
    try access.require(.readChannel)
    return try await placed(address)
  }
}

/// What a set of members is known by, in whatever order they are named.
enum DistinctKey {
  /// So that an index of any database takes the key.
  static let members = 2...16
  static let bytes = 2_000

  /// - Parameter users: sorted, each once.
  /// - Throws: `Problem` 400 when they are too few or too many, or their ids too long.
  static func of(_ users: [String]) throws -> String {
    guard members.contains(users.count) else {
      throw Problem.invalid(
        pointer: "/members",
        "One channel of its members has \(members.lowerBound) to \(members.upperBound) of them; here are \(users.count)."
      )
    }
    // With its length before it no id can pass for two.
    let key = users.map { "\($0.utf8.count):\($0)" }.joined()
    guard key.utf8.count <= bytes else {
      throw Problem.invalid(
        pointer: "/members",
        "The ids of one channel's members have at most \(bytes) bytes together.")
    }
    return key
  }
}

extension ChannelAddress {
  /// A member of a channel that is made in the same batch.
  fileprivate func joinNew(_ member: Member) -> SQL {
    """
    INSERT INTO chat_members (type, channel, user_id, role, created_at, joined_seq)
    VALUES (\(type), \(id), \(member.userID), \(member.role), \(member.createdAt), 0)
    """
  }
}
