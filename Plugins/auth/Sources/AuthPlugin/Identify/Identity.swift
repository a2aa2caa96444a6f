internal import PluginKit

/// What the host asks of `sluice.authenticator/1`.
struct IdentifyQuery: Decodable {
  enum Kind: String, Decodable {
    case bearer, key
    /// To listen to one channel.
    case subscription
  }

  /// A key that the host has recognised by its digest.
  struct Key: Decodable {
    var id: String
    var scopes: [String]
    /// Unix milliseconds; 0 is never.
    var expiresAt: Int64

    enum CodingKeys: String, CodingKey {
      case id, scopes
      case expiresAt = "expires_at_ms"
    }

    /// The key that the credential is a secret half of: one that was rotated has `key_…` and a dot with more.
    var holder: String {
      id.hasPrefix("key_") ? String(id.prefix { $0 != "." }) : id
    }
  }

  var kind: Kind
  var credential: String
  var key: Key?
}

/// Who it is.
struct Identity: Encodable {
  var kind: Principal.Kind
  var id: String
  var scopes: [String]
  var claims: RawJSON = "{}"
  /// Unix milliseconds; 0 is never.
  var expiresAt: Int64

  enum CodingKeys: String, CodingKey {
    case kind, id, scopes, claims
    case expiresAt = "expires_at_ms"
  }
}

extension IdentifyQuery {
  /// The server that holds a secret key; or nobody, who shows a public key: that stands in every client of the app.
  func keyHolder(at now: Timestamp) throws -> Identity {
    guard let key else { throw TokenRefusal.malformed }
    guard key.expiresAt == 0 || now.unixMilliseconds < key.expiresAt else {
      throw TokenRefusal.expired
    }
    guard !credential.hasPrefix("pk_") else {
      return Identity(kind: .anonymous, id: key.holder, scopes: [], expiresAt: key.expiresAt)
    }
    return Identity(kind: .key, id: key.holder, scopes: key.scopes, expiresAt: key.expiresAt)
  }
}

extension Accounts {
  /// The account whose access token it is: ES256 under the platform's own key, of a session that has not ended.
  func identify(_ credential: String) async throws -> Identity {
    let token = try CompactJWS(credential)
    try token.require(algorithm: SigningKey.algorithm)
    guard let keyID = token.header.keyID, let key = try keys.find(keyID) else {
      throw TokenRefusal.unknownKey
    }
    guard key.verifies(token.signature, of: token.signingInput) else {
      throw TokenRefusal.badSignature
    }
    let claims = try Claims(token.payload)
    try claims.check(tenant: context.tenant, now: now())
    guard let session = claims.session else { throw TokenRefusal.badClaim("sid") }
    let rows = try await context.store.read(
      """
      SELECT id FROM auth_sessions
      WHERE id = \(session) AND account_id = \(claims.subject) AND revoked_at IS NULL
      """)
    guard !rows.isEmpty else { throw TokenRefusal.sessionEnded }
    return Identity(
      kind: .account, id: claims.subject, scopes: ["*"],
      claims: try RawJSON(encoding: AccountClaims(session: session)), expiresAt: claims.voidAt ?? 0)
  }
}

/// What a handler learns of an account besides its id.
struct AccountClaims: Codable {
  var session: String

  enum CodingKeys: String, CodingKey {
    case session = "sid"
  }
}

extension Users {
  /// The user whose token it is: of the app's own, or of an issuer that it trusts.
  func identify(_ credential: String) async throws -> Identity {
    let (identity, channel) = try await verify(credential)
    guard channel == nil else { throw TokenRefusal.badClaim("channel") }
    return identity
  }

  /// The user who may listen to the channel that the token names.
  func listener(_ credential: String) async throws -> Identity {
    let (identity, channel) = try await verify(credential)
    guard channel != nil else { throw TokenRefusal.badClaim("channel") }
    return identity
  }

  private func verify(_ credential: String) async throws -> (Identity, channel: String?) {
    let token = try CompactJWS(credential)
    var claims: Claims
    let scopes: [String]
    var goodUntil: Timestamp?
    if let issuer = issuers.claimed(by: token.payload) {
      try issuer.verify(token)
      claims = try Claims(token.payload, userPrefix: issuer.userPrefix)
      try claims.check(issuer: issuer, now: now())
      let subject = String(claims.subject.dropFirst(issuer.userPrefix.count))
      if let user = try await user(with: UserIdentity(issuer: issuer.name, subject: subject)) {
        claims.subject = user
      }
      let bound = issuer.scopes ?? settings.userScopes
      scopes = (claims.scopes ?? settings.userScopes).filter(bound.contains)
    } else {
      goodUntil = try verifyOwn(token)
      claims = try Claims(
        token.payload, defaultIssuer: settings.issuerIsOptional ? context.tenant : nil,
        mayLackExpiry: settings.expiryIsOptional)
      try claims.check(tenant: context.tenant, now: now())
      scopes = claims.scopes ?? settings.userScopes
    }
    try await checkRevocation(of: claims)
    let identity = Identity(
      kind: .user, id: claims.subject, scopes: scopes,
      claims: RawJSON(unchecked: token.payload),
      expiresAt: [claims.voidAt, goodUntil?.unixMilliseconds].compactMap(\.self).min() ?? 0)
    return (identity, claims.channel)
  }

  /// Checks header and signature of a token of the app's own: HS256 under its signing secret, or one before that.
  ///
  /// - Returns: until when it is good at most, where the secret has been rotated since.
  private func verifyOwn(_ token: CompactJWS) throws -> Timestamp? {
    try token.require(algorithm: HS256.algorithm)
    guard let secret = try signingSecret(), !secret.isEmpty else { throw TokenRefusal.noSecret }
    guard !HS256.verifies(token.signature, of: token.signingInput, with: secret) else { return nil }
    // Signed before the secret was rotated: as good as that, but not beyond the grace.
    let former = try formerSecrets().first {
      HS256.verifies(token.signature, of: token.signingInput, with: $0.secret)
    }
    guard let former else { throw TokenRefusal.badSignature }
    // Clients of the protocol fetch a new token when theirs has expired, and give up when it is forged.
    guard try now() < former.until else { throw TokenRefusal.expired }
    return former.until
  }
}
