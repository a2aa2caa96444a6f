internal import PluginCrypto
internal import PluginKit

/// A code that somebody reads and types in, in Crockford's base32: no letter looks like a digit.
struct TypedCode {
  private static let alphabet = Array("0123456789abcdefghjkmnpqrstvwxyz".utf8)

  private let characters: [UInt8]

  /// - Parameters:
  ///   - count: how many characters, of five bits each.
  ///   - random: at least as many bits as the characters take, in 8 bytes at most; those of the front are taken.
  init(_ count: Int, random: ArraySlice<UInt8>) {
    let bits = random.reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    let top = random.count * 8 - 5
    characters = (0..<count).map { Self.alphabet[Int(bits >> UInt64(top - 5 * $0) & 31)] }
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

  /// In two halves, as "k3d9-p0xq".
  var text: String {
    let half = characters.count / 2
    return String(decoding: characters[..<half], as: UTF8.self) + "-"
      + String(decoding: characters[half...], as: UTF8.self)
  }

  /// What is stored: SHA-256 over account, purpose and code.
  func digest(of account: String, for purpose: String) -> String {
    let text = "\(account)\u{0}\(purpose)\u{0}" + String(decoding: characters, as: UTF8.self)
    return Digest.sha256(Array(text.utf8)).hexadecimal
  }
}
