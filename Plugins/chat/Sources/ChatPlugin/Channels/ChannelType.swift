internal import PluginKit

/// What channels of a type have in common.
struct ChannelType: Decodable, Sendable, Equatable {
  /// The longest text that any type allows, in code points.
  static let longestMessage = 5_000
  static let defaultMembers = 10_000

  /// Whether any user of the app may read and write unless `grants` say otherwise, and a channel that nobody has made is an empty one.
  /// Otherwise it has to be made, and its members alone may read and write.
  let isOpen: Bool
  /// Who may do what.
  let grants: Grants
  /// What the settings have turned off.
  let missing: Set<Capability>
  /// Code points.
  let maxMessageLength: Int
  let maxMembers: Int
  let pace: Pace
  /// What messages have to pass; its lists are found among the tenant's.
  var gate = MessageGate()
  /// Names of the tenant's lists.
  let blocklists: [String]
  /// By the word behind the slash.
  let commands: [String: Command]

  private enum CodingKeys: String, CodingKey {
    case isOpen = "open"
    case grants, capabilities
    case maxMessageLength = "max_message_length"
    case maxMembers = "max_members"
    case slowMode = "slow_mode_seconds"
    case rate = "rate_limit"
    case blocklists
    case filter = "message_filter"
    case commands
  }

  init(isOpen: Bool) {
    self.isOpen = isOpen
    grants = Grants(isOpen: isOpen)
    missing = []
    maxMessageLength = Self.longestMessage
    maxMembers = Self.defaultMembers
    pace = Pace(slowMode: 0, rate: nil)
    blocklists = []
    commands = [:]
  }

  init(from decoder: any Decoder) throws {
    let type = try decoder.container(keyedBy: CodingKeys.self)
    isOpen = try type.decodeIfPresent(Bool.self, forKey: .isOpen) ?? false
    grants = Grants(
      isOpen: isOpen,
      replacing: try type.decodeIfPresent([String: Set<Permission>].self, forKey: .grants) ?? [:])
    let capabilities =
      try type.decodeIfPresent([String: Bool].self, forKey: .capabilities) ?? [:]
    missing = Set(capabilities.filter { !$0.value }.keys.compactMap(Capability.init))
    maxMessageLength =
      try type.decodeIfPresent(Int.self, forKey: .maxMessageLength) ?? Self.longestMessage
    maxMembers = try type.decodeIfPresent(Int.self, forKey: .maxMembers) ?? Self.defaultMembers
    pace = Pace(
      slowMode: try type.decodeIfPresent(Int64.self, forKey: .slowMode) ?? 0,
      rate: try type.decodeIfPresent(MessageRate.self, forKey: .rate))
    blocklists = try type.decodeIfPresent([String].self, forKey: .blocklists) ?? []
    commands = try type.decodeIfPresent([String: Command].self, forKey: .commands) ?? [:]
    gate.filter = try type.decodeIfPresent(MessageGate.Filter.self, forKey: .filter)
  }

  /// Whether a channel comes to be with its first message.
  var beginsWithMessage: Bool { isOpen && grants.allows(Role.user, .createChannel) }

  /// - Throws: `Problem` 403 when the settings have turned it off.
  func require(_ capability: Capability, in address: ChannelAddress) throws {
    guard missing.contains(capability) else { return }
    throw Problem.forbidden(
      "Channels of the type \"\(address.type)\" have no \"\(capability.rawValue)\".")
  }

  /// - Throws: `Problem` 400 when a text is longer than messages of this type may be.
  func check(text: String) throws {
    guard text.unicodeScalars.count > maxMessageLength else { return }
    throw Problem.invalid(
      pointer: "/text", "A message has at most \(maxMessageLength) code points here.")
  }
}

/// The types of channel that a tenant has.
struct ChannelTypes: Sendable {
  private let byName: [String: ChannelType]

  /// - Parameter lists: the tenant's blocklists, by name.
  /// - Throws: `ConfigurationError` when a name, or that of a role, is none, or a type names a list that there is not.
  init(_ types: [String: ChannelType], lists: [String: Blocklist] = [:]) throws {
    var types = types
    for (name, type) in types {
      types[name]?.gate.lists = try type.blocklists.enumerated().map { index, list in
        guard let found = lists[list] else {
          throw ConfigurationError(
            pointer: "/types/\(name)/blocklists/\(index)",
            message: "There is no blocklist called \"\(list)\".")
        }
        return (list, found)
      }
    }
    for (name, type) in types.sorted(by: { $0.key < $1.key }) {
      guard Self.isName(name) else {
        throw ConfigurationError(
          pointer: "/types/\(name)",
          message: "\"\(name)\" is not a type's name: a-z, then up to 31 of a-z 0-9 - _.")
      }
      for command in type.commands.keys.sorted() where !Self.isName(command) {
        throw ConfigurationError(
          pointer: "/types/\(name)/commands/\(command)",
          message: "\"\(command)\" is not a command's name: a-z, then up to 31 of a-z 0-9 - _.")
      }
      for role in type.grants.memberRoles where !Role.isName(role) {
        throw ConfigurationError(
          pointer: "/types/\(name)/grants/\(role)",
          message: "\"\(role)\" is not a role's name: a-z, then up to 31 of a-z 0-9 - _.")
      }
    }
    byName = types
  }

  /// - Throws: `Problem` 404 that lists the types there are.
  subscript(name: String) -> ChannelType {
    get throws {
      if let type = byName[name] { return type }
      let known = byName.keys.sorted().joined(separator: ", ")
      throw Problem.notFound(
        known.isEmpty
          ? "This app has no types of channel."
          : "There is no type of channel called \"\(name)\". There are: \(known).")
    }
  }

  /// All of them, in an order of their own.
  var all: [(name: String, type: ChannelType)] {
    byName.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
  }

  /// Those whose settings have not turned a capability off; never empty, since `""` is nobody's.
  func names(with capability: Capability) -> [String] {
    [""] + all.filter { !$0.type.missing.contains(capability) }.map(\.name)
  }

  /// Whether a text can be a type's name, or a role's.
  static func isName(_ text: String) -> Bool {
    guard let first = text.utf8.first, (0x61...0x7A).contains(first) else { return false }
    return text.utf8.count <= 32
      && text.utf8.allSatisfy {
        (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2D || $0 == 0x5F
      }
  }
}
