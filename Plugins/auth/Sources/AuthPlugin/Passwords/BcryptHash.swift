internal import CCrypt
internal import PluginCrypto
internal import PluginKit

/// A bcrypt hash that another program made, in the form of crypt(3): "$2b$12$…".
///
/// Checking one takes up to a second, by its cost: worker threads only.
struct BcryptHash {
  /// One of a higher cost would keep everybody else's passwords waiting.
  static let costs = 4...14

  /// How many bytes of a password it looks at.
  static let reach = 72

  let text: String

  /// nil when the text is no bcrypt hash of such a cost.
  init?(_ text: String) {
    let bytes = Array(text.utf8)
    guard bytes.count == 60, ["$2a$", "$2b$", "$2y$"].contains(where: text.hasPrefix),
      bytes[6] == UInt8(ascii: "$"), let cost = Int(String(decoding: bytes[4..<6], as: UTF8.self)),
      BcryptHash.costs.contains(cost), bytes[7...].allSatisfy(BcryptHash.isDigit)
    else { return nil }
    self.text = text
  }

  /// What says how costly it is to check: "$2b$12$". The dialects differ in what they read, not in what they cost.
  var kind: String { "$2b" + text.dropFirst(3).prefix(4) }

  static func isKind(_ kind: String) -> Bool { kind.hasPrefix("$2b$") }

  /// Whether a password that passes is the one that the hash was made of. One that reaches the end of what bcrypt looks at may go on
  /// in another way, or the hash's own may.
  static func tells(_ password: String) -> Bool { password.utf8.count < reach }

  /// bcrypt's own base64 (crypt(5)).
  private static func isDigit(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "/"):
      true
    default: false
    }
  }

  /// Whether the password is the one. As bcrypt does, it looks at the first 72 bytes.
  ///
  /// - Throws: `HostError` `.internal` when libcrypt does not know the hash.
  func matches(_ password: String) throws -> Bool {
    // bcrypt ends a password at a zero byte, so that longer ones would pass for it.
    guard !password.utf8.contains(0) else { return false }
    let data = UnsafeMutablePointer<crypt_data>.allocate(capacity: 1)
    data.initialize(to: crypt_data())
    defer {
      // It holds the password.
      explicit_bzero(data, MemoryLayout<crypt_data>.size)
      data.deallocate()
    }
    guard let result = crypt_r(password, text, data), result[0] == CChar(UInt8(ascii: "$")) else {
      throw HostError(.internal, "libcrypt does not know a hash that was imported")
    }
    return Digest.areEqual(Array(String(cString: result).utf8), Array(text.utf8))
  }
}
