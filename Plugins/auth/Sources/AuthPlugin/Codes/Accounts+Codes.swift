internal import PluginCrypto
internal import PluginKit

extension Accounts {
  static let badCode = Problem(
    status: 400, code: "invalid_code",
    detail: "The code is wrong, has expired, was used, or was tried too often. Ask for a new one.")

  /// A code that somebody has typed in, and that is one of those that were sent.
  struct FoundCode {
    var account: Account
    var letter: String
  }

  /// Finds whose code it is: any of those that were sent for this and have not expired. The try is counted against each of them before anything is
  /// compared, so that tries side by side count too. Of the tries that there are in all, some are left to the network that has asked for the code.
  ///
  /// An address without an account has letters of nobody (`CodeLetter`), so the same is read, counted and compared for it.
  ///
  /// - Throws: `Problem` 400 `invalid_code`, in the same words for an address without an account.
  func find(
    code text: String, for purpose: OneTimeCode.Purpose, email: String, from peer: String
  ) async throws -> FoundCode {
    try await take(Throttle.ofNetworks("code.address", peer, burst: 30, every: 10_000))
    let now = try now()
    let email = EmailAddress.normalized(email)
    let nobody = Accounts.nobody(email)
    let network = Network.digest(of: peer)
    let commit = try await context.store.commit(isApartFromRequest: true) {
      // Written by every try, so that there is always something to sync.
      SQL(
        """
        INSERT INTO auth_letter_tries (letter_id, network, tries, expires_at)
        VALUES (\(nobody), \(network), 1, \(now.adding(milliseconds: OneTimeCode.lifetime)))
        ON CONFLICT (letter_id, network) DO UPDATE SET tries = auth_letter_tries.tries + 1
        """)
      SQL(
        """
        UPDATE auth_letters SET tries = tries + 1
        WHERE account_id = COALESCE((SELECT id FROM auth_accounts WHERE email = \(email)), \(nobody))
          AND purpose = \(purpose.rawValue) AND expires_at > \(now)
          AND tries < CASE WHEN network = \(network) THEN \(OneTimeCode.tries)
            ELSE \(OneTimeCode.tries - OneTimeCode.triesKept) END
        RETURNING id, digest
        """)
    }
    let rows = try await context.store.read(
      "SELECT \(raw: Accounts.columns) FROM auth_accounts WHERE email = \(email)")
    let account = try rows.first?.decode(Account.self)
    let digest = Array(
      OneTimeCode(typed: text).digest(of: account?.id ?? nobody, for: purpose).utf8)
    var found: String?
    for row in commit.statements[1] {
      let kept = try row["digest", String.self]
      if Digest.areEqual(Array(kept.utf8), digest) { found = try row["id", String.self] }
    }
    guard let found, let account else { throw Accounts.badCode }
    return FoundCode(account: account, letter: found)
  }

  /// Takes a code out of use, and the others that were sent for the same; the batch is a conflict when another request has.
  func spend(_ code: FoundCode, for purpose: OneTimeCode.Purpose) -> [SQL] {
    [
      SQL("DELETE FROM auth_letters WHERE id = \(code.letter)").expect(exactly: 1),
      """
      DELETE FROM auth_letters
      WHERE account_id = \(code.account.id) AND purpose = \(purpose.rawValue)
      """,
    ]
  }

  /// A code that was right is not used up by what came with it.
  func forgiveTry(of code: FoundCode) async throws {
    try await context.store.commit(isApartFromRequest: true) {
      SQL("UPDATE auth_letters SET tries = tries - 1 WHERE id = \(code.letter)")
    }
  }

  /// Sends a code to whoever has the address, and tells nobody whether anybody does: the same is read, computed and committed for all, and the
  /// letter is handed over behind the answer.
  ///
  /// Only whoever asks too often for whatever addresses is told so. Beyond the rates of an address the answer is the same and no letter is sent.
  private func requestCode(_ purpose: OneTimeCode.Purpose, _ request: Request) async throws
    -> Response
  {
    let email = EmailAddress.normalized(try request.decode(Addressee.self).email)
    let peer = request.peer
    try await requireMail()
    try await take(accountSettings.codeRequests(from: peer))
    let now = try now()
    let network = Network.key(of: peer)
    let rows = try await context.store.read([
      "SELECT id FROM auth_accounts WHERE email = \(email)",
      Accounts.knownNetwork(network, of: email),
      """
      SELECT 1 FROM auth_letters
      WHERE account_id = COALESCE((SELECT id FROM auth_accounts WHERE email = \(email)),
          \(Accounts.nobody(email)))
        AND purpose = \(purpose.rawValue) AND network = \(Network.digest(of: peer))
        AND expires_at > \(now) LIMIT 1
      """,
    ])
    let letter = try await newLetter(
      purpose, to: try rows[0].first?["id", String.self] ?? Accounts.nobody(email), at: now,
      from: peer)
    let bounds = CodeThrottles(
      purpose, email: email, site: Network.site(of: peer), isKnown: !rows[1].isEmpty,
      hasLetters: !rows[2].isEmpty)
    var batch = Batch()
    for throttle in bounds.all { batch.add(throttle.take(at: now)) }
    for statement in letter.statements { batch.add(statement) }
    do {
      try await context.store.commit(batch)
    } catch StoreError.conflict {
      return .empty(202)
    }
    handOverLetters()
    return .empty(202)
  }

  private struct Addressee: Decodable {
    var email: String
  }

  /// `POST /v1/accounts/verify/resend`
  func resendVerification(_ request: Request) async throws -> Response {
    try await requestCode(.verification, request)
  }

  /// `POST /v1/passwords/forgot`
  func forgetPassword(_ request: Request) async throws -> Response {
    try await requestCode(.reset, request)
  }

  private struct Verification: Decodable {
    var email: String
    var code: String
    var password: String?
  }

  private static let unproven = Problem.unauthenticated(
    "Show who has signed up: with the account's password beside the code, or with its access token."
  )

  /// `POST /v1/accounts/verify`: the code shows that mail to the address arrives, the password or a token of the account that it arrives at
  /// whoever has signed up. By the code alone a stranger's account under somebody else's address would be confirmed by its owner, who types a code
  /// that he has not asked for.
  func verifyEmail(_ request: Request) async throws -> Response {
    let form = try request.decode(Verification.self)
    let principal = request.principal
    guard form.password != nil || principal.kind == .account else { throw Accounts.unproven }
    let code = try await find(
      code: form.code, for: .verification, email: form.email, from: request.peer)
    let account = code.account
    var kept: String?
    if principal.kind != .account || principal.id != account.id {
      guard let password = form.password else { throw Accounts.unproven }
      kept = try await confirm(password, of: account.id, from: request.peer).hash
    }
    var batch = Batch()
    for statement in spend(code, for: .verification) { batch.add(statement) }
    batch.add(
      SQL(
        """
        UPDATE auth_accounts SET email_verified_at = COALESCE(email_verified_at, \(try now())),
          proven_network = \(Network.key(of: request.peer))
        WHERE id = \(account.id) AND password = COALESCE(\(kept), password)
        """
      ).expect(exactly: 1))
    do {
      try await context.store.commit(batch)
    } catch StoreError.conflict {
      throw Accounts.badCode
    }
    return .empty(204)
  }
}
