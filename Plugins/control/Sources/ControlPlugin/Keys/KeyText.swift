internal import PluginCrypto
internal import PluginKit

/// The text of a key or a secret: what it is, 32 random bytes, and a checksum.
///
/// `sk_` or another prefix, 43 digits of base 62, then six that are the first four bytes of the SHA-256
/// of everything before them. So a scanner can tell a key from other text, and a mistyped one from an
/// unknown one, without asking anybody.
struct KeyText {
  let text: String

  init(prefix: String, random: [UInt8]) {
    let body = prefix + KeyText.base62(random, digits: 43)
    text = body + KeyText.base62(Array(Digest.sha256(body)[..<4]), digits: 6)
  }

  /// The public half of a key: it names the app.
  static func publicKey(_ context: ShardContext) throws -> KeyText {
    KeyText(prefix: "pk_", random: try context.random.bytes(32))
  }

  /// The secret half of a key.
  static func secretKey(_ context: ShardContext) throws -> KeyText {
    KeyText(prefix: "sk_", random: try context.random.bytes(32))
  }

  /// What an app's servers sign users' tokens with.
  static func signingSecret(_ context: ShardContext) throws -> KeyText {
    KeyText(prefix: "ss_", random: try context.random.bytes(32))
  }

  /// SHA-256 of the whole text: by it the host recognises the key, which is kept nowhere.
  var digest: [UInt8] { Digest.sha256(text) }

  /// A big-endian number in base 62, with as many digits as any number of that many bytes needs.
  private static func base62(_ bytes: [UInt8], digits: Int) -> String {
    let alphabet = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".utf8)
    var number = bytes
    var characters: [UInt8] = []
    for _ in 0..<digits {
      var remainder = 0
      for index in number.indices {
        let value = remainder << 8 | Int(number[index])
        number[index] = UInt8(value / 62)
        remainder = value % 62
      }
      characters.append(alphabet[remainder])
    }
    return String(decoding: characters.reversed(), as: UTF8.self)
  }
}
