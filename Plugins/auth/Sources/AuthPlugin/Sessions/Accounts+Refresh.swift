internal import PluginKit

extension Accounts {
  private static let refreshSecret = "auth.refresh"
  /// How often it is looked again where the same token is used elsewhere at the same moment.
  private static let refreshAttempts = 4

  private struct Refresh: Decodable {
    var token: String

    enum CodingKeys: String, CodingKey {
      case token = "refresh_token"
    }
  }

  /// What is known of a session that goes on.
  private struct Known: Decodable {
    var session: String
    var account: String
    var expiresAt: Timestamp
    var revokedAt: Timestamp?
    var number: Int64?
    var nonce: String?
    var uses: [Int64]?
    /// Of a token that is a row: when it was used.
    var usedAt: Timestamp?

    enum CodingKeys: String, CodingKey {
      case session, account, number, nonce, uses
      case expiresAt = "expires_at"
      case revokedAt = "revoked_at"
      case usedAt = "used_at"
    }

    static let columns = """
      s.id AS session, s.account_id AS account, s.revoked_at AS revoked_at,
      s.refresh_number AS number, s.refresh_nonce AS nonce, s.refresh_uses AS uses
      """
  }

  private static let ended = Problem.unauthenticated(
    "The refresh token is not valid, or its session has ended. Sign in again.")

  func refreshKey() async throws -> [UInt8] {
    try await context.ownSecret(Accounts.refreshSecret) { try context.random.bytes(32) }
  }

  /// `POST /v1/sessions/refresh`
  func refreshSession(_ request: Request) async throws -> Response {
    let shown = try request.decode(Refresh.self).token
    let client = SessionClient(request)
    for _ in 0..<Accounts.refreshAttempts {
      let tokens: TokenPair?
      if let token = RefreshToken(shown: shown) {
        tokens = try await goOn(with: token, client)
      } else {
        tokens = try await goOn(with: FormerRefreshToken(text: shown), client)
      }
      if let tokens { return try .tokens(tokens, status: 200) }
    }
    throw Accounts.ended
  }

  /// - Returns: nil where the session was refreshed elsewhere since it was read.
  private func goOn(with token: RefreshToken, _ client: SessionClient) async throws -> TokenPair? {
    let now = try now()
    let key = try await refreshKey()
    let known: Known? = try await context.store.read(
      """
      SELECT \(raw: Known.columns), s.expires_at AS expires_at, NULL AS used_at
      FROM auth_sessions s WHERE s.id = \(token.session)
      """
    ).first?.decode(Known.self)
    guard let known, known.revokedAt == nil, now < known.expiresAt, let number = known.number,
      let nonce = known.nonce, token.isGenuine(nonce: nonce, key: key)
    else { throw Accounts.ended }
    let state = RefreshState(number: number, uses: known.uses ?? [])
    var batch = Batch()
    switch state.standing(of: token.number, at: now) {
    case .unknown: throw Accounts.ended
    case .reused: throw try await endReused(known, at: now)
    case .repeated: batch.add(continuation(of: known.session, for: client, at: now))
    case .current:
      batch.add(
        continuation(of: known.session, for: client, at: now, from: number, to: state.next(at: now))
      )
    }
    // A token that comes again changes nothing, and is not counted.
    let rate = token.number == number ? RefreshToken.rate(of: known.session) : nil
    guard try await commit(batch, within: rate, at: now) else { return nil }
    return try await pair(
      known, RefreshToken(of: known.session, number: token.number + 1, nonce: nonce, key: key).text,
      client, at: now)
  }

  /// With a token that is a row: its session has numbers from then on.
  private func goOn(
    with token: FormerRefreshToken, _ client: SessionClient
  ) async throws -> TokenPair? {
    let now = try now()
    let key = try await refreshKey()
    let known: Known? = try await context.store.read(
      """
      SELECT \(raw: Known.columns), t.expires_at AS expires_at, t.used_at AS used_at
      FROM auth_refresh_tokens t JOIN auth_sessions s ON s.id = t.session_id
      WHERE t.digest = \(token.digest)
      """
    ).first?.decode(Known.self)
    guard let known, known.revokedAt == nil, now < known.expiresAt else { throw Accounts.ended }
    if let usedAt = known.usedAt, now > usedAt.adding(milliseconds: RefreshToken.grace) {
      throw try await endReused(known, at: now)
    }
    var batch = Batch()
    guard known.usedAt == nil else {
      batch.add(continuation(of: known.session, for: client, at: now))
      guard try await commit(batch, within: nil, at: now) else { return nil }
      guard let nonce = known.nonce else {
        return try await pair(known, token.successor(under: key).text, client, at: now)
      }
      return try await pair(
        known, RefreshToken(of: known.session, number: 0, nonce: nonce, key: key).text, client,
        at: now)
    }
    let nonce = try context.random.bytes(RefreshToken.nonceLength).hexadecimal
    batch.add(
      continuation(of: known.session, for: client, at: now, from: nil, to: .first, nonce: nonce))
    batch.add(
      SQL(
        """
        UPDATE auth_refresh_tokens SET used_at = \(now)
        WHERE digest = \(token.digest) AND used_at IS NULL
        """
      ).expect(exactly: 1))
    guard try await commit(batch, within: RefreshToken.rate(of: known.session), at: now) else {
      return nil
    }
    return try await pair(
      known, RefreshToken(of: known.session, number: 0, nonce: nonce, key: key).text, client,
      at: now)
  }

  /// The session goes on: its row says from where, until when and, where a token was used, how far it has come.
  private func continuation(
    of session: String, for client: SessionClient, at now: Timestamp
  ) -> SQL {
    SQL(
      """
      UPDATE auth_sessions
      SET expires_at = \(sessionEnd(from: now)), last_used_at = \(now),
        device = \(client.device), address = \(client.address), network = \(client.network)
      WHERE id = \(session) AND revoked_at IS NULL
      """
    ).expect(exactly: 1)
  }

  private func continuation(
    of session: String, for client: SessionClient, at now: Timestamp, from number: Int64?,
    to state: RefreshState, nonce: String? = nil
  ) -> SQL {
    SQL(
      """
      UPDATE auth_sessions
      SET expires_at = \(sessionEnd(from: now)), last_used_at = \(now),
        device = \(client.device), address = \(client.address), network = \(client.network),
        refresh_number = \(state.number), refresh_uses = \(state.usesText),
        refresh_nonce = COALESCE(\(nonce), refresh_nonce)
      WHERE id = \(session) AND revoked_at IS NULL
        AND COALESCE(refresh_number, -1) = \(number ?? -1)
      """
    ).expect(exactly: 1)
  }

  /// - Returns: false where the session was ended or refreshed elsewhere meanwhile.
  /// - Throws: `Throttled`.
  private func commit(_ batch: Batch, within rate: Throttle?, at now: Timestamp) async throws
    -> Bool
  {
    var whole = batch
    let place = rate.map { whole.add($0.take(at: now)) }
    do {
      try await context.store.commit(whole)
      return true
    } catch StoreError.conflict(let statement, _) {
      guard let rate, statement == place else { return false }
      throw Throttled(until: try await room(in: rate) ?? now, from: now)
    }
  }

  private func pair(
    _ known: Known, _ refreshToken: String, _ client: SessionClient, at now: Timestamp
  ) async throws -> TokenPair {
    try Session(
      id: known.session, account: known.account, client: client, refreshNonce: nil,
      refreshToken: refreshToken, signingKey: try await keys.current(), issuer: context.tenant,
      now: now, expiresAt: sessionEnd(from: now)
    ).tokens(settings)
  }

  /// Ends a session of which a token that was used before comes again.
  private func endReused(_ known: Known, at now: Timestamp) async throws -> Problem {
    try await context.store.commit {
      SQL(
        """
        UPDATE auth_sessions SET revoked_at = COALESCE(revoked_at, \(now)), network = NULL
        WHERE id = \(known.session)
        """)
    }
    try await context.forgetIdentities()
    context.log.warning(
      "a refresh token was used again; its session is revoked",
      ["session": known.session, "account": known.account])
    return Accounts.ended
  }
}
