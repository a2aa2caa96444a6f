internal import PluginCrypto
internal import PluginKit

/// An account's second factor, as it is kept.
enum SecondFactor {
  /// Random bytes, of which, with a sealed key, an account's secret is computed. So there is one sealed secret for all accounts, however many have
  /// a second factor or begin with one and leave it.
  static let nonceLength = 16
  static let key = "auth.second_factor"

  /// What takes the factor, or the offer of one, from an account.
  static let removal =
    "totp_enabled_at = NULL, totp_step = NULL, totp_nonce = NULL, totp_offered_at = NULL"

  /// Under which an account's own secret is sealed where it is of the time when each was.
  static func sealedName(of account: String) -> String { "auth.totp.\(account)" }

  /// Of an account, wherever its owner or a stranger tries from: six digits are soon guessed.
  static func throttle(of account: String) -> Throttle {
    Throttle(Throttle.subject("totp.account", account), burst: 5, every: 300_000)
  }
}

extension Accounts {
  static let badTotp = Problem(
    status: 401, code: "totp_invalid",
    detail: "The code of the second factor is wrong, or was used already.")
  static let totpRequired = Problem(
    status: 401, code: "totp_required",
    detail: "The account has a second factor: ask again with \"totp\" or \"recovery_code\".")

  func timeCode(of account: String, nonce: String) async throws -> TimeCode {
    let key = try await context.ownSecret(SecondFactor.key) { try context.random.bytes(32) }
    let mac = Digest.hmacSHA256(Array("\(account)\u{0}\(nonce)".utf8), key: key)
    return TimeCode(secret: Array(mac.prefix(TimeCode.secretLength)))
  }

  /// Removes a secret of the time when each was sealed by itself, of an account that has no factor any more.
  func forgetSealedSecret(of account: String) async throws {
    let name = SecondFactor.sealedName(of: account)
    if try context.secrets.get(name) != nil { try await context.secrets.remove(name) }
  }

  /// What a request has to do for the second factor besides: nothing where there is none.
  ///
  /// - Returns: statements of which the first is a conflict when the code was used meanwhile, or the factor is another.
  /// - Throws: `Problem` 401 `totp_required` or `totp_invalid`; `Throttled`.
  func secondFactor(_ account: Account, _ proof: OwnerProof) async throws -> [SQL] {
    guard account.totpEnabled else { return [] }
    let (code, recovery) = (proof.totp, proof.recoveryCode)
    guard code != nil || recovery != nil else { throw Accounts.totpRequired }
    let throttle = SecondFactor.throttle(of: account.id)
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
      ] + (try await notice(.recoveryCodeUsed, to: account, at: try now()))
    }
    let rows = try await context.store.read(
      "SELECT totp_nonce FROM auth_accounts WHERE id = \(account.id)")
    let nonce = try rows.first?["totp_nonce", String?.self] ?? nil
    let factor: TimeCode?
    if let nonce {
      factor = try await timeCode(of: account.id, nonce: nonce)
    } else {
      factor = try context.secrets.get(SecondFactor.sealedName(of: account.id))
        .map { TimeCode(secret: $0) }
    }
    guard let code, let factor,
      let step = factor.step(of: code, at: try now().unixMilliseconds / 1_000)
    else { throw Accounts.badTotp }
    return [
      SQL(
        """
        UPDATE auth_accounts SET totp_step = \(step)
        WHERE id = \(account.id) AND totp_enabled_at IS NOT NULL
          AND COALESCE(totp_nonce, '') = \(nonce ?? "") AND (totp_step IS NULL OR totp_step < \(step))
        """
      ).expect(exactly: 1),
      throttle.giveBack,
    ]
  }
}
