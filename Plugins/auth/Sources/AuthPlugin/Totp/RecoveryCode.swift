/// What lets an account's owner in once when the device with the second factor is lost: 50 random bits, kept as SHA-256.
struct RecoveryCode {
  static let count = 10
  static let randomLength = 7

  private let code: TypedCode

  /// - Parameter random: `randomLength` random bytes.
  init(random: [UInt8]) { code = TypedCode(10, random: random.prefix(RecoveryCode.randomLength)) }

  init(typed text: String) { code = TypedCode(typed: text) }

  /// As its owner writes it down.
  var text: String { code.text }

  /// What is stored.
  func digest(of account: String) -> String { code.digest(of: account, for: "recovery") }
}
