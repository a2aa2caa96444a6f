internal import PluginKit

/// A session, as the account's owner sees it.
private struct ListedSession: Encodable {
  var id: String
  /// What the client calls itself.
  var device: String?
  /// From where it was last refreshed.
  var address: String?
  var createdAt: Timestamp
  var lastUsedAt: Timestamp
  var expiresAt: Timestamp
  /// Whether it is the one that asks.
  var current: Bool

  enum CodingKeys: String, CodingKey {
    case id, device, address, current
    case createdAt = "created_at"
    case lastUsedAt = "last_used_at"
    case expiresAt = "expires_at"
  }
}

extension Accounts {
  /// `GET /v1/sessions`, the newest first.
  func listSessions(_ request: Request) async throws -> Response {
    let limit = request.query("limit").flatMap { Int($0) } ?? 25
    let current = try request.principal.claims.decode(AccountClaims.self).session
    let rows = try await context.store.read(
      """
      SELECT id, device, address, created_at, COALESCE(last_used_at, created_at) AS last_used_at,
        expires_at
      FROM auth_sessions
      WHERE account_id = \(request.principal.id) AND revoked_at IS NULL
        AND expires_at > \(try now()) AND id < \(request.query("after") ?? "~")
      ORDER BY id DESC LIMIT \(limit + 1)
      """)
    let sessions = try rows.prefix(limit).map { row in
      let id = try row["id", String.self]
      return ListedSession(
        id: id, device: try row["device", String?.self], address: try row["address", String?.self],
        createdAt: try row["created_at", Timestamp.self],
        lastUsedAt: try row["last_used_at", Timestamp.self],
        expiresAt: try row["expires_at", Timestamp.self], current: id == current)
    }
    return try .json(
      Page(data: sessions, next: rows.count > limit ? sessions.last?.id : nil))
  }

  /// `DELETE /v1/sessions/{id}`
  func revokeSession(_ request: Request) async throws -> Response {
    let id = try request.parameter(0)
    let commit = try await context.store.commit {
      SQL(
        """
        UPDATE auth_sessions SET revoked_at = \(try now())
        WHERE id = \(id) AND account_id = \(request.principal.id) AND revoked_at IS NULL
        """)
    }
    guard commit.statements[0].changed == 1 else {
      throw Problem.notFound("The account has no such session.")
    }
    try await context.forgetIdentities()
    return .empty(204)
  }

  /// `DELETE /v1/sessions`: all but the one that asks.
  func revokeOtherSessions(_ request: Request) async throws -> Response {
    let current = try request.principal.claims.decode(AccountClaims.self).session
    try await context.store.commit {
      revocation(ofSessionsOf: request.principal.id, but: current, at: try now())
    }
    try await context.forgetIdentities()
    return .empty(204)
  }

  /// Ends an account's sessions, but for one, and knows the networks of those no more: somebody else may have had them. Identities are forgotten when it is committed, so that their access tokens are good no more.
  func revocation(ofSessionsOf account: String, but spared: String?, at now: Timestamp) -> SQL {
    SQL(
      """
      UPDATE auth_sessions SET revoked_at = COALESCE(revoked_at, \(now)), network = NULL
      WHERE account_id = \(account) AND (revoked_at IS NULL OR network IS NOT NULL)
        AND id <> \(spared ?? "")
      """)
  }
}
