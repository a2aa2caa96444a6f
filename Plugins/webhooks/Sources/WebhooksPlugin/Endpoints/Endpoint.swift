internal import PluginKit

/// Where events go, as its row has it.
struct Endpoint: Sendable {
  /// Whether it gets anything.
  enum State: String, Codable, Sendable { case enabled, disabled }
  /// How much of an event goes out.
  enum Content: String, Codable, Sendable { case full, thin }
  /// Why it is disabled.
  enum Reason: String, Codable, Sendable {
    /// Whoever may change it has said so.
    case user
    /// It has answered 410.
    case gone
    /// All attempts have failed for too long.
    case failing
  }

  static let columns = """
    id, url, description, events, channels, rate_limit, payload, ordered, signing, state, reason,
    failing_since, told_at, created_at, updated_at
    """

  let id: String
  var url: String
  var description: String
  var events: [String]
  /// nil: all, and events without a channel.
  var channels: [String]?
  /// Attempts a second; nil is as many as there are.
  var rateLimit: Int64?
  var payload: Content
  var isOrdered: Bool
  var signing: SigningKey.Kind
  var state: State
  var reason: Reason?
  var failingSince: Timestamp?
  /// When somebody was told that it fails.
  var toldAt: Timestamp?
  let createdAt: Timestamp
  var updatedAt: Timestamp

  private let eventPatterns: [EventPattern]
  private let channelPatterns: [ChannelPattern]?

  /// The URL for others: what stands behind it may be a credential.
  var shownURL: String { String(url.prefix { $0 != "?" }) }

  init(_ row: Row) throws {
    id = try row["id", String.self]
    url = try row["url", String.self]
    description = try row["description", String.self]
    events = try JSON.decode(from: Array(try row["events", String.self].utf8))
    channels = try row["channels", String?.self].map { try JSON.decode(from: Array($0.utf8)) }
    rateLimit = try row["rate_limit", Int64?.self]
    payload = Content(rawValue: try row["payload", String.self]) ?? .full
    isOrdered = try row["ordered", Bool.self]
    signing = SigningKey.Kind(rawValue: try row["signing", String.self]) ?? .v1
    state = State(rawValue: try row["state", String.self]) ?? .disabled
    reason = try row["reason", String?.self].flatMap { Reason(rawValue: $0) }
    failingSince = try row["failing_since", Timestamp?.self]
    toldAt = try row["told_at", Timestamp?.self]
    createdAt = try row["created_at", Timestamp.self]
    updatedAt = try row["updated_at", Timestamp.self]
    eventPatterns = events.map { EventPattern($0) }
    channelPatterns = channels.map { $0.map { ChannelPattern($0) } }
  }

  /// Whether it wants events of a type in a channel.
  func wants(_ type: String, in channel: String?) -> Bool {
    guard eventPatterns.contains(where: { $0.matches(type) }) else { return false }
    guard let channelPatterns else { return true }
    guard let channel else { return false }
    return channelPatterns.contains { $0.matches(channel) }
  }
}
