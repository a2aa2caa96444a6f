internal import PluginKit

/// Eight characters that somebody reads in a message and types in: 40 random bits, which is plenty for five tries in an hour.
struct OneTimeCode {
  /// What a code is for.
  enum Purpose: String {
    case verification, reset
  }

  /// How long a code is good, in milliseconds.
  static let lifetime: Int64 = 3_600_000
  /// How many codes may be tried before a new one is needed.
  static let tries: Int64 = 5
  static let randomLength = 5
  /// Crockford's base32: no letter looks like a digit.
  private static let alphabet = Array("0123456789abcdefghjkmnpqrstvwxyz".utf8)

  /// Eight characters of the alphabet.
  private let characters: [UInt8]

  /// - Parameter random: `randomLength` random bytes.
  init(random: [UInt8]) {
    let bits = random.prefix(OneTimeCode.randomLength).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    characters = (0..<8).map { OneTimeCode.alphabet[Int(bits >> (35 - 5 * UInt64($0)) & 31)] }
  }

  /// What somebody typed: in any case, with blanks and dashes where he likes, and O, I and L for the digits that they look like.
  init(typed text: String) {
    characters = text.lowercased().utf8.compactMap { byte in
      switch byte {
      case UInt8(ascii: " "), UInt8(ascii: "-"): nil
      case UInt8(ascii: "o"): UInt8(ascii: "0")
      case UInt8(ascii: "i"), UInt8(ascii: "l"): UInt8(ascii: "1")
      default: byte
      }
    }
  }

  /// "k3d9-p0xq", as it stands in a message.
  var text: String {
    let half = characters.count / 2
    return String(decoding: characters[..<half], as: UTF8.self) + "-"
      + String(decoding: characters[half...], as: UTF8.self)
  }

  /// What is stored: SHA-256 over account, purpose and code.
  func digest(of account: String, for purpose: Purpose) -> String {
    let text =
      "\(account)\u{0}\(purpose.rawValue)\u{0}" + String(decoding: characters, as: UTF8.self)
    return Digest.hexadecimal(Digest.sha256(Array(text.utf8)))
  }
}
