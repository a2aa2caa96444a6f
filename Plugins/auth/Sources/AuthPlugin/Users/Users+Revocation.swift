internal import PluginKit

/// Tokens that are good no more although they have not expired: those of a user that were issued before a moment.
extension Users {
  /// Where the sockets of a user are told that the user's tokens are void. No client can name it.
  static let revocationChannel = "@users"

  private struct Revoked: Encodable {
    var user: String
    /// Tokens issued up to it are void.
    var issuedBefore: Timestamp

    enum CodingKeys: String, CodingKey {
      case user = "user_id"
      case issuedBefore = "issued_before"
    }
  }

  /// `POST /v1/users/{id}/revoke`: when it is answered, no loop lets in a token that was issued before.
  func revoke(_ request: Request) async throws -> Response {
    let id = try request.parameter(0)
    if let refusal = UserID.refusal(of: id) { throw Problem.invalid(refusal) }
    let revoked = Revoked(user: id, issuedBefore: try now())
    try await context.store.commit {
      SQL(
        """
        INSERT INTO auth_revocations (user_id, issued_before) VALUES (\(id), \(revoked.issuedBefore))
        ON CONFLICT (user_id) DO UPDATE SET issued_before = excluded.issued_before
          WHERE auth_revocations.issued_before < excluded.issued_before
        """)
      try Emit("auth.user.revoked", data: revoked)
    }
    // What was recognised before is forgotten before sockets are told: a socket that opens in between would not be.
    try await context.forgetIdentities()
    try context.bus.publish(
      Users.revocationChannel, type: "auth.user.revoked", data: RawJSON(encoding: revoked))
    return try .json(revoked)
  }

  /// Until when the user's tokens are void, by when they were issued, in Unix milliseconds; nil when none are.
  func revocation(of user: String) async throws -> Int64? {
    let rows = try await context.store.read(
      "SELECT issued_before FROM auth_revocations WHERE user_id = \(user)")
    return try rows.first?["issued_before", Int64.self]
  }

  /// Refuses a token of a user whose tokens were revoked after it was issued, or that does not say when it was. Tokens
  /// count whole seconds: one of the second of the revocation counts as before it.
  func checkRevocation(of claims: Claims) async throws {
    guard let before = try await revocation(of: claims.subject) else { return }
    guard let issuedAt = claims.issuedAt, issuedAt > before else { throw TokenRefusal.revoked }
  }
}
