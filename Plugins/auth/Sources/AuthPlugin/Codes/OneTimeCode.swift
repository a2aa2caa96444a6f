/// Eight characters that somebody reads in a message and types in: 40 random bits, which is plenty for five tries.
struct OneTimeCode {
  /// What a code is for.
  enum Purpose: String {
    case verification, reset
    /// To show that mail to an address arrives which is to become the account's.
    case emailChange = "email_change"
  }

  /// How long a code is good, in milliseconds.
  static let lifetime: Int64 = 3_600_000
  /// How often a code may be tried, wherever from.
  static let tries: Int64 = 5
  /// How many of those tries are left to the network that has asked for the code, so that strangers elsewhere do not use up what its
  /// reader waits for.
  static let triesKept: Int64 = 2
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
