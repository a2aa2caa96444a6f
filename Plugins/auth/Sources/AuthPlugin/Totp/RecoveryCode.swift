internal import PluginKit

/// What lets an account's owner in once when the device with the second factor is lost: 50 random bits, kept as SHA-256.
struct RecoveryCode {
  static let count = 10
  static let randomLength = 7
  private static let alphabet = Array("0123456789abcdefghjkmnpqrstvwxyz".utf8)

  private let characters: [UInt8]

  /// - Parameter random: `randomLength` random bytes.
  init(random: [UInt8]) {
    let bits = random.prefix(RecoveryCode.randomLength).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    characters = (0..<10).map { RecoveryCode.alphabet[Int(bits >> (51 - 5 * UInt64($0)) & 31)] }
  }

  /// What somebody typed, in any case, with blanks and dashes where he likes.
  init(typed text: String) {
    characters = text.lowercased().utf8.filter {
      $0 != UInt8(ascii: "-") && $0 != UInt8(ascii: " ")
    }
  }

  /// "k3d9p-0xqab"
  var text: String {
    let half = characters.count / 2
    return String(decoding: characters[..<half], as: UTF8.self) + "-"
      + String(decoding: characters[half...], as: UTF8.self)
  }

  func digest(of account: String) -> String {
    let text = "\(account)\u{0}recovery\u{0}" + String(decoding: characters, as: UTF8.self)
    return Digest.hexadecimal(Digest.sha256(Array(text.utf8)))
  }
}
