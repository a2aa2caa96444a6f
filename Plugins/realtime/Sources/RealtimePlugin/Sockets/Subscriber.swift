internal import PluginKit

/// One connection. It holds its channels from the moment that it is allowed to listen to all of them.
final class Subscriber: WheelMember {
  enum Stage: Equatable {
    /// The channels' owners are asked.
    case asking
    /// Allowed; it is not known of every channel yet where it stands.
    case waiting
    case live
    /// Closed by us, or gone.
    case ended
  }

  let connection: Transport
  let principal: Principal
  /// What it is called where an app's server asks.
  let name: String
  let openedAt: Timestamp
  /// When the credential is void, in Unix seconds, rounded up; nil is never.
  var deadline: Int64?
  var stage = Stage.asking
  /// The channels that it has asked for.
  let wanted: [ChannelName]
  var channels: [Channel] = []
  /// How many of them it gets publications of, from the first.
  var joined = 0
  /// The names of those among whose members it is listed.
  var memberships: [String] = []
  /// Where it stands in each of them; only of a stream.
  var position = StreamPosition([])
  var wheelSlot: UInt16 = 0
  var wheelIndex: Int32 = -1

  init(
    _ connection: Transport, _ principal: Principal, of wanted: [ChannelName], name: String,
    at now: Timestamp
  ) {
    self.connection = connection
    self.wanted = wanted
    self.principal = principal
    self.name = name
    openedAt = now
    deadline = principal.expiresAt.map { ($0.unixMilliseconds + 999) / 1000 }
  }

  /// Closes the connection; nothing is sent to it any more.
  func end(_ close: CloseCode) {
    guard stage != .ended else { return }
    stage = .ended
    connection.close(close)
  }

  /// What others see of it.
  var described: ClientInfo {
    ClientInfo(
      user: principal.id, client: name, connection: TokenClaims.of(principal)?.info?.bytes)
  }

  /// What it is called where an app's server asks.
  var transport: String {
    switch connection {
    case .socket: "uni_websocket"
    case .stream(let stream): stream.format.rawValue
    }
  }
}
