internal import PluginKit

extension Accounts {
  /// A session that is not stored yet.
  func newSession(of account: String, for client: SessionClient, at now: Timestamp) async throws
    -> Session
  {
    let id = try context.id.make("ses")
    let nonce = try context.random.bytes(RefreshToken.nonceLength).hexadecimal
    let token = RefreshToken(
      of: id, number: RefreshState.first.number, nonce: nonce, key: try await refreshKey())
    return Session(
      id: id, account: account, client: client, refreshNonce: nonce, refreshToken: token.text,
      signingKey: try await keys.current(), issuer: context.tenant, now: now,
      expiresAt: sessionEnd(from: now))
  }

  /// When a session ends that is not refreshed again.
  func sessionEnd(from now: Timestamp) -> Timestamp {
    now.adding(milliseconds: settings.sessionDays * 86_400_000)
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
}
