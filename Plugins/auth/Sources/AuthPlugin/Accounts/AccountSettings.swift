internal import PluginKit

/// Settings of accounts, on the platform.
struct AccountSettings: Decodable, Sendable {
  /// Whether nobody signs in before the e-mail is verified.
  var requiresVerifiedEmail: Bool
  /// A list of breached passwords in the form of Have I Been Pwned; "" for none.
  var breachedPasswordsFile: String
  /// How long one key signs, in days.
  var signingKeyDays: Int64
  /// What an authenticator app shows beside the account.
  var productName: String
  /// E-mails of accounts that may do what is the operator's.
  var operators: [String]

  enum CodingKeys: String, CodingKey {
    case requiresVerifiedEmail = "require_verified_email"
    case breachedPasswordsFile = "breached_passwords_file"
    case signingKeyDays = "signing_key_days"
    case productName = "product_name"
    case operators
  }

  /// Of a tenant without accounts.
  static let none = AccountSettings(
    requiresVerifiedEmail: false, breachedPasswordsFile: "", signingKeyDays: 90,
    productName: "", operators: [])

  /// Checks what a schema cannot say. Control thread: it looks at a file.
  func check() throws {
    guard !breachedPasswordsFile.isEmpty,
      let refusal = BreachedPasswords(path: breachedPasswordsFile).refusal
    else { return }
    throw ConfigurationError(pointer: "/breached_passwords_file", message: refusal)
  }
}
