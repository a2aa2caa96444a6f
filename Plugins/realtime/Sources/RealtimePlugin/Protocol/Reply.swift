internal import PluginKit

/// What a client is answered. Zeros, false and what is empty are left out, as the protocol has it.
enum Reply {
  case error(ProtocolError)
  case connect(ConnectResult)
  case subscribe(SubscribeResult)
  case unsubscribe, ping
  case publish(Position)
  /// Of a command that is not answered.
  case nothing
  /// Clients by name, with the JSON that describes them.
  case presence([(client: String, info: [UInt8])])
  case presenceStats(clients: Int, users: Int)
  case history([ChannelEvent], offset: UInt64, epoch: String)
  /// Seconds until the token runs out; nil is never.
  case refresh(client: String, ttl: Int64?)
  case subRefresh(ttl: Int64?)
  case rpc(RawJSON)

  /// The reply to the command with this number, on one line.
  func line(_ id: UInt32) -> [UInt8] {
    var line = JSONLine()
    line.object { line in
      line.member("id", id)
      write(&line)
    }
    return line.bytes
  }

  private func write(_ line: inout JSONLine) {
    switch self {
    case .error(let error):
      line.object("error") { line in
        line.member("code", error.code)
        line.member("message", error.message)
        line.flag("temporary", error.isTemporary)
      }
    case .connect(let result): line.object("connect") { result.write(&$0) }
    case .subscribe(let result): line.object("subscribe") { result.write(&$0) }
    case .unsubscribe: line.object("unsubscribe") { _ in }
    case .publish: line.object("publish") { _ in }
    case .ping: line.object("ping") { _ in }
    case .nothing: break
    case .presence(let clients):
      line.object("presence") { line in
        line.object("presence") { line in
          for (client, info) in clients { line.member(named: client, json: info) }
        }
      }
    case .presenceStats(let clients, let users):
      line.object("presence_stats") { line in
        if clients > 0 { line.member("num_clients", clients) }
        if users > 0 { line.member("num_users", users) }
      }
    case .history(let events, let offset, let epoch):
      line.object("history") { line in
        line.array("publications", events) { line, event in
          line.object { event.write(&$0, asText: false) }
        }
        line.member("epoch", epoch)
        if offset > 0 { line.member("offset", offset) }
      }
    case .refresh(let client, let ttl):
      line.object("refresh") { line in
        line.member("client", client)
        line.member("version", ConnectResult.version)
        line.lifetime(ttl)
      }
    case .subRefresh(let ttl): line.object("sub_refresh") { $0.lifetime(ttl) }
    case .rpc(let data): line.object("rpc") { $0.member("data", json: data.bytes) }
    }
  }
}

struct ConnectResult {
  /// What the gateway calls itself.
  static let version = "sluice"

  var client: String
  /// Seconds until the token runs out; nil is never.
  var ttl: Int64?
  /// Subscriptions that the server made.
  var subs: [(channel: String, result: SubscribeResult)] = []
  /// Seconds between pings of the server's.
  var ping: Int
  /// How the client says who it is where its commands come beside its connection, and to whom it says so; nil where
  /// they come on it.
  var emulation: (session: String, node: String)?

  func write(_ line: inout JSONLine) {
    line.member("client", client)
    line.member("version", Self.version)
    line.lifetime(ttl)
    if !subs.isEmpty {
      line.object("subs") { line in
        for sub in subs { line.object(named: sub.channel) { sub.result.write(&$0) } }
      }
    }
    line.member("ping", ping)
    line.flag("pong", true)
    if let emulation {
      line.member("session", emulation.session)
      line.member("node", emulation.node)
    }
  }
}

struct SubscribeResult {
  var ttl: Int64?
  var isRecoverable = false
  var isPositioned = false
  var offset: UInt64 = 0
  var epoch = ""
  var wasRecovering = false
  var isRecovered = false
  /// What was missed, oldest first.
  var publications: [ChannelEvent] = []
  /// Whether publications may come as differences to the one before.
  var hasDelta = false

  func write(_ line: inout JSONLine) {
    line.lifetime(ttl)
    line.flag("recoverable", isRecoverable)
    if !epoch.isEmpty { line.member("epoch", epoch) }
    if !publications.isEmpty {
      line.array("publications", publications) { line, event in
        line.object { event.write(&$0, asText: hasDelta) }
      }
    }
    line.flag("recovered", isRecovered)
    if offset > 0 { line.member("offset", offset) }
    line.flag("positioned", isPositioned)
    line.flag("was_recovering", wasRecovering)
    line.flag("delta", hasDelta)
  }
}

extension JSONLine {
  mutating func lifetime(_ ttl: Int64?) {
    guard let ttl else { return }
    flag("expires", true)
    member("ttl", max(1, ttl))
  }
}
