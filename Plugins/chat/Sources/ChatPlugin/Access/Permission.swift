/// Something that somebody may do in a channel, by the name that it has in the settings and in refusals.
enum Permission: String, CaseIterable, Decodable, Sendable {
  /// Asked of the role `user`, since there is no member of a channel that is not there.
  case createChannel = "create_channel"
  case readChannel = "read_channel"
  case updateChannel = "update_channel"
  case freezeChannel = "freeze_channel"
  /// Writing where nobody else may, because the channel is frozen.
  case useFrozenChannel = "use_frozen_channel"
  case deleteChannel = "delete_channel"

  case sendMessage = "send_message"
  case sendReply = "send_reply"
  case skipSlowMode = "skip_slow_mode"
  case react
  case editOwnMessage = "edit_own_message"
  case deleteOwnMessage = "delete_own_message"
  case editAnyMessage = "edit_any_message"
  case deleteAnyMessage = "delete_any_message"
  case pinMessage = "pin_message"
  case createPoll = "create_poll"
  case votePoll = "vote_poll"
  case upload

  case join, leave, invite
  case addMembers = "add_members"
  case removeMembers = "remove_members"
  /// Giving members other roles.
  case updateMembers = "update_members"

  case flag
  case banMembers = "ban_members"
  /// Reading what has been flagged, and settling it.
  case reviewFlags = "review_flags"

  /// Whether it leaves the channel as it is for everybody else, so that neither a ban nor a frozen channel stands in its way.
  var isQuiet: Bool {
    switch self {
    case .readChannel, .leave, .flag: true
    default: false
    }
  }

  /// Whether a frozen channel stands in its way: whatever changes what is said in it.
  var isStoppedByFreeze: Bool {
    switch self {
    case .sendMessage, .sendReply, .react, .editOwnMessage, .deleteOwnMessage, .editAnyMessage,
      .pinMessage, .createPoll, .votePoll, .upload:
      true
    default: false
    }
  }
}

/// What members are called by what they may do. An app may name roles of its own.
enum Role {
  /// Whoever has made the channel.
  static let owner = "owner"
  static let moderator = "moderator"
  static let member = "member"
  /// Of a user who is no member.
  static let user = "user"

  /// Whoever has one of these is removed, banned and given another role by an owner or a server alone.
  static let protected: Set = [owner, moderator]

  /// Up to 32 of a-z 0-9 _ -, the first a letter.
  static func isName(_ text: String) -> Bool { ChannelTypes.isName(text) }
}

/// Who may do what in the channels of a type.
struct Grants: Sendable, Equatable {
  /// By role. One that is not there may do what a member may.
  private let byRole: [String: Set<Permission>]

  /// - Parameter grants: what the settings say; it stands in place of what the role could do without them.
  init(isOpen: Bool, replacing grants: [String: Set<Permission>] = [:]) {
    byRole = Self.defaults(isOpen: isOpen).merging(grants) { _, own in own }
  }

  /// The roles that a member may have.
  var memberRoles: [String] { roles.filter { $0 != Role.user } }

  func allows(_ role: String, _ permission: Permission) -> Bool {
    (byRole[role] ?? byRole[Role.member] ?? []).contains(permission)
  }

  /// The roles that the settings or the defaults know, in an order of their own.
  var roles: [String] { byRole.keys.sorted() }

  /// Those of them that may do something, in the same order; never empty, since `""` is nobody's.
  func roles(that permission: Permission) -> [String] {
    [""] + roles.filter { allows($0, permission) }
  }

  private static func defaults(isOpen: Bool) -> [String: Set<Permission>] {
    let writer: Set<Permission> = [
      .readChannel, .sendMessage, .sendReply, .react, .editOwnMessage, .deleteOwnMessage, .upload,
      .createPoll, .votePoll, .flag, .leave,
    ]
    let member = writer.union([.addMembers, .invite])
    let moderator = member.union([
      .deleteAnyMessage, .pinMessage, .skipSlowMode, .useFrozenChannel, .freezeChannel,
      .removeMembers, .banMembers, .reviewFlags,
    ])
    let owner = moderator.union([.updateChannel, .deleteChannel, .updateMembers])
    return [
      Role.owner: owner, Role.moderator: moderator, Role.member: member,
      Role.user: isOpen ? writer.union([.join, .createChannel]) : [.createChannel],
    ]
  }
}
