internal import PluginKit

extension Accounts {
  /// The hash of a new password, which is looked at first. All of it on the worker.
  ///
  /// - Parameters:
  ///   - peer: who asks.
  ///   - pointer: where in the body the password stands.
  /// - Throws: `Problem` 400 with why it is not taken; what `onWorker` does.
  func hash(
    _ password: String, email: String, name: String, from peer: String,
    pointer: String = "/password"
  ) async throws -> PasswordHash {
    let salt = try context.random.bytes(PasswordHash.saltLength)
    let cost = accountSettings.hashCost
    let made = try await onWorker(from: peer) {
      [policy] () throws -> (hash: PasswordHash?, refusal: String?, seesBreached: Bool) in
      let sees = policy.seesBreached
      if let refusal = policy.refusal(of: password, email: email, name: name) {
        return (nil, refusal, sees)
      }
      return (try PasswordHash(of: password, salt: salt, cost), nil, sees)
    }
    if made.hash != nil { hashes?.add() }
    note(seesBreached: made.seesBreached)
    guard let hash = made.hash else {
      throw Problem.invalid(pointer: pointer, made.refusal ?? "It is not taken.")
    }
    return hash
  }

  /// Says when the operator's list of breached passwords cannot be read any more, and when it can again. New passwords are taken
  /// meanwhile, after a look at the plugin's own list: a file that is being replaced does not stop sign-ups and resets.
  private func note(seesBreached: Bool) {
    if !seesBreached { unlisted?.add() }
    guard seesBreached != seesBreachedList else { return }
    seesBreachedList = seesBreached
    let file = accountSettings.breachedPasswordsFile
    if seesBreached {
      context.log.info("the list of breached passwords can be read again", ["file": file])
    } else {
      context.log.error(
        "the list of breached passwords cannot be read: new passwords are taken without it",
        ["file": file])
    }
  }

  private struct Reset: Decodable {
    var email: String
    var code: String
    var password: String
  }

  /// `POST /v1/passwords/reset`: whoever has the code reads the account's mail, so the address is verified too, and all sessions end.
  func resetPassword(_ request: Request) async throws -> Response {
    let form = try request.decode(Reset.self)
    let code = try await find(code: form.code, for: .reset, email: form.email, from: request.peer)
    let account = code.account
    let hash: PasswordHash
    do {
      hash = try await self.hash(
        form.password, email: account.email, name: account.name, from: request.peer)
    } catch {
      try await forgiveTry(of: code)
      throw error
    }
    let now = try now()
    // Whoever has the code reads the mail to the address.
    var owner = account
    owner.emailVerified = true
    let notice = try await notice(.passwordChanged, to: owner, at: now)
    do {
      try await context.store.commit {
        for statement in spend(code, for: .reset) { statement }
        forgetEmailChanges(of: account.id)
        for statement in notice { statement }
        // Who set a second factor up before the address was verified, or has only begun with one, need not be its owner.
        SQL(
          """
          UPDATE auth_accounts SET \(raw: SecondFactor.removal)
          WHERE id = \(account.id) AND (email_verified_at IS NULL OR totp_enabled_at IS NULL)
          """)
        SQL(
          """
          DELETE FROM auth_recovery_codes WHERE account_id IN (SELECT id FROM auth_accounts
            WHERE id = \(account.id) AND totp_enabled_at IS NULL)
          """)
        SQL(
          """
          UPDATE auth_accounts SET password = \(hash.text), password_kind = \(hash.kind),
            updated_at = \(now), email_verified_at = COALESCE(email_verified_at, \(now)),
            proven_network = \(Network.key(of: request.peer))
          WHERE id = \(account.id)
          """)
        for statement in LoginThrottles.forgetting(email: account.email, peer: request.peer) {
          statement
        }
        revocation(ofSessionsOf: account.id, but: nil, at: now)
      }
    } catch StoreError.conflict {
      throw Accounts.badCode
    }
    try await context.forgetIdentities()
    handOverLetters()
    return .empty(204)
  }

  private struct Change: Decodable {
    var current: String
    var new: String
  }

  static let changed = Problem.conflict("The account was changed meanwhile. Try again.")
  static let wrongPassword = Problem(
    status: 403, code: "wrong_password", detail: "The account has another password.")

  /// `PUT /v1/me/password`: the other sessions end, this one goes on.
  func changePassword(_ request: Request) async throws -> Response {
    let form = try request.decode(Change.self)
    let principal = request.principal
    let session = try principal.claims.decode(AccountClaims.self).session
    let (account, kept) = try await confirm(form.current, of: principal.id, from: request.peer)
    let hash = try await self.hash(
      form.new, email: account.email, name: account.name, from: request.peer, pointer: "/new")
    let now = try now()
    let notice = try await notice(.passwordChanged, to: account, at: now)
    do {
      try await context.store.commit {
        SQL(
          """
          UPDATE auth_accounts SET password = \(hash.text), password_kind = \(hash.kind),
            updated_at = \(now)
          WHERE id = \(account.id) AND password = \(kept)
          """
        ).expect(exactly: 1)
        forgetEmailChanges(of: account.id)
        for statement in notice { statement }
        // Whoever knew the password before may have begun with a second factor.
        SQL(
          """
          UPDATE auth_accounts SET \(raw: SecondFactor.removal)
          WHERE id = \(account.id) AND totp_enabled_at IS NULL
          """)
        revocation(ofSessionsOf: account.id, but: session, at: now)
      }
    } catch StoreError.conflict {
      throw Accounts.changed
    }
    try await context.forgetIdentities()
    handOverLetters()
    return .empty(204)
  }

  /// Has the owner show his password once more.
  ///
  /// - Returns: the account, and the hash that the password is of: what is committed then is guarded on it, since looking took its time.
  /// - Throws: `Problem` 403 `wrong_password`; `Throttled`; what `onWorker` does.
  func confirm(_ password: String, of id: String, from peer: String) async throws -> (
    account: Account, hash: String
  ) {
    let throttle = Throttle(
      Throttle.subject("password.account", id), burst: 5, every: 30_000)
    try await take([throttle])
    let rows = try await context.store.read(
      "SELECT \(raw: Accounts.columns), password FROM auth_accounts WHERE id = \(id)")
    guard let row = rows.first else { throw Accounts.gone }
    let kept = PasswordHash(kept: try row["password", String.self])
    let isRight: Bool
    do {
      isRight = try await onWorker(from: peer) { try kept.matches(password) }
    } catch {
      try await giveBack([throttle])
      throw error
    }
    hashes?.add()
    guard isRight else { throw Accounts.wrongPassword }
    try await context.store.commit(isApartFromRequest: true) { throttle.giveBack }
    return (try row.decode(), kept.text)
  }

  private struct Import: Decodable {
    var email: String
    var name: String
    var hash: String
    var isVerified: Bool?

    enum CodingKeys: String, CodingKey {
      case email, name
      case hash = "password_hash"
      case isVerified = "email_verified"
    }
  }

  private struct Imported: Encodable {
    var account: Account
  }

  /// `POST /v1/accounts/import`: an account from elsewhere, with the bcrypt hash of its password.
  func importAccount(_ request: Request) async throws -> Response {
    try await requireOperator(request.principal)
    let form = try request.decode(Import.self)
    let email = try EmailAddress(form.email)
    guard let hash = BcryptHash(form.hash) else {
      throw Problem.invalid(
        pointer: "/password_hash",
        "It is no bcrypt hash ($2a$, $2b$ or $2y$) of a cost from \(BcryptHash.costs.lowerBound) to "
          + "\(BcryptHash.costs.upperBound).")
    }
    let now = try now()
    let isVerified = form.isVerified ?? false
    let account = Account(
      id: try context.id.make("acc"), email: email.text, name: form.name, createdAt: now,
      emailVerified: isVerified, totpEnabled: false)
    var note = AuditNote(request, "account.imported")
    note.target = account.id
    note.after = try RawJSON(encoding: account)
    do {
      try await context.store.commit {
        insertion(
          of: account, password: PasswordHash(kept: hash.text), verifiedAt: isVerified ? now : nil)
        try note.emission()
      }
    } catch StoreError.conflict(statement: 0, _) {
      throw Accounts.taken
    }
    return try .json(Imported(account: account), status: 201)
  }

  /// Refuses whoever is not among the settings' `operators`, with a verified address.
  func requireOperator(_ principal: Principal) async throws {
    let rows = try await context.store.read(
      """
      SELECT email FROM auth_accounts
      WHERE id = \(principal.id) AND email_verified_at IS NOT NULL
      """)
    let email = try rows.first?["email", String.self]
    guard let email,
      accountSettings.operators.contains(where: { EmailAddress.normalized($0) == email })
    else {
      throw Problem.forbidden(
        "Only an operator may do this: an account that the platform's settings name.")
    }
  }
}
