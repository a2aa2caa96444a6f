internal import PluginKit

/// What a client asks: a number that stands in the reply, and one request. A request without a number is answered by
/// nothing.
struct Command: Equatable {
  enum Request: Equatable {
    case connect(ConnectRequest)
    case subscribe(SubscribeRequest)
    case unsubscribe(channel: String)
    case publish(channel: String, data: RawJSON)
    case presence(channel: String)
    case presenceStats(channel: String)
    case history(HistoryRequest)
    case ping
    /// A message that is answered by nothing.
    case send(RawJSON)
    /// A message for the plugin that declares the method as a type.
    case rpc(method: String, data: RawJSON)
    case refresh(token: String)
    case subRefresh(channel: String, token: String)
    /// An empty object: the answer to a ping.
    case pong
  }

  let id: UInt32
  let request: Request
  /// What a client of `/ws` calls the command, JSON; nil where it has no name.
  var tag: RawJSON?
  /// Whether the client is told of it only if it fails.
  var isQuiet = false
}

extension Command.Request {
  /// Whether it asks for what was missed.
  var isRecovering: Bool {
    if case .subscribe(let request) = self { request.recover == true } else { false }
  }

  /// The channel that it is about.
  var channel: String? {
    switch self {
    case .subscribe(let request): request.channel
    case .history(let request): request.channel
    case .unsubscribe(let channel), .publish(let channel, _), .presence(let channel),
      .presenceStats(let channel), .subRefresh(let channel, _):
      channel
    case .connect, .ping, .send, .rpc, .refresh, .pong: nil
    }
  }
}

struct ConnectRequest: Equatable, Decodable {
  let token: String?
  let data: RawJSON?
  /// Where the client stands in channels that the server subscribed it to.
  let subs: [String: SubscribeRequest]?
  let name: String?
  let version: String?
}

struct SubscribeRequest: Equatable, Decodable {
  /// What a subscription's `flag` may ask for, as bits.
  static let rejectsUnrecovered: Int64 = 2

  var channel: String?
  var token: String?
  var recover: Bool?
  var offset: UInt64?
  var epoch: String?
  var data: RawJSON?
  var positioned: Bool?
  var recoverable: Bool?
  var joinLeave: Bool?
  /// The kind of compression that the client understands: "fossil".
  var delta: String?
  var flag: Int64?

  private enum CodingKeys: String, CodingKey {
    case channel, token, recover, offset, epoch, data, positioned, recoverable
    case joinLeave = "join_leave"
    case delta, flag
  }
}

struct HistoryRequest: Equatable, Decodable {
  struct Position: Equatable, Decodable {
    let offset: UInt64?
    let epoch: String?
  }

  let channel: String?
  /// 0 asks for the position alone; below 0 for as many as the server gives.
  let limit: Int?
  let since: Position?
  let reverse: Bool?
}

extension Command: Decodable {
  private enum CodingKeys: String, CodingKey {
    case id, connect, subscribe, unsubscribe, publish, presence
    case presenceStats = "presence_stats"
    case history, ping, send, rpc, refresh
    case subRefresh = "sub_refresh"
  }

  /// A request of a few texts.
  private struct Parts: Decodable {
    var channel: String?
    var token: String?
    var method: String?
    var data: RawJSON?
  }

  init(from decoder: any Decoder) throws {
    let command = try decoder.container(keyedBy: CodingKeys.self)
    id = try command.decodeIfPresent(UInt32.self, forKey: .id) ?? 0
    func parts(_ key: CodingKeys) throws -> Parts? {
      try command.decodeIfPresent(Parts.self, forKey: key)
    }
    // As the protocol has it, the first request that is there counts.
    if let connect = try command.decodeIfPresent(ConnectRequest.self, forKey: .connect) {
      request = .connect(connect)
    } else if let subscribe = try command.decodeIfPresent(SubscribeRequest.self, forKey: .subscribe)
    {
      request = .subscribe(subscribe)
    } else if let parts = try parts(.unsubscribe) {
      request = .unsubscribe(channel: parts.channel ?? "")
    } else if let parts = try parts(.publish) {
      guard let data = parts.data else {
        throw JSONError(pointer: "/publish/data", message: "a publication without data")
      }
      request = .publish(channel: parts.channel ?? "", data: data)
    } else if let parts = try parts(.presence) {
      request = .presence(channel: parts.channel ?? "")
    } else if let parts = try parts(.presenceStats) {
      request = .presenceStats(channel: parts.channel ?? "")
    } else if let history = try command.decodeIfPresent(HistoryRequest.self, forKey: .history) {
      request = .history(history)
    } else if try parts(.ping) != nil {
      request = .ping
    } else if let parts = try parts(.send) {
      request = .send(parts.data ?? "null")
    } else if let parts = try parts(.rpc) {
      request = .rpc(method: parts.method ?? "", data: parts.data ?? "null")
    } else if let parts = try parts(.refresh) {
      request = .refresh(token: parts.token ?? "")
    } else if let parts = try parts(.subRefresh) {
      request = .subRefresh(channel: parts.channel ?? "", token: parts.token ?? "")
    } else {
      guard id == 0, command.allKeys.isEmpty else {
        throw JSONError(pointer: "", message: "a command without a request")
      }
      request = .pong
    }
  }
}
