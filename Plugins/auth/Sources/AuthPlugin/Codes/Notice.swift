internal import PluginKit

/// What an account's owner is told of by a letter, whoever has done it: so nobody takes an account over unnoticed.
enum Notice: String {
  case passwordChanged = "password_changed"
  case emailChanged = "email_changed"
  case accountDeleted = "account_deleted"
  case secondFactorOn = "totp_enabled"
  case secondFactorOff = "totp_disabled"
  case recoveryCodeUsed = "recovery_code_used"

  /// How long the mailer is offered the letter, in milliseconds.
  private static let lifetime: Int64 = 86_400_000

  /// - Parameters:
  ///   - address: the one that was the account's.
  ///   - key: by which the mailer knows it when it comes again.
  func letter(to address: String, key: String) -> Letter {
    let (subject, what, advice) =
      switch self {
      case .passwordChanged:
        (
          "{product}: your password was changed",
          "The password of your account was changed, and its other sessions have ended.",
          "choose another password at once: have a code sent to this address."
        )
      case .emailChanged:
        (
          "{product}: your account has another e-mail address",
          "Your account has another e-mail address from now on, and this one no more.",
          "tell whoever runs this service at once."
        )
      case .accountDeleted:
        (
          "{product}: your account was deleted",
          "Your account was deleted, by somebody who knew its password.",
          "tell whoever runs this service at once."
        )
      case .secondFactorOn:
        (
          "{product}: your account has a second factor",
          "Signing in to your account takes a second factor from now on, beside the password.",
          "tell whoever runs this service at once."
        )
      case .secondFactorOff:
        (
          "{product}: the second factor was switched off",
          "Signing in to your account takes the password alone from now on.",
          "choose another password at once: have a code sent to this address."
        )
      case .recoveryCodeUsed:
        (
          "{product}: a recovery code was used",
          "A recovery code was used in place of your account's second factor. It is good no more.",
          "choose another password at once: have a code sent to this address."
        )
      }
    return Letter(
      to: address, subject: subject,
      text: """
        Hello,

        \(what)

        If it was you, you need not do anything. If not, \(advice)

        {product}
        """, category: "notice", key: key)
  }

  /// The letter's row, to be committed with what it tells of.
  func statement(id: String, account: String, address: String, at now: Timestamp) -> SQL {
    SQL(
      """
      INSERT INTO auth_letters (id, account_id, purpose, digest, tries, expires_at, address, due_at)
      VALUES (\(id), \(account), \(rawValue), '', 0,
        \(now.adding(milliseconds: Notice.lifetime)), \(address), \(now))
      """)
  }
}

extension Accounts {
  /// What tells an account's owner of something: nothing where the tenant sends no mail, or nobody has shown that mail to the address
  /// reaches the owner, since a stranger is not written to.
  func notice(_ notice: Notice, to account: Account, at now: Timestamp) async throws -> [SQL] {
    guard account.emailVerified, try await sendsMail() else { return [] }
    return [
      notice.statement(
        id: try context.id.make("let"), account: account.id, address: account.email, at: now)
    ]
  }
}
