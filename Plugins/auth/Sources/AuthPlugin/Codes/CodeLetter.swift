internal import PluginCrypto
internal import PluginKit

/// A letter with a code, as it is committed beside what the code is for. Its text is made anew each time that the mailer is given it: nothing
/// that lets somebody in is stored.
struct CodeLetter {
  /// The sealed secret under which codes are computed.
  static let key = "auth.codes"

  let id: String
  let account: String
  /// Where it goes; nil is the account's address.
  let address: String?
  /// From which network it was asked for, as a digest; nil where that is not told.
  let network: String?
  let purpose: OneTimeCode.Purpose
  let code: OneTimeCode
  let now: Timestamp

  /// - Parameter key: the secret called `CodeLetter.key`.
  init(
    id: String, account: String, address: String? = nil, network: String? = nil,
    purpose: OneTimeCode.Purpose, key: [UInt8], now: Timestamp
  ) {
    self.id = id
    self.account = account
    self.address = address
    self.network = network
    self.purpose = purpose
    self.now = now
    code = OneTimeCode(random: Digest.hmacSHA256(Array(id.utf8), key: key))
  }

  /// Stores it, to be handed over at once where there is such an account and it has use for it, and to nobody otherwise: a code that is
  /// tried finds as much to count and to compare with whether there is an account or not. Removes letters whose codes have expired.
  var statements: [SQL] {
    let expiresAt = now.adding(milliseconds: OneTimeCode.lifetime)
    let mayBeVerified = purpose == .verification ? "email_verified_at IS NULL" : "1 = 1"
    return [
      """
      INSERT INTO auth_letters
        (id, account_id, purpose, digest, tries, expires_at, address, network, due_at)
      VALUES (\(id), \(account), \(purpose.rawValue), \(code.digest(of: account, for: purpose)), 0,
        \(expiresAt), \(address), \(network),
        CASE WHEN EXISTS (SELECT 1 FROM auth_accounts WHERE id = \(account) AND \(raw: mayBeVerified))
          THEN \(now) END)
      """,
      "DELETE FROM auth_letters WHERE expires_at <= \(now)",
      "DELETE FROM auth_letter_tries WHERE expires_at <= \(now)",
    ]
  }
}

extension Accounts {
  /// What letters and their tries are counted under for an address without an account.
  static func nobody(_ email: String) -> String {
    "nobody:" + Digest.sha256(Array(email.utf8)).hexadecimal
  }

  /// A letter that is not stored yet.
  ///
  /// - Parameters:
  ///   - account: an id, or what stands in place of one (`nobody`).
  ///   - peer: where it was asked for.
  ///   - address: where it goes; nil is the account's address.
  func newLetter(
    _ purpose: OneTimeCode.Purpose, to account: String, at now: Timestamp, from peer: String,
    address: String? = nil
  ) async throws -> CodeLetter {
    CodeLetter(
      id: try context.id.make("let"), account: account, address: address,
      network: Network.digest(of: peer), purpose: purpose, key: try await codeKey(), now: now)
  }

  /// Takes codes out of use that were sent to change an account's address, by whoever knew its password then.
  func forgetEmailChanges(of account: String) -> SQL {
    SQL(
      """
      DELETE FROM auth_letters
      WHERE account_id = \(account) AND purpose = \(OneTimeCode.Purpose.emailChange.rawValue)
      """)
  }

  private func codeKey() async throws -> [UInt8] {
    try await context.ownSecret(CodeLetter.key) { try context.random.bytes(32) }
  }

  /// The message of a letter that is stored; nil when its account is gone.
  ///
  /// - Parameter address: where it goes; nil is the account's address.
  func message(
    of id: String, to account: String, _ purpose: OneTimeCode.Purpose, address: String?
  ) async throws -> Letter? {
    let rows = try await context.store.read(
      "SELECT \(raw: Accounts.columns) FROM auth_accounts WHERE id = \(account)")
    guard let account = try rows.first?.decode(Account.self) else { return nil }
    let letter = CodeLetter(
      id: id, account: account.id, purpose: purpose, key: try await codeKey(), now: try now())
    return .code(
      letter.code, for: purpose, to: address ?? account.email, key: "auth.\(id)")
  }
}
