internal import PluginKit

/// What a tenant may set; `plugin.json` has the bounds and the defaults.
struct Settings: Decodable, Sendable {
  /// The most channels that one connection may listen to.
  let channelsPerConnection: Int
  /// Seconds between the server's pings, and how long an answer may take.
  let pingInterval: Int
  let pongTimeout: Int
  /// Whether a connection listens to its user's own channel, `#user`, from its beginning.
  let subscribesToPersonalChannel: Bool
  /// Seconds between two looks at where a quiet channel stands in the history.
  let positionInterval: Int
  /// The most publications that a client gets in one answer.
  let historyLimit: Int
  let recoveryLimit: Int
  /// The most bytes of publications in one answer. It is to fit in what may wait to be sent on one connection.
  let answerBytes: Int
  /// Bytes that wait for a stream's client that is behind.
  let streamQueueBytes: Int
  /// By name; "" is that of channels without one.
  let namespaces: [String: NamespaceOptions]

  private enum CodingKeys: String, CodingKey {
    case channelsPerConnection = "channels_per_connection"
    case pingInterval = "ping_interval_seconds"
    case pongTimeout = "pong_timeout_seconds"
    case subscribesToPersonalChannel = "personal_channel"
    case positionInterval = "position_check_seconds"
    case historyLimit = "history_limit"
    case recoveryLimit = "recovery_limit"
    case answerBytes = "answer_bytes"
    case streamQueueBytes = "stream_queue_bytes"
    case withoutNamespace = "without_namespace"
    case namespaces
  }

  init(from decoder: any Decoder) throws {
    let settings = try decoder.container(keyedBy: CodingKeys.self)
    func read<Value: Decodable>(_ key: CodingKeys, _ standard: Value) throws -> Value {
      try settings.decodeIfPresent(Value.self, forKey: key) ?? standard
    }
    channelsPerConnection = try read(.channelsPerConnection, 100)
    pingInterval = try read(.pingInterval, 25)
    pongTimeout = try read(.pongTimeout, 8)
    subscribesToPersonalChannel = try read(.subscribesToPersonalChannel, false)
    positionInterval = try read(.positionInterval, 40)
    historyLimit = try read(.historyLimit, 300)
    recoveryLimit = try read(.recoveryLimit, 1_000)
    answerBytes = try read(.answerBytes, 524_288)
    streamQueueBytes = try read(.streamQueueBytes, 1 << 20)
    var namespaces = try read(.namespaces, [String: NamespaceOptions]())
    namespaces[""] = try read(.withoutNamespace, NamespaceOptions())
    self.namespaces = namespaces
  }

  /// What the schema cannot say.
  func check() throws(ConfigurationError) {
    guard pongTimeout < pingInterval else {
      throw ConfigurationError(
        pointer: "/pong_timeout_seconds",
        message:
          "A pong is due before the next ping: less than ping_interval_seconds, \(pingInterval)."
      )
    }
    for name in namespaces.keys.sorted() where !name.isEmpty {
      guard ChannelName.isNamespace(name[...]) else {
        throw ConfigurationError(
          pointer: "/namespaces/\(name)",
          message: "A namespace is a-z, then up to 63 of a-z 0-9 - _.")
      }
    }
  }
}

/// What the channels of a namespace of the plugin's own are like.
struct NamespaceOptions: Decodable, Sendable, Equatable {
  /// Who among an app's users may.
  enum Access: String, Decodable, Sendable {
    case nobody
    /// Those who listen to the channel.
    case subscribers
    case users
  }

  enum RecoveryMode: String, Decodable, Sendable {
    /// A client that comes back gets all that it missed.
    case stream
    /// It gets the newest publication.
    case cache
  }

  /// How many publications a channel keeps; 0 makes it ephemeral.
  var historySize = 100
  /// How long it keeps each; 0 is until the size drops it.
  var historySeconds = 300
  var hasPresence = true
  /// Whether clients can be told who comes and goes, and whether they are without asking.
  var hasJoinLeave = false
  var forcesJoinLeave = false
  /// Whether subscriptions can be resumed, and are watched for gaps, without asking.
  var forcesRecovery = true
  var forcesPositioning = false
  var recoveryMode = RecoveryMode.stream
  /// "fossil", or nothing.
  var deltaTypes: [String] = []
  var subscribe = Access.users
  var publish = Access.nobody
  var history = Access.subscribers
  var presence = Access.subscribers
  /// Whether another plugin owns the channels, and says what they keep and who may do what.
  var isForeign = false
  /// Whether what clients publish here is written to the app's own data.
  var keepsHistory: Bool { !isForeign && historySize > 0 }

  init() {}

  private enum CodingKeys: String, CodingKey {
    case historySize = "history_size"
    case historySeconds = "history_ttl_seconds"
    case hasPresence = "presence"
    case hasJoinLeave = "join_leave"
    case forcesJoinLeave = "force_push_join_leave"
    case forcesRecovery = "force_recovery"
    case forcesPositioning = "force_positioning"
    case recoveryMode = "recovery_mode"
    case deltaTypes = "allowed_delta_types"
    case subscribe = "subscribe_for_client"
    case publish = "publish_for_client"
    case history = "history_for_client"
    case presence = "presence_for_client"
  }

  init(from decoder: any Decoder) throws {
    let options = try decoder.container(keyedBy: CodingKeys.self)
    func read<Value: Decodable>(_ key: CodingKeys, _ value: inout Value) throws {
      if let given = try options.decodeIfPresent(Value.self, forKey: key) { value = given }
    }
    try read(.historySize, &historySize)
    try read(.historySeconds, &historySeconds)
    try read(.hasPresence, &hasPresence)
    try read(.hasJoinLeave, &hasJoinLeave)
    try read(.forcesJoinLeave, &forcesJoinLeave)
    try read(.forcesRecovery, &forcesRecovery)
    try read(.forcesPositioning, &forcesPositioning)
    try read(.recoveryMode, &recoveryMode)
    try read(.deltaTypes, &deltaTypes)
    try read(.subscribe, &subscribe)
    try read(.publish, &publish)
    try read(.history, &history)
    try read(.presence, &presence)
  }

  /// Channels of another plugin, as far as its authority says nothing else: their history is what the plugin
  /// declares, and who may do what was asked of it.
  static func foreign(hasPresence: Bool, hasJoinLeave: Bool) -> NamespaceOptions {
    var options = NamespaceOptions()
    options.isForeign = true
    options.hasPresence = hasPresence
    options.hasJoinLeave = hasJoinLeave
    return options
  }
}
