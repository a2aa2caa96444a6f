internal import PluginKit

/// What somebody is in a channel, as it was in one snapshot.
///
/// Whoever writes after having asked puts `still(_:)` into the batch, so that a ban, a removal or a deletion that is committed in
/// between wins.
struct Access {
  /// A channel, as far as it decides who may do what.
  struct State: Decodable {
    let createdBy: String?
    let isFrozen: Bool
    let isDeleted: Bool
    let isDistinct: Bool
    /// Seconds; nil is what the type says.
    let slowMode: Int64?

    private enum CodingKeys: String, CodingKey {
      case createdBy = "created_by"
      case isFrozen = "is_frozen"
      case isDeleted = "is_deleted"
      case isDistinct = "is_distinct"
      case slowMode = "slow_mode_seconds"
    }
  }

  let actor: AppActor
  let address: ChannelAddress
  let type: ChannelType
  /// nil where there is no such channel.
  let channel: State?
  /// The actor's own; nil for a server, and for a user who is no member.
  let memberRole: String?
  /// The ban that holds for longest.
  let ban: Ban?

  /// What the actor is here; a server has no role.
  var role: String { memberRole ?? Role.user }

  /// Whether the actor may do something. False too where there is no such channel to do it in.
  func allows(_ permission: Permission) -> Bool { refusal(of: permission) == nil }

  /// - Throws: `Problem` 404 where there is no such channel; 403 that names the permission and the role.
  func require(_ permission: Permission) throws {
    if let refusal = refusal(of: permission) { throw refusal }
  }

  /// - Throws: `Problem` 404 where there is no such channel.
  func requireChannel() throws {
    if channel == nil || channel?.isDeleted == true { throw ChatShard.gone(address) }
  }

  private func refusal(of permission: Permission) -> Problem? {
    if channel?.isDeleted == true { return ChatShard.gone(address) }
    // Until somebody makes it, or its first message does, an open channel is an empty one.
    if channel == nil, !(type.isOpen && permission.isOfEmptyChannel) {
      return ChatShard.gone(address)
    }
    guard actor.user != nil else { return nil }
    guard type.grants.allows(role, permission) else { return refusal(permission) }
    if let ban, !permission.isQuiet, !(ban.isShadow && permission.isHeldInShadow) {
      return .forbidden(ban.words)
    }
    if channel?.isFrozen == true, permission.isStoppedByFreeze,
      !type.grants.allows(role, .useFrozenChannel)
    {
      return .forbidden(
        "\(address) is frozen: the role \"\(role)\" may not use_frozen_channel.")
    }
    return nil
  }

  private func refusal(_ permission: Permission) -> Problem {
    .forbidden(
      memberRole == nil
        ? "In \(address) the role \"user\", of whoever is no member, may not \(permission.rawValue)."
        : "In \(address) the role \"\(role)\" may not \(permission.rawValue).")
  }
}

extension Permission {
  /// Whether it can be asked of an open channel that is not there.
  fileprivate var isOfEmptyChannel: Bool {
    switch self {
    case .readChannel, .sendMessage, .upload, .createPoll: true
    default: false
    }
  }

  /// Whether who is banned without his knowing may go on with it, since nobody else hears of it.
  var isHeldInShadow: Bool { self == .sendMessage || self == .sendReply }
}

extension ChatShard {
  /// What the actor is in a channel.
  func access(
    _ actor: AppActor, _ address: ChannelAddress, _ type: ChannelType
  ) async throws -> Access {
    let state = address.state
    guard let user = actor.user else {
      let rows = try await context.store.read(state)
      return Access(
        actor: actor, address: address, type: type,
        channel: try rows.first?.decode(Access.State.self), memberRole: nil, ban: nil)
    }
    let results = try await context.store.read([
      state, address.membership(of: user), address.bans(of: user, at: try context.clock.now()),
    ])
    return Access(
      actor: actor, address: address, type: type,
      channel: try results[0].first?.decode(Access.State.self),
      memberRole: try results[1].first?["role", String.self],
      ban: try results[2].first?.decode(Ban.self))
  }

  /// What the actor is in a channel in which he may do something.
  ///
  /// - Throws: `Problem` 404 where there is no such channel; 403 that names the permission and the role.
  @discardableResult
  func admit(
    _ actor: AppActor, to address: ChannelAddress, _ type: ChannelType, for permission: Permission
  ) async throws -> Access {
    let access = try await access(actor, address, type)
    try access.require(permission)
    return access
  }

  /// Why a batch with `still(_:)` found that the actor may not; what it was may be over by now.
  func refusal(
    of permission: Permission, _ actor: AppActor, _ address: ChannelAddress, _ type: ChannelType
  ) async throws -> Problem {
    do {
      try await admit(actor, to: address, type, for: permission)
    } catch let problem as Problem {
      return problem
    }
    return Self.overtaken(address)
  }

  static func overtaken(_ address: ChannelAddress) -> Problem {
    .conflict("\(address) has been changed by others meanwhile; try again.")
  }

  static func gone(_ address: ChannelAddress) -> Problem {
    .notFound("There is no channel \(address).")
  }
}
