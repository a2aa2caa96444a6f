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
  /// The same by their names, each with what is said of the client there.
  let subs: [String: Sub]?
  /// What is said of the client to those who see it.
  let info: RawJSON?

  struct Sub: Decodable {
    let info: RawJSON?
  }

  static func of(_ principal: Principal) -> TokenClaims? {
    try? principal.claims.decode()
  }
}

/// Tells who a token stands for that is given in a command. The one that opened the connection the host has verified.
struct Credentials {
  unowned(unsafe) let context: ShardContext

  /// The user of a token; nil when it is not valid.
  ///
  /// - Throws: `ProtocolError.tokenExpired` when it was good once; what the way to the answer failed with.
  func user(of token: String, for purpose: CredentialPurpose) async throws -> Principal? {
    try await known { try await context.identify(token, for: purpose) }
  }

  private func known(_ identify: () async throws -> Principal) async throws -> Principal? {
    do {
      let principal = try await identify()
      return principal.kind == .user ? principal : nil
    } catch let error as HostError {
      switch error.status {
      case .unauthenticated, .invalid, .denied: return nil
      case .expired: throw ProtocolError.tokenExpired
      default: throw error
      }
    }
  }

  /// The same for the token by which a client goes on. Only the user's own will do.
  func renew(_ connection: Transport, with token: String) async throws -> Principal? {
    try await known { try await context.identify(token, renewing: connection) }
  }

  /// What a subscription's token grants to a user.
  ///
  /// - Throws: `ProtocolError` when it does not.
  func grant(_ token: String, _ name: ChannelName, user: String) async throws -> Grant {
    guard let principal = try await self.user(of: token, for: .subscription),
      principal.id.isExactly(user), let claims = TokenClaims.of(principal),
      claims.channel?.isExactly(name.text) == true
    else { throw ProtocolError.permissionDenied }
    return Grant(expiresAt: principal.voidSecond, info: claims.info?.bytes)
  }
}

extension FirstMessageCredential {
  /// The token of "connect", which is the first thing that a client of the protocol says.
  static var connect: FirstMessageCredential {
    FirstMessageCredential(
      find: { message in
        let first = try CommandFrame.opening(query: nil, Array(message.bytes))[0]
        guard case .connect(let request) = first.request else { return nil }
        return request.token.flatMap { $0.isEmpty ? nil : $0 }
      },
      refuse: { message, why in
        switch why {
        case .unauthenticated: SocketRefusal(code: 3500, reason: "invalid token")
        // The token leads to an app that has not switched this on.
        case .notFound: SocketRefusal(code: 3503, reason: "disabled")
        case .expired:
          // The client gets a new token and comes back.
          SocketRefusal(
            message: message.flatMap { first in
              (try? CommandFrame.commands(in: Array(first.bytes)))?.first.map {
                Reply.error(.tokenExpired).line($0.id)
              }
            }, code: 3005, reason: "connection expired")
        case .denied: SocketRefusal(code: 3507, reason: "permission denied")
        case .invalid, .tooLarge: SocketRefusal(code: 3501, reason: "bad request")
        case .deadline: SocketRefusal(code: 3502, reason: "stale")
        case .limited: SocketRefusal(code: 3013, reason: "too many requests")
        default: SocketRefusal(code: 3004, reason: "internal server error")
        }
      })
  }
}

extension Principal {
  /// When it is void, in Unix seconds, rounded up; 0 is never.
  var voidSecond: UInt32 {
    expiresAt.map { UInt32(clamping: ($0.unixMilliseconds + 999) / 1000) } ?? 0
  }
}
