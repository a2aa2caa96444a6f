internal import CArgon2
internal import PluginKit

/// A password as it is kept: argon2id (RFC 9106) in the PHC string format, which carries its own salt and cost; or bcrypt, where an account
/// came from elsewhere and its owner has not signed in yet.
///
/// Making and checking one takes tens of milliseconds and the memory that its cost says: worker threads only.
struct PasswordHash: Sendable, Equatable {
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
  init(of password: String, salt: [UInt8], _ cost: HashCost) throws {
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

  /// A hash that no password has, as costly to check as any of its kind.
  init(ofNobody kind: String) {
    func base64(_ count: Int) -> String { String(repeating: "A", count: (count * 8 + 5) / 6) }
    text =
      BcryptHash.isKind(kind)
      ? kind + String(repeating: ".", count: 53)
      : kind + "\(base64(PasswordHash.saltLength))$\(base64(PasswordHash.hashLength))"
  }

  /// What says how costly it is to check: all but its salt and its digest. bcrypt is of one kind in all its dialects.
  var kind: String {
    if let bcrypt = BcryptHash(text) { return bcrypt.kind }
    let fields = text.split(separator: "$", omittingEmptySubsequences: false)
    return fields.dropLast(2).map { $0 + "$" }.joined()
  }

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
