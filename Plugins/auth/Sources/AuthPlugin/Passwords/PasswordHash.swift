internal import CArgon2
internal import PluginKit

/// A password as it is kept: argon2id (RFC 9106) in the PHC string format, which carries its own salt and cost; or bcrypt, where an account
/// came from elsewhere and its owner has not signed in yet.
///
/// Making and checking one takes tens of milliseconds and 19 MiB: worker threads only.
struct PasswordHash: Sendable {
  /// Memory in KiB, passes over it, lanes. OWASP's floor.
  private static let cost: (memory: UInt32, passes: UInt32, lanes: UInt32) = (19_456, 2, 1)
  static let saltLength = 16
  private static let hashLength = 32

  let text: String

  /// A hash that was kept.
  init(kept text: String) {
    self.text = text
  }

  /// The hash of a password.
  ///
  /// - Parameter salt: `saltLength` random bytes.
  /// - Throws: `HostError` `.unavailable` when there is no memory for it.
  init(of password: String, salt: [UInt8]) throws {
    let cost = PasswordHash.cost
    let length = argon2_encodedlen(
      cost.passes, cost.memory, cost.lanes, UInt32(salt.count), UInt32(PasswordHash.hashLength),
      Argon2_id)
    var encoded = [CChar](repeating: 0, count: length)
    let password = Array(password.utf8)
    let result = argon2id_hash_encoded(
      cost.passes, cost.memory, cost.lanes, password, password.count, salt, salt.count,
      PasswordHash.hashLength, &encoded, encoded.count)
    try PasswordHash.check(result)
    text = String(decoding: encoded.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
  }

  /// What hashes of the present cost begin with.
  private static let prefix =
    "$argon2id$v=19$m=\(cost.memory),t=\(cost.passes),p=\(cost.lanes)$"

  /// A hash that no password has, as costly to check as any: it is checked where there is no account,
  /// so that the time taken does not tell whether there is one.
  static let ofNobody: PasswordHash = {
    func base64(_ count: Int) -> String { String(repeating: "A", count: (count * 8 + 5) / 6) }
    return PasswordHash(kept: prefix + "\(base64(saltLength))$\(base64(hashLength))")
  }()

  /// Whether it is of another kind or cost than those that are made now: then it is made anew when its password is at hand.
  var isOutdated: Bool { !text.hasPrefix(PasswordHash.prefix) }

  /// Whether the password is the one. The comparison takes the same time wherever they differ.
  ///
  /// - Throws: `HostError` `.unavailable` when there is no memory for it, `.internal` when the text is
  ///   no hash.
  func matches(_ password: String) throws -> Bool {
    if let bcrypt = BcryptHash(text) { return try bcrypt.matches(password) }
    let password = Array(password.utf8)
    let result = argon2id_verify(text, password, password.count)
    if result == ARGON2_VERIFY_MISMATCH.rawValue { return false }
    try PasswordHash.check(result)
    return true
  }

  private static func check(_ result: Int32) throws {
    guard result != ARGON2_OK.rawValue else { return }
    let words = "argon2: \(String(cString: argon2_error_message(result)))"
    throw HostError(
      result == ARGON2_MEMORY_ALLOCATION_ERROR.rawValue ? .unavailable : .internal, words)
  }
}
