/// Text in header fields: what is not plain ASCII becomes encoded words (RFC 2047 §2).
enum HeaderText {
  /// What an encoded word has beside its text.
  private static let frame = "=?utf-8?B??=".utf8.count
  private static let width = 76

  /// A display name: an atom or several, a quoted string, or encoded words.
  static func name(_ text: String) -> String {
    guard isPlain(text), text.utf8.count <= 60 else { return encoded(text, after: "From: ".count) }
    let areAtoms = text.split(separator: " ", omittingEmptySubsequences: false).allSatisfy {
      !$0.isEmpty && $0.utf8.allSatisfy(Mailbox.isAtomText)
    }
    if areAtoms { return text }
    let escaped = text.flatMap { $0 == "\"" || $0 == "\\" ? ["\\", $0] : [$0] }
    return "\"" + String(escaped) + "\""
  }

  /// Words, as in a subject.
  ///
  /// - Parameter column: how much of the first line is taken.
  static func words(_ text: String, after column: Int) -> String {
    isPlain(text) && column + text.utf8.count <= width ? text : encoded(text, after: column)
  }

  private static func isPlain(_ text: String) -> Bool {
    text.utf8.allSatisfy { (0x20...0x7E).contains($0) } && !text.contains("=?")
      && !text.hasPrefix(" ") && !text.hasSuffix(" ")
  }

  /// Encoded words, each on a line of its own. None ends inside of a character (RFC 2047 §5).
  private static func encoded(_ text: String, after column: Int) -> String {
    var words: [String] = []
    var bytes: [UInt8] = []
    /// Of bytes in the present line: four characters for three of them.
    var room: Int { (width - (words.isEmpty ? column : 1) - frame) / 4 * 3 }
    for scalar in text.unicodeScalars {
      let more = Array(String(scalar).utf8)
      if bytes.count + more.count > room {
        words.append(word(bytes))
        bytes = []
      }
      bytes += more
    }
    words.append(word(bytes))
    return words.joined(separator: "\r\n ")
  }

  private static func word(_ bytes: [UInt8]) -> String { "=?utf-8?B?\(base64(bytes))?=" }

  private static func base64(_ bytes: [UInt8]) -> String {
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    var characters: [UInt8] = []
    for start in stride(from: 0, to: bytes.count, by: 3) {
      let group = bytes[start..<min(start + 3, bytes.count)]
      let bits = group.reduce(UInt32(0)) { $0 << 8 | UInt32($1) } << (8 * UInt32(3 - group.count))
      for place in 0..<4 {
        characters.append(
          place <= group.count
            ? alphabet[Int(bits >> (18 - 6 * UInt32(place)) & 63)] : UInt8(ascii: "="))
      }
    }
    return String(decoding: characters, as: UTF8.self)
  }
}
