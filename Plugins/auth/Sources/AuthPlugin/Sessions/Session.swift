internal import PluginKit

/// A session that is being opened or continued: the rows it needs and the tokens it gives.
struct Session {
  let id: String
  let account: String
  let client: SessionClient
  /// Of what its refresh tokens are computed; nil where the session has it already.
  let refreshNonce: String?
  let refreshToken: String
  let signingKey: SigningKey
  let issuer: String
  let now: Timestamp
  let expiresAt: Timestamp

  /// Adds what opens the session, and removes what has expired of any.
  func add(to batch: inout Batch) {
    batch.add("DELETE FROM auth_refresh_tokens WHERE expires_at <= \(now)")
    batch.add("DELETE FROM auth_sessions WHERE expires_at <= \(now)")
    batch.add(
      """
      INSERT INTO auth_sessions
        (id, account_id, created_at, expires_at, device, address, network, last_used_at,
         refresh_number, refresh_nonce, refresh_uses)
      VALUES (\(id), \(account), \(now), \(expiresAt), \(client.device), \(client.address),
        \(client.network), \(now), \(RefreshState.first.number), \(refreshNonce),
        \(RefreshState.first.usesText))
      """)
  }

  func tokens(_ settings: AuthSettings) throws -> TokenPair {
    let issuedAt = now.unixMilliseconds / 1_000
    let claims = AccessClaims(
      issuer: issuer, subject: account, session: id, issuedAt: issuedAt,
      expiresAt: issuedAt + settings.accessTokenSeconds)
    let header = JOSEHeader(algorithm: SigningKey.algorithm, keyID: signingKey.id)
    return TokenPair(
      accessToken: try CompactJWS.make(
        header, claims: try JSON.encode(claims), sign: signingKey.sign),
      refreshToken: refreshToken, expiresIn: settings.accessTokenSeconds)
  }
}

/// Who keeps a session, as far as a request tells: for its owner, who looks at the list.
struct SessionClient {
  /// What the client calls itself, at most `deviceLimit` characters of it; nil when it does not.
  let device: String?
  let address: String

  private static let deviceLimit = 200

  init(_ request: Request) {
    let name = request.header("user-agent")?.unicodeScalars.prefix(SessionClient.deviceLimit)
      .filter { $0.properties.generalCategory != .control }
    device = name.flatMap { $0.isEmpty ? nil : String(String.UnicodeScalarView($0)) }
    address = request.peer
  }

  /// The narrowest network of the address.
  var network: String { Network.key(of: address) }
}

private struct AccessClaims: Encodable {
  var issuer: String
  var subject: String
  var session: String
  /// Unix seconds, as `expiresAt`.
  var issuedAt: Int64
  var expiresAt: Int64

  enum CodingKeys: String, CodingKey {
    case issuer = "iss"
    case subject = "sub"
    case session = "sid"
    case issuedAt = "iat"
    case expiresAt = "exp"
  }
}

/// The tokens of a session (RFC 6749 §5.1).
struct TokenPair: Encodable {
  var accessToken: String
  var refreshToken: String
  var tokenType = "Bearer"
  /// Seconds.
  var expiresIn: Int64

  enum CodingKeys: String, CodingKey {
    case accessToken = "access_token"
    case refreshToken = "refresh_token"
    case tokenType = "token_type"
    case expiresIn = "expires_in"
  }
}

/// The tokens of a new session, beside its account; the account alone where it has to verify its address first.
struct SessionAnswer: Encodable {
  var account: Account
  var accessToken: String?
  var refreshToken: String?
  var tokenType: String?
  /// Seconds.
  var expiresIn: Int64?

  init(account: Account, _ tokens: TokenPair?) {
    self.account = account
    accessToken = tokens?.accessToken
    refreshToken = tokens?.refreshToken
    tokenType = tokens?.tokenType
    expiresIn = tokens?.expiresIn
  }

  enum CodingKeys: String, CodingKey {
    case account
    case accessToken = "access_token"
    case refreshToken = "refresh_token"
    case tokenType = "token_type"
    case expiresIn = "expires_in"
  }
}

extension Response {
  /// An answer that holds tokens, which nobody on the way may keep (RFC 6749 §5.1).
  static func tokens<Value: Encodable>(_ value: Value, status: Int) throws -> Response {
    try .json(value, status: status).header("cache-control", "no-store")
  }
}
