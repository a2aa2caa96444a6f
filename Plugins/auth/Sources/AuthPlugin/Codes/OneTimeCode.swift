/// Eight characters that somebody reads in a message and types in: 40 random bits, which is plenty for a hundred tries in an hour.
struct OneTimeCode {
  /// What a code is for.
  enum Purpose: String {
    case verification, reset
    /// To show that mail to an address arrives which is to become the account's.
    case emailChange = "email_change"
  }

  /// How long a code is good, in milliseconds.
  static let lifetime: Int64 = 3_600_000
  /// How often a code may be tried from one network, so that a stranger's tries are not its reader's.
  static let tries: Int64 = 5
  /// How often it may be tried from all networks together.
  static let triesInAll: Int64 = 100
  static let randomLength = 5

  private let code: TypedCode

  /// - Parameter random: `randomLength` random bytes.
  init(random: [UInt8]) { code = TypedCode(8, random: random.prefix(OneTimeCode.randomLength)) }

  init(typed text: String) { code = TypedCode(typed: text) }

  /// As it stands in a message.
  var text: String { code.text }

  /// What is stored.
  func digest(of account: String, for purpose: Purpose) -> String {
    code.digest(of: account, for: purpose.rawValue)
  }
}
