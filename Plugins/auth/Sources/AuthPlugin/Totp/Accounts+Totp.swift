internal import PluginKit

extension Accounts {
  /// Under which the factor's secret is sealed.
  private static func secretName(of account: String) -> String { "auth.totp.\(account)" }

  static let badTotp = Problem(
    status: 401, code: "totp_invalid",
    detail: "The code of the second factor is wrong, or was used already.")
  static let totpRequired = Problem(
    status: 401, code: "totp_required",
    detail: "The account has a second factor: sign in again with \"totp\" or \"recovery_code\".")
  private static let isOn = Problem.conflict(
    "The second factor is on already. Switch it off first.")

  private struct Confirmation: Decodable {
    var password: String
  }

  private struct Enrolment: Encodable {
    var secret: String
    var url: String

    enum CodingKeys: String, CodingKey {
      case secret
      case url = "otpauth_url"
    }
  }

  /// `POST /v1/me/totp`: a new secret, shown once; nothing changes for the account before a code of it is confirmed.
  func enrolTotp(_ request: Request) async throws -> Response {
    let id = request.principal.id
    let account = try await confirm(try request.decode(Confirmation.self).password, of: id)
    guard !account.totpEnabled else { throw Accounts.isOn }
    let code = TimeCode(secret: try context.random.bytes(TimeCode.secretLength))
    try await context.secrets.put(Accounts.secretName(of: id), code.secret)
    return try .tokens(
      Enrolment(
        secret: code.base32,
        url: code.url(issuer: accountSettings.productName, account: account.email)),
      status: 201)
  }

  private struct Code: Decodable {
    var code: String
  }

  private struct RecoveryCodes: Encodable {
    var codes: [String]

    enum CodingKeys: String, CodingKey {
      case codes = "recovery_codes"
    }
  }

  /// `POST /v1/me/totp/confirm`: switches the second factor on.
  func confirmTotp(_ request: Request) async throws -> Response {
    let id = request.principal.id
    let typed = try request.decode(Code.self).code
    let throttle = totpThrottle(id)
    try await take([throttle])
    guard let secret = try context.secrets.get(Accounts.secretName(of: id)) else {
      throw Problem.conflict("There is no secret to confirm: POST /v1/me/totp makes one.")
    }
    let now = try now()
    guard let step = TimeCode(secret: secret).step(of: typed, at: now.unixMilliseconds / 1_000)
    else {
      throw Problem(
        status: 400, code: "invalid_code", detail: "The code is wrong. Is the clock right?")
    }
    let codes = try (0..<RecoveryCode.count).map { _ in
      RecoveryCode(random: try context.random.bytes(RecoveryCode.randomLength))
    }
    do {
      try await context.store.commit {
        SQL(
          """
          UPDATE auth_accounts SET totp_enabled_at = \(now), totp_step = \(step)
          WHERE id = \(id) AND totp_enabled_at IS NULL
          """
        ).expect(exactly: 1)
        SQL("DELETE FROM auth_recovery_codes WHERE account_id = \(id)")
        for code in codes {
          SQL(
            """
            INSERT INTO auth_recovery_codes (digest, account_id) VALUES (\(code.digest(of: id)), \(id))
            """)
        }
        throttle.giveBack
      }
    } catch StoreError.conflict {
      throw Accounts.isOn
    }
    return try .tokens(RecoveryCodes(codes: codes.map(\.text)), status: 200)
  }

  /// `POST /v1/me/totp/disable`
  func disableTotp(_ request: Request) async throws -> Response {
    let id = request.principal.id
    _ = try await confirm(try request.decode(Confirmation.self).password, of: id)
    try await context.store.commit {
      SQL("UPDATE auth_accounts SET totp_enabled_at = NULL, totp_step = NULL WHERE id = \(id)")
      SQL("DELETE FROM auth_recovery_codes WHERE account_id = \(id)")
    }
    try await context.secrets.remove(Accounts.secretName(of: id))
    return .empty(204)
  }

  private func totpThrottle(_ account: String) -> Throttle {
    Throttle(Throttle.subject("totp.account", account), burst: 5, every: 30_000)
  }

  /// What a sign-in has to do for the second factor besides: nothing where there is none.
  ///
  /// - Returns: statements that are a conflict when the code was used meanwhile.
  /// - Throws: `Problem` 401 `totp_required` or `totp_invalid`; `Throttled`.
  func secondFactor(_ account: Account, code: String?, recovery: String?) async throws -> [SQL] {
    guard account.totpEnabled else { return [] }
    guard code != nil || recovery != nil else { throw Accounts.totpRequired }
    let throttle = totpThrottle(account.id)
    try await take([throttle])
    if let recovery {
      let digest = RecoveryCode(typed: recovery).digest(of: account.id)
      let rows = try await context.store.read(
        """
        SELECT digest FROM auth_recovery_codes WHERE digest = \(digest) AND account_id = \(account.id)
        """)
      guard !rows.isEmpty else { throw Accounts.badTotp }
      return [
        SQL("DELETE FROM auth_recovery_codes WHERE digest = \(digest)").expect(exactly: 1),
        throttle.giveBack,
      ]
    }
    guard let code, let secret = try context.secrets.get(Accounts.secretName(of: account.id)),
      let step = TimeCode(secret: secret).step(of: code, at: try now().unixMilliseconds / 1_000)
    else { throw Accounts.badTotp }
    return [
      SQL(
        """
        UPDATE auth_accounts SET totp_step = \(step)
        WHERE id = \(account.id) AND totp_enabled_at IS NOT NULL
          AND (totp_step IS NULL OR totp_step < \(step))
        """
      ).expect(exactly: 1),
      throttle.giveBack,
    ]
  }
}
