internal import PluginKit

extension Accounts {
  private static let refreshSecret = "auth.refresh"

  /// A session that is not stored yet.
  func newSession(of account: String, for client: SessionClient, at now: Timestamp) async throws
    -> Session
  {
    Session(
      id: try context.id.make("ses"), account: account, client: client,
      refreshToken: RefreshToken(random: try context.random.bytes(32)),
      signingKey: try await keys.current(), issuer: context.tenant, now: now,
      expiresAt: sessionEnd(from: now))
  }

  private func sessionEnd(from now: Timestamp) -> Timestamp {
    now.adding(milliseconds: settings.sessionDays * 86_400_000)
  }

  private struct Refresh: Decodable {
    var token: String

    enum CodingKeys: String, CodingKey {
      case token = "refresh_token"
    }
  }

  /// What is known of a refresh token.
  private struct Known: Decodable {
    var session: String
    var account: String
    var expiresAt: Timestamp
    var usedAt: Timestamp?
    var revokedAt: Timestamp?

    enum CodingKeys: String, CodingKey {
      case session, account
      case expiresAt = "expires_at"
      case usedAt = "used_at"
      case revokedAt = "revoked_at"
    }
  }

  private static let ended = Problem.unauthenticated(
    "The refresh token is not valid, or its session has ended. Sign in again.")

  /// `POST /v1/sessions/refresh`
  func refreshSession(_ request: Request) async throws -> Response {
    let token = RefreshToken(shown: try request.decode(Refresh.self).token)
    let client = SessionClient(request)
    let now = try now()
    guard let known = try await find(token), known.revokedAt == nil, now < known.expiresAt else {
      throw Accounts.ended
    }
    if let usedAt = known.usedAt, now > usedAt.adding(milliseconds: RefreshToken.grace) {
      try await revoke(known.session, at: now)
      context.log.warning(
        "a refresh token was used again; its session is revoked",
        ["session": known.session, "account": known.account])
      throw Accounts.ended
    }
    let successorKey = try await context.ownSecret(Accounts.refreshSecret) {
      try context.random.bytes(32)
    }
    let session = Session(
      id: known.session, account: known.account, client: client,
      refreshToken: token.successor(under: successorKey),
      signingKey: try await keys.current(), issuer: context.tenant, now: now,
      expiresAt: sessionEnd(from: now))
    // A token that comes again changes nothing, and is not counted.
    let rate = known.usedAt == nil ? RefreshToken.rate(of: known.session) : nil
    var batch = continuation(of: session, after: token)
    let place = rate.map { batch.add($0.take(at: now)) }
    do {
      try await context.store.commit(batch)
    } catch StoreError.conflict(.some(let statement), _) where statement == place {
      guard let rate else { throw Accounts.ended }
      throw Throttled(until: try await room(in: rate) ?? now, from: now)
    } catch StoreError.conflict {
      // The session was ended, or the token used elsewhere, since it was read.
      throw Accounts.ended
    }
    return try .tokens(try session.tokens(settings), status: 200)
  }

  private func find(_ token: RefreshToken) async throws -> Known? {
    try await context.store.read(
      """
      SELECT t.session_id AS session, s.account_id AS account, t.expires_at AS expires_at,
        t.used_at AS used_at, s.revoked_at AS revoked_at
      FROM auth_refresh_tokens t JOIN auth_sessions s ON s.id = t.session_id
      WHERE t.digest = \(token.digest)
      """
    ).first?.decode(Known.self)
  }

  /// Takes a token out of use and puts its successor in its place. Repeated within the grace, it
  /// changes nothing but the session's end.
  private func continuation(of session: Session, after token: RefreshToken) -> Batch {
    let now = session.now
    let earliest = now.adding(milliseconds: -RefreshToken.grace)
    return Batch {
      SQL(
        """
        UPDATE auth_sessions
        SET expires_at = \(session.expiresAt), last_used_at = \(now),
          device = \(session.client.device), address = \(session.client.address),
          network = \(session.client.network)
        WHERE id = \(session.id) AND revoked_at IS NULL
        """
      ).expect(exactly: 1)
      SQL(
        """
        UPDATE auth_refresh_tokens SET used_at = COALESCE(used_at, \(now))
        WHERE digest = \(token.digest) AND (used_at IS NULL OR used_at >= \(earliest))
        """
      ).expect(exactly: 1)
      SQL(
        """
        INSERT INTO auth_refresh_tokens (digest, session_id, expires_at)
        VALUES (\(session.refreshToken.digest), \(session.id), \(session.expiresAt))
        ON CONFLICT (digest) DO NOTHING
        """)
    }
  }

  /// `DELETE /v1/sessions/current`
  func endSession(_ request: Request) async throws -> Response {
    let principal = request.principal
    let session = try principal.claims.decode(AccountClaims.self).session
    try await context.store.commit {
      SQL(
        """
        UPDATE auth_sessions SET revoked_at = COALESCE(revoked_at, \(try now()))
        WHERE id = \(session) AND account_id = \(principal.id)
        """)
    }
    try await context.forgetIdentities()
    return .empty(204)
  }

  private func revoke(_ session: String, at now: Timestamp) async throws {
    try await context.store.commit {
      SQL(
        """
        UPDATE auth_sessions SET revoked_at = COALESCE(revoked_at, \(now)) WHERE id = \(session)
        """)
    }
    try await context.forgetIdentities()
  }
}
