internal import PluginKit

/// Tokens that are good no more although they have not expired: those of a user that were issued before a moment.
extension Users {
  /// Where the sockets of a user are told that the user's tokens are void. No client can name it.
  static let revocationChannel = "@users"

  /// What is told of tokens that are void.
  struct Revoked: Encodable {
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
    if let refusal = UserID.refusal(of: id) {
      throw Problem.invalid(pointer: "/path/id", refusal)
    }
    return try .json(try await endTokens(of: id, with: Batch()))
  }

  /// Makes a user's tokens void, in the batch of what that belongs to.
  ///
  /// - Throws: `StoreError`, of which a conflict names a statement of `batch`.
  @discardableResult
  func endTokens(of user: String, with batch: Batch) async throws -> Revoked {
    let revoked = Revoked(user: user, issuedBefore: try now())
    var whole = batch
    whole.add(revocation(of: user, at: revoked.issuedBefore))
    whole.emit(try Emit("auth.user.revoked", data: revoked))
    try await context.store.commit(whole)
    // What was recognised before is forgotten before sockets are told: a socket that opens in between would not be.
    try await context.forgetIdentities()
    try context.bus.publish(
      Users.revocationChannel, type: "auth.user.revoked", data: RawJSON(encoding: revoked))
    return revoked
  }

  /// Makes tokens void that were issued for a user up to a moment.
  func revocation(of user: String, at moment: Timestamp) -> SQL {
    """
    INSERT INTO auth_revocations (user_id, issued_before) VALUES (\(user), \(moment))
    ON CONFLICT (user_id) DO UPDATE SET issued_before = excluded.issued_before
      WHERE auth_revocations.issued_before < excluded.issued_before
    """
  }

  /// What is known of a user's tokens that were revoked.
  struct Revocation {
    /// When they were, in Unix milliseconds.
    var at: Int64
    /// By how much the clock of whoever issued them may have been ahead, in milliseconds.
    var margin: Int64

    /// The first second that a token may say it was issued in.
    var firstIssue: Int64 { (at + margin) / 1_000 + 1 }
  }

  /// What makes tokens of `issuer` void that the user has; nil when nothing does.
  ///
  /// - Parameter isAhead: whether the issuer's clock is known to be ahead, whatever was noted.
  func revocation(of user: String, issuer: String, isAhead: Bool = false) async throws
    -> Revocation?
  {
    let rows = try await context.store.read(
      """
      SELECT r.issued_before AS at, c.ahead_at AS ahead_at
      FROM auth_revocations r LEFT JOIN auth_issuer_clocks c ON c.issuer = \(issuer)
      WHERE r.user_id = \(user)
      """)
    guard let row = rows.first else { return nil }
    let at = try row["at", Int64.self]
    let seen = try row["ahead_at", Int64?.self].map { $0 > at - Users.clockMemory } ?? false
    return Revocation(at: at, margin: isAhead || seen ? Claims.leeway : 0)
  }

  /// Refuses a token of a user whose tokens were revoked after it was issued, or that does not say when it was. Tokens
  /// count whole seconds: one of the second of the revocation counts as before it.
  ///
  /// A clock may be ahead by `Claims.leeway`, and a token of before the revocation then says that it was issued after it. Where a token shows that
  /// its issuer's clock is ahead this is noted, and of such an issuer everything counts as before the revocation that may be.
  func checkRevocation(of claims: Claims) async throws {
    let now = try now()
    let isAhead = claims.issuedAt.map { $0 > now.unixMilliseconds + Users.clockTolerance } ?? false
    let known = try await revocation(
      of: claims.subject, issuer: claims.issuer, isAhead: isAhead)
    if isAhead, claims.issuedAt != known.map({ $0.firstIssue * 1_000 }) {
      try await note(clockAheadOf: claims.issuer, at: now)
    }
    guard let known else { return }
    guard let issuedAt = claims.issuedAt, issuedAt > known.at + known.margin else {
      throw TokenRefusal.revoked
    }
  }

  /// How far a clock may be ahead and counts as right, in milliseconds: `iat` counts whole seconds.
  private static let clockTolerance: Int64 = 1_000
  /// How long before a revocation a clock may have been seen to be ahead, in milliseconds.
  private static let clockMemory: Int64 = 7 * 86_400_000
  /// How often it is noted at most, in milliseconds.
  private static let clockNotes: Int64 = 86_400_000

  private func note(clockAheadOf issuer: String, at now: Timestamp) async throws {
    if let noted = clocksNoted[issuer],
      now.unixMilliseconds - noted.unixMilliseconds < Users.clockNotes
    {
      return
    }
    try await context.store.commit(isApartFromRequest: true) {
      SQL(
        """
        INSERT INTO auth_issuer_clocks (issuer, ahead_at) VALUES (\(issuer), \(now))
        ON CONFLICT (issuer) DO UPDATE SET ahead_at = excluded.ahead_at
        """)
    }
    clocksNoted[issuer] = now
    context.log.warning(
      "the clock of an issuer of tokens is ahead: right after a revocation its tokens are refused for a minute",
      ["issuer": issuer])
  }
}
