/// Why a socket is closed by the server. Codes and words are those of the Centrifugo client protocol:
/// 3000 to 3499 ask the client to come back, 3500 to 3999 to stay away.
struct CloseCode: Equatable, Sendable {
  let code: Int
  let reason: String

  /// Whether the client is to come back by itself.
  var isTemporary: Bool { (3000..<3500).contains(code) || (4000..<4500).contains(code) }

  /// The gateway is about to end.
  static let shutdown = CloseCode(code: 3001, reason: "shutdown")
  /// Something broke here; coming back may help.
  static let serverError = CloseCode(code: 3004, reason: "internal server error")
  /// The token has expired; come back with a new one.
  static let expired = CloseCode(code: 3005, reason: "connection expired")
  /// The client does not read what it is sent.
  static let slow = CloseCode(code: 3008, reason: "slow")
  /// Events were missed that the history no longer has; come back and read the state anew.
  static let insufficientState = CloseCode(code: 3010, reason: "insufficient state")
  /// The client did not answer a ping.
  static let noPong = CloseCode(code: 3012, reason: "no pong")
  /// The token is not valid.
  static let invalidToken = CloseCode(code: 3500, reason: "invalid token")
  /// What the client says is not the protocol.
  static let badRequest = CloseCode(code: 3501, reason: "bad request")
  /// The client did not say "connect" in time.
  static let stale = CloseCode(code: 3502, reason: "stale")
  /// The app has switched the plugin off, or is no more.
  static let disabled = CloseCode(code: 3503, reason: "disabled")
  /// The app's server wants the user gone.
  static let forced = CloseCode(code: 3503, reason: "force disconnect")
  /// A channel may not be listened to, or its namespace belongs to nobody.
  static let permissionDenied = CloseCode(code: 3507, reason: "permission denied")
  /// The app's plan allows no more messages.
  static let overQuota = CloseCode(code: 3508, reason: "too many requests")

  /// The same code, saying which channel it is about. A close reason has at most 123 bytes (RFC 6455
  /// §5.5), so a long name is left out.
  func about(_ channel: ChannelName) -> CloseCode {
    let words = "\(reason): \(channel.text)"
    return words.utf8.count <= 123 ? CloseCode(code: code, reason: words) : self
  }
}
