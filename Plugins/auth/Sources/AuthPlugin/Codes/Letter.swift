internal import PluginKit

/// A message to an account's owner, as `sluice.mailer/1` takes it. The mailer writes the product's name.
struct Letter: Encodable {
  var to: String
  var subject: String
  var text: String
  var category: String
  /// By which the mailer knows it when it comes again.
  var key: String

  static func code(
    _ code: OneTimeCode, for purpose: OneTimeCode.Purpose, to address: String, key: String
  ) -> Letter {
    let (subject, use, caution) =
      switch purpose {
      case .verification:
        (
          "{product}: confirm your e-mail address",
          "To confirm this address, enter this code where you have signed up:",
          """
          If you have not signed up, somebody else has with your address: do not enter
          it anywhere, and nothing comes of it.
          """
        )
      case .reset:
        (
          "{product}: choose a new password", "To choose a new password, enter this code:",
          """
          If you have not asked for it, somebody may have mistyped an address; you need
          not do anything.
          """
        )
      case .emailChange:
        (
          "{product}: confirm your new e-mail address",
          "To make this the address of your account, enter this code where you have asked for it:",
          """
          If you have not asked for it, somebody may have mistyped an address; you need
          not do anything.
          """
        )
      }
    let category =
      switch purpose {
      case .verification: "verification"
      case .reset: "password_reset"
      case .emailChange: "email_change"
      }
    return Letter(
      to: address, subject: subject,
      text: """
        Hello,

        \(use)

            \(code.text)

        It is good for one hour. \(caution)

        {product}
        """, category: category, key: key)
  }
}

extension Accounts {
  private static let mailer = "sluice.mailer/1"

  private struct Nothing: Codable {}

  private struct Answer: Decodable {
    var id: String
  }

  static let noMail = Problem(
    status: 503, code: "mail_unavailable",
    detail: "This gateway sends no e-mail: the operator has no mailer switched on for the platform."
  )

  /// Refuses what cannot be done without mail, before anything is done.
  func requireMail() async throws {
    guard try await sendsMail() else { throw Accounts.noMail }
  }

  /// Whether the tenant has a mailer. Who provides a service does not change while a shard lives, so it is asked once.
  func sendsMail() async throws -> Bool {
    if let hasMailer { return hasMailer }
    var isThere = true
    do {
      // A method that nobody has: whoever is there says so.
      _ = try await context.services.call(Accounts.mailer, method: 0, bytes: [])
    } catch let error as HostError {
      isThere = error.status != .notFound
    }
    hasMailer = isThere
    return isThere
  }

  func send(_ letter: Letter) async throws {
    _ = try await context.services.call(Accounts.mailer, method: 1, letter, as: Answer.self)
  }
}
