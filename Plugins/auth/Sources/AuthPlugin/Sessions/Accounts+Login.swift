internal import PluginKit

extension Accounts {
  private static let wrongLogin = Problem.unauthenticated("The e-mail or the password is wrong.")

  static let unverified = Problem(
    status: 403, code: "email_unverified",
    detail:
      "The e-mail address has to be verified first: POST /v1/accounts/verify takes the code that was sent."
  )

  /// `POST /v1/sessions`
  ///
  /// The same reads, the same counting, the same hashes and the same answer, whether the account or the password is wrong. Who comes too often is
  /// refused before a hash is made.
  func createSession(_ request: Request) async throws -> Response {
    let form = try request.decode(AddressedProof.self)
    try form.proof.requireOneFactor()
    let client = SessionClient(request)
    let email = EmailAddress.normalized(form.email)
    let rows = try await context.store.read([
      "SELECT \(raw: Accounts.columns), password FROM auth_accounts WHERE email = \(email)",
      Accounts.knownNetwork(client.network, of: email),
      Accounts.kinds,
    ])
    let throttles = LoginThrottles(
      email: email, peer: client.address, isKnownNetwork: !rows[1].isEmpty)
    try await take(throttles.all)

    let kept = try rows[0].first?["password", String.self]
    let isRight: Bool
    let renewed: PasswordHash?
    do {
      (isRight, renewed) = try await look(
        at: form.proof.password,
        PasswordCheck(
          kept: kept, among: try rows[2].map { try $0["kind", String.self] },
          present: accountSettings.hashCost.kind), from: client.address)
    } catch {
      // Nobody has looked at the password, so it was no guess.
      try await giveBack(throttles.all)
      throw error
    }
    guard isRight, let account = try rows[0].first?.decode(Account.self) else {
      throw Accounts.wrongLogin
    }
    if accountSettings.requiresVerifiedEmail && !account.emailVerified {
      try await forgive(throttles)
      throw Accounts.unverified
    }
    let factor: [SQL]
    do {
      factor = try await secondFactor(account, form.proof)
    } catch let problem as Problem where problem.code == Accounts.totpRequired.code {
      // The password was right, and nothing else was tried.
      try await forgive(throttles)
      throw problem
    }
    let now = try now()
    let session = try await newSession(of: account.id, for: client, at: now)
    var batch = Batch()
    for statement in factor { batch.add(statement) }
    for statement in throttles.forgiveness { batch.add(statement) }
    // What was checked must still be so: the hash took its time, and a reset ends sessions that are there, not this one.
    batch.add(Accounts.unchanged(account, password: kept))
    if let renewed, let kept {
      batch.add(
        """
        UPDATE auth_accounts SET password = \(renewed.text), password_kind = \(renewed.kind)
        WHERE id = \(account.id) AND password = \(kept)
        """)
    }
    session.add(to: &batch)
    try await commit(batch, behind: factor, else: Accounts.wrongLogin)
    return try .tokens(SessionAnswer(account: account, try session.tokens(settings)), status: 201)
  }

  private func forgive(_ throttles: LoginThrottles) async throws {
    var batch = Batch()
    batch.isApartFromRequest = true
    for statement in throttles.forgiveness { batch.add(statement) }
    try await context.store.commit(batch)
  }

  /// The kinds of hashes that accounts have, by one step in the index for each.
  private static let kinds: SQL = """
    WITH RECURSIVE kinds (kind) AS (
      SELECT MIN(password_kind) FROM auth_accounts
      UNION ALL
      SELECT (SELECT MIN(password_kind) FROM auth_accounts WHERE password_kind > kinds.kind)
      FROM kinds WHERE kinds.kind IS NOT NULL
    )
    SELECT kind FROM kinds WHERE kind IS NOT NULL
    """

  /// Whether the password is the one; and its new hash where the one that is kept is of another kind than those that are made now. One job of
  /// the worker.
  private func look(at password: String, _ check: PasswordCheck, from peer: String) async throws
    -> (Bool, PasswordHash?)
  {
    let salt = try context.random.bytes(PasswordHash.saltLength)
    let cost = accountSettings.hashCost
    let (isRight, renewed) = try await onWorker(from: peer) {
      () throws -> (Bool, PasswordHash?) in
      guard try check.passes(password) else { return (false, nil) }
      guard let own = check.own, own.kind != cost.kind else { return (true, nil) }
      // A hash of the wrong one would keep out whoever knows the right one.
      if BcryptHash.isKind(own.kind), !BcryptHash.tells(password) { return (true, nil) }
      return (true, try PasswordHash(of: password, salt: salt, cost))
    }
    hashes?.add(check.hashes.count + (renewed == nil ? 0 : 1))
    return (isRight, renewed)
  }
}
