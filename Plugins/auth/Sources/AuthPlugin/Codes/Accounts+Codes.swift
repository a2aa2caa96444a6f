internal import PluginKit

extension Accounts {
  static let badCode = Problem(
    status: 400, code: "invalid_code",
    detail: "The code is wrong, has expired, was used, or was tried too often. Ask for a new one.")

  /// Sends a new code to an account, in place of the one before.
  func sendCode(_ purpose: OneTimeCode.Purpose, to account: Account) async throws {
    let code = OneTimeCode(random: try context.random.bytes(OneTimeCode.randomLength))
    let now = try now()
    try await context.store.commit(isApartFromRequest: true) {
      SQL("DELETE FROM auth_codes WHERE expires_at <= \(now)")
      SQL(
        """
        INSERT INTO auth_codes (account_id, purpose, digest, tries, expires_at)
        VALUES (\(account.id), \(purpose.rawValue),
          \(code.digest(of: account.id, for: purpose)), 0,
          \(now.adding(milliseconds: OneTimeCode.lifetime)))
        ON CONFLICT (account_id, purpose) DO UPDATE SET digest = excluded.digest, tries = 0,
          expires_at = excluded.expires_at
        """)
    }
    try await send(.code(code, for: purpose, to: account))
  }

  /// The account whose code it is. The try is counted before anything is compared, so that tries side by side count too.
  ///
  /// - Throws: `Problem` 400 `invalid_code`, in the same words for an address without an account.
  func account(ofCode text: String, for purpose: OneTimeCode.Purpose, email: String) async throws
    -> (account: Account, digest: String)
  {
    let now = try now()
    let email = EmailAddress.normalized(email)
    let commit = try await context.store.commit(isApartFromRequest: true) {
      SQL(
        """
        UPDATE auth_codes SET tries = tries + 1
        WHERE account_id = (SELECT id FROM auth_accounts WHERE email = \(email))
          AND purpose = \(purpose.rawValue) AND expires_at > \(now) AND tries < \(OneTimeCode.tries)
        RETURNING account_id, digest
        """)
    }
    let rows = try await context.store.read(
      "SELECT \(raw: Accounts.columns) FROM auth_accounts WHERE email = \(email)")
    guard let known = commit.statements[0].first, let account = try rows.first?.decode(Account.self)
    else { throw Accounts.badCode }
    let digest = OneTimeCode(typed: text).digest(of: account.id, for: purpose)
    let kept = try known["digest", String.self]
    guard Digest.areEqual(Array(kept.utf8), Array(digest.utf8)) else { throw Accounts.badCode }
    return (account, digest)
  }

  /// Takes a code out of use; the batch is a conflict when another request has.
  func spend(_ digest: String, of account: String, for purpose: OneTimeCode.Purpose) -> SQL {
    SQL(
      """
      DELETE FROM auth_codes
      WHERE account_id = \(account) AND purpose = \(purpose.rawValue) AND digest = \(digest)
      """
    ).expect(exactly: 1)
  }

  /// Bounds tries of codes from one address.
  func takeCodeTry(from peer: String) async throws {
    try await take(Throttle.ofNetworks("code.address", peer, burst: 30, every: 10_000))
  }

  /// Sends a code to whoever has the address, and tells nobody whether anybody does: the answer is given after the same work for all,
  /// and what is more work for some comes behind it.
  private func requestCode(
    _ purpose: OneTimeCode.Purpose, _ request: Request,
    if isWanted: @escaping (Account) -> Bool
  ) async throws -> Response {
    let email = EmailAddress.normalized(try request.decode(Addressee.self).email)
    try await requireMail()
    let account = Throttle(
      Throttle.subject("mail.\(purpose.rawValue)", email), burst: 3, every: 60_000)
    try await take([account] + accountSettings.codeRequests(from: request.peer))
    context.spawn { [self] in
      let rows = try await context.store.read(
        "SELECT \(raw: Accounts.columns) FROM auth_accounts WHERE email = \(email)")
      guard let account = try rows.first?.decode(Account.self), isWanted(account) else { return }
      try await sendCode(purpose, to: account)
    }
    return .empty(202)
  }

  private struct Addressee: Decodable {
    var email: String
  }

  /// `POST /v1/accounts/verify/resend`
  func resendVerification(_ request: Request) async throws -> Response {
    try await requestCode(.verification, request) { !$0.emailVerified }
  }

  /// `POST /v1/passwords/forgot`
  func forgetPassword(_ request: Request) async throws -> Response {
    try await requestCode(.reset, request) { _ in true }
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
    try await takeCodeTry(from: request.peer)
    let (account, digest) = try await account(
      ofCode: form.code, for: .verification, email: form.email)
    var kept: String?
    if principal.kind != .account || principal.id != account.id {
      guard let password = form.password else { throw Accounts.unproven }
      kept = try await confirm(password, of: account.id).hash
    }
    do {
      try await context.store.commit {
        spend(digest, of: account.id, for: .verification)
        SQL(
          """
          UPDATE auth_accounts SET email_verified_at = COALESCE(email_verified_at, \(try now()))
          WHERE id = \(account.id) AND password = COALESCE(\(kept), password)
          """
        ).expect(exactly: 1)
      }
    } catch StoreError.conflict {
      throw Accounts.badCode
    }
    return .empty(204)
  }
}
