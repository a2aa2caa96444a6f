internal import PluginKit

/// What a valid subscription token grants.
struct Grant: Equatable {
  /// Unix seconds; 0 is never.
  var expiresAt: UInt32 = 0
  /// What it says of the client, for those who see it.
  var info: [UInt8]?
}

/// The claims of a token that this plugin reads.
struct TokenClaims: Decodable {
  /// The only channel that the token is for; absent in a connection's token.
  let channel: String?
  /// Channels that the server subscribes the connection to.
  let channels: [String]?
  /// What is said of the client to those who see it.
  let info: RawJSON?

  static func of(_ principal: Principal) -> TokenClaims? {
    try? principal.claims.decode()
  }
}

/// Tells who a token given in a command names. The host verifies the one that opened the connection; this is for those
/// that come later.
struct Credentials {
  /// The principal, or nil when the token is not valid.
  typealias Identify = (_ token: String) async throws -> Principal?

  /// nil where the host offers no way to ask.
  let identify: Identify?

  /// What a subscription's token grants to a user.
  ///
  /// - Throws: `ProtocolError` when it does not.
  func grant(_ token: String, _ name: ChannelName, user: String, now: Timestamp) async throws
    -> Grant
  {
    guard let identify else { throw ProtocolError.notAvailable }
    guard let principal = try await identify(token), principal.kind == .user,
      principal.id == user, let claims = TokenClaims.of(principal), claims.channel == name.text
    else { throw ProtocolError.permissionDenied }
    if let end = principal.expiresAt, end <= now { throw ProtocolError.tokenExpired }
    return Grant(expiresAt: principal.voidSecond, info: claims.info?.bytes)
  }
}

extension Principal {
  /// When it is void, in Unix seconds, rounded up; 0 is never.
  var voidSecond: UInt32 {
    expiresAt.map { UInt32(clamping: ($0.unixMilliseconds + 999) / 1000) } ?? 0
  }
}
