/// The passwords that people choose most often, and with them what is made of those in the usual ways.
///
/// It is a list of some thousands of words and a few rules rather than a longer list: whoever guesses works that way too. "P@ssw0rd2024!" is the word
/// "password" with letters exchanged, a year and a mark behind it.
enum CommonPasswords {
  static func contains(_ password: String) -> Bool {
    let text = Array(password.lowercased().utf8)
    guard text.count >= 4 else { return true }
    if isRun(text) || isRepeated(text) { return true }
    // What stands around the word: digits, marks and blanks.
    let core = text.drop { !isLetter($0) && !isLeet($0) }
    let letters = text.drop { !isLetter($0) }
    // Digits and marks alone: a date, a telephone number.
    if letters.isEmpty { return text.count < 12 }
    for trimmed in [text, trimmingTail(Array(core)), trimmingTail(Array(letters))] {
      for read in [trimmed, plain(trimmed), trimmingTail(plain(trimmed))] {
        if isWord(read) || isRun(read) || isRepeated(read) { return true }
      }
    }
    return false
  }

  /// One word of the list, or two of them together.
  private static func isWord(_ text: [UInt8]) -> Bool {
    if words.contains(text) { return true }
    guard text.count >= 6, text.count <= 24 else { return false }
    return (3...(text.count - 3)).contains { split in
      words.contains(Array(text[..<split])) && words.contains(Array(text[split...]))
    }
  }

  /// Without what people put behind a word.
  private static func trimmingTail(_ text: [UInt8]) -> [UInt8] {
    var end = text.count
    while end > 0, !isLetter(text[end - 1]) { end -= 1 }
    return Array(text[..<end])
  }

  /// With letters for the digits and marks that stand for them.
  private static func plain(_ text: [UInt8]) -> [UInt8] {
    text.map { byte in
      switch byte {
      case UInt8(ascii: "0"): UInt8(ascii: "o")
      case UInt8(ascii: "1"), UInt8(ascii: "!"), UInt8(ascii: "|"): UInt8(ascii: "i")
      case UInt8(ascii: "3"): UInt8(ascii: "e")
      case UInt8(ascii: "4"), UInt8(ascii: "@"): UInt8(ascii: "a")
      case UInt8(ascii: "5"), UInt8(ascii: "$"): UInt8(ascii: "s")
      case UInt8(ascii: "7"): UInt8(ascii: "t")
      default: byte
      }
    }
  }

  /// Neighbours on a keyboard, in the alphabet or among the digits, in either direction: "qwertyuiop", "87654321".
  private static func isRun(_ text: [UInt8]) -> Bool {
    guard text.count >= 4 else { return false }
    // The whole may be put together of few runs, as "qwer1234" is.
    var rest = text[...]
    var runs = 0
    while !rest.isEmpty {
      let length = runs < 3 ? longestRun(rest) : 0
      guard length >= 3 else { return false }
      rest = rest.dropFirst(length)
      runs += 1
    }
    return true
  }

  private static func longestRun(_ text: ArraySlice<UInt8>) -> Int {
    var longest = 0
    for row in rows {
      guard let first = text.first else { return 0 }
      for (place, key) in row.enumerated() where key == first {
        for step in [1, -1] {
          var length = 0
          var at = place
          for byte in text {
            guard row.indices.contains(at), row[at] == byte else { break }
            length += 1
            at += step
          }
          longest = max(longest, length)
        }
      }
    }
    return longest
  }

  /// A piece of at most four characters, again and again: "aaaaaaaa", "abcabcabc".
  private static func isRepeated(_ text: [UInt8]) -> Bool {
    (1...4).contains { period in
      text.count >= 2 * period
        && text.indices.allSatisfy { text[$0] == text[$0 % period] }
    }
  }

  private static func isLetter(_ byte: UInt8) -> Bool {
    (0x61...0x7A).contains(byte) || byte >= 0x80
  }

  private static func isLeet(_ byte: UInt8) -> Bool { "013457@$!|".utf8.contains(byte) }

  private static let rows: [[UInt8]] = [
    "01234567890", "abcdefghijklmnopqrstuvwxyz", "qwertyuiop", "asdfghjkl", "zxcvbnm", "qwertzuiop",
    "azertyuiop", "qsdfghjklm", "yxcvbnm", "1qaz", "2wsx", "3edc", "4rfv", "5tgb", "6yhn", "7ujm",
    "!@#$%^&*()",
  ].map { Array($0.utf8) }

  private static let words: Set<[UInt8]> = Set(
    CommonWords.all.flatMap { $0.split { $0 == " " || $0 == "\n" }.map { Array($0.utf8) } })
}
