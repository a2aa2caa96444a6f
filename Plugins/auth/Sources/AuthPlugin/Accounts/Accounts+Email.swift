internal import PluginKit

/// Another e-mail address for an account, in two steps: its owner shows who asks and names the address, and then that mail to it arrives.
extension Accounts {
  /// `POST /v1/me/email`: sends a code to the address that is to become the account's. Nothing changes before it is typed in.
  func requestEmail(_ request: Request) async throws -> Response {
    let form = try request.decode(AddressedProof.self)
    try form.proof.requireOneFactor()
    let id = request.principal.id
    let email = try EmailAddress(form.email).text
    try await requireMail()
    let (account, kept) = try await confirm(form.proof.password, of: id, from: request.peer)
    guard email != account.email else {
      throw Problem.invalid(pointer: "/email", "It is the account's address already.")
    }
    let factor = try await secondFactor(account, form.proof)
    try await take(
      accountSettings.codeRequests(from: request.peer) + [
        Throttle(Throttle.subject("mail.change", id), burst: 3, every: 300_000),
        Throttle(Throttle.subject("mail.change.to", email), burst: 6, every: 600_000),
      ])
    let known = try await context.store.read("SELECT id FROM auth_accounts WHERE email = \(email)")
    guard known.isEmpty else { throw Accounts.taken }
    let letter = try await newLetter(
      .emailChange, to: id, at: try now(), from: request.peer, address: email)
    var batch = Batch()
    for statement in factor { batch.add(statement) }
    // What was checked must still be so.
    batch.add(Accounts.unchanged(account, password: kept))
    for statement in letter.statements { batch.add(statement) }
    try await commit(batch, behind: factor, else: Accounts.changed)
    handOverLetters()
    return .empty(202)
  }

  private struct Confirmation: Decodable {
    var code: String
  }

  /// `POST /v1/me/email/confirm`: the address is the account's, and verified. The other sessions end, and the address before is told.
  func confirmEmail(_ request: Request) async throws -> Response {
    let form = try request.decode(Confirmation.self)
    let id = request.principal.id
    let session = try request.principal.claims.decode(AccountClaims.self).session
    let rows = try await context.store.read(
      "SELECT \(raw: Accounts.columns) FROM auth_accounts WHERE id = \(id)")
    guard let account = try rows.first?.decode(Account.self) else { throw Accounts.gone }
    let code = try await find(
      code: form.code, for: .emailChange, email: account.email, from: request.peer)
    // Each code is for the address that it was sent to.
    let letters = try await context.store.read(
      "SELECT address FROM auth_letters WHERE id = \(code.letter) AND account_id = \(id)")
    guard let email = try letters.first?["address", String?.self] ?? nil else {
      throw Accounts.badCode
    }
    let now = try now()
    var batch = Batch()
    for statement in spend(code, for: .emailChange) { batch.add(statement) }
    // Codes that went to the address before say nothing of who reads the mail to this one.
    batch.add(
      """
      DELETE FROM auth_letters WHERE account_id = \(id) AND purpose IN
        (\(OneTimeCode.Purpose.verification.rawValue), \(OneTimeCode.Purpose.reset.rawValue))
      """)
    let change = batch.add(
      SQL(
        """
        UPDATE auth_accounts SET email = \(email), email_verified_at = \(now), updated_at = \(now)
        WHERE id = \(id) AND email = \(account.email)
          AND NOT EXISTS (SELECT 1 FROM auth_accounts AS o WHERE o.email = \(email))
        RETURNING \(raw: Accounts.columns)
        """
      ).expect(exactly: 1))
    for statement in try await notice(.emailChanged, to: account, at: now) { batch.add(statement) }
    batch.add(revocation(ofSessionsOf: id, but: session, at: now))
    let commit: Commit
    do {
      commit = try await context.store.commit(batch)
    } catch StoreError.conflict(let statement, _) where statement == change {
      throw Accounts.taken
    } catch StoreError.conflict {
      throw Accounts.badCode
    }
    try await context.forgetIdentities()
    handOverLetters()
    return try .json(try commit.statements[change][0].decode(Account.self))
  }
}
