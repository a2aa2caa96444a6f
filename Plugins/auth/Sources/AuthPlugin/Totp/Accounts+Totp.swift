internal import PluginKit

extension Accounts {
  /// How long a secret that was shown may be confirmed, in milliseconds.
  static let offerLifetime: Int64 = 3_600_000

  private static let isOn = Problem.conflict(
    "The second factor is on already. Switch it off first.")
  private static let nothingOffered = Problem.conflict(
    "There is no secret to confirm: POST /v1/me/totp makes one, which is good for an hour.")

  private struct Enrolment: Encodable {
    var secret: String
    var url: String

    enum CodingKeys: String, CodingKey {
      case secret
      case url = "otpauth_url"
    }
  }

  /// `POST /v1/me/totp`: a new secret, shown once, in place of one that was not confirmed; nothing changes for the account before a code of it is.
  func enrolTotp(_ request: Request) async throws -> Response {
    let id = request.principal.id
    let (account, kept) = try await confirm(
      try request.decode(OwnerProof.self).password, of: id, from: request.peer)
    guard !account.totpEnabled else { throw Accounts.isOn }
    let nonce = try context.random.bytes(SecondFactor.nonceLength).hexadecimal
    let code = try await timeCode(of: id, nonce: nonce)
    do {
      try await context.store.commit {
        SQL(
          """
          UPDATE auth_accounts SET totp_nonce = \(nonce), totp_offered_at = \(try now())
          WHERE id = \(id) AND password = \(kept) AND totp_enabled_at IS NULL
          """
        ).expect(exactly: 1)
      }
    } catch StoreError.conflict {
      throw Accounts.changed
    }
    try await forgetSealedSecret(of: id)
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
    let throttle = SecondFactor.throttle(of: id)
    let now = try now()
    let rows = try await context.store.read(
      """
      SELECT \(raw: Accounts.columns), totp_nonce FROM auth_accounts
      WHERE id = \(id) AND totp_enabled_at IS NULL AND totp_nonce IS NOT NULL
        AND totp_offered_at > \(now.adding(milliseconds: -Accounts.offerLifetime))
      """)
    guard let row = rows.first else {
      // No code could be right, so nothing was tried.
      throw Accounts.nothingOffered
    }
    let nonce = try row["totp_nonce", String.self]
    try await take([throttle])
    let code = try await timeCode(of: id, nonce: nonce)
    guard let step = code.step(of: typed, at: now.unixMilliseconds / 1_000) else {
      throw Problem(
        status: 400, code: "invalid_code", detail: "The code is wrong. Is the clock right?")
    }
    let codes = try (0..<RecoveryCode.count).map { _ in
      RecoveryCode(random: try context.random.bytes(RecoveryCode.randomLength))
    }
    let notice = try await notice(.secondFactorOn, to: try row.decode(), at: now)
    do {
      try await context.store.commit {
        SQL(
          """
          UPDATE auth_accounts SET totp_enabled_at = \(now), totp_step = \(step)
          WHERE id = \(id) AND totp_enabled_at IS NULL AND totp_nonce = \(nonce)
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
        for statement in notice { statement }
      }
    } catch StoreError.conflict {
      throw Accounts.changed
    }
    handOverLetters()
    return try .tokens(RecoveryCodes(codes: codes.map(\.text)), status: 200)
  }

  /// `POST /v1/me/totp/disable`: with the password and the factor itself, so that neither alone takes the other's protection away.
  func disableTotp(_ request: Request) async throws -> Response {
    let id = request.principal.id
    let proof = try request.decode(OwnerProof.self)
    try proof.requireOneFactor()
    let (account, kept) = try await confirm(proof.password, of: id, from: request.peer)
    let factor = try await secondFactor(account, proof)
    var batch = Batch()
    for statement in factor { batch.add(statement) }
    batch.add(
      SQL(
        """
        UPDATE auth_accounts SET \(raw: SecondFactor.removal)
        WHERE id = \(id) AND password = \(kept)
          AND totp_enabled_at IS \(raw: account.totpEnabled ? "NOT NULL" : "NULL")
        """
      ).expect(exactly: 1))
    batch.add("DELETE FROM auth_recovery_codes WHERE account_id = \(id)")
    if account.totpEnabled {
      for statement in try await notice(.secondFactorOff, to: account, at: try now()) {
        batch.add(statement)
      }
    }
    try await commit(batch, behind: factor, else: Accounts.changed)
    try await forgetSealedSecret(of: id)
    return .empty(204)
  }
}
