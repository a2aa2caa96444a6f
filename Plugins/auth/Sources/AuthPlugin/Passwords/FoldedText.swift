/// A text as somebody reads it who does not look closely: without marks, blanks of no width and case, and each letter and digit in its
/// plain form, whatever it is composed of. What looks the same to its owner is the same to whoever guesses.
///
/// It follows compatibility decomposition (UAX #15, NFKD) as far as the names of characters tell it, which is for the letters of Latin,
/// Greek and Cyrillic, for the letters of mathematics and those in full width or in circles, and for all digits.
enum FoldedText {
  /// [any-thread] Slow: for passwords that are chosen, not for those that are typed in.
  static func of(_ text: String) -> String {
    var folded = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
      if scalar.isASCII {
        folded.append(contentsOf: scalar.properties.lowercaseMapping.unicodeScalars)
      } else if !isUnseen(scalar) {
        if let digit = digit(scalar) {
          folded.append(digit)
        } else {
          // Full case folding by both mappings: "ß" is "ss", a ligature its letters.
          let letters = scalar.properties.uppercaseMapping.unicodeScalars
            .flatMap { $0.properties.lowercaseMapping.unicodeScalars }
          for letter in letters where !isUnseen(letter) { folded.append(plain(letter)) }
        }
      }
    }
    return String(folded)
  }

  /// Whether it stands on or in another character, or takes no room at all.
  private static func isUnseen(_ scalar: Unicode.Scalar) -> Bool {
    if scalar.properties.isDefaultIgnorableCodePoint { return true }
    switch scalar.properties.generalCategory {
    case .nonspacingMark, .spacingMark, .enclosingMark, .format, .control: return true
    default: return false
    }
  }

  /// The ASCII digit of a digit of any script or form.
  private static func digit(_ scalar: Unicode.Scalar) -> Unicode.Scalar? {
    guard [.decimal, .digit].contains(scalar.properties.numericType),
      let value = scalar.properties.numericValue, (0...9).contains(value)
    else { return nil }
    return Unicode.Scalar(UInt8(ascii: "0") + UInt8(value))
  }

  private static func plain(_ scalar: Unicode.Scalar) -> Unicode.Scalar {
    guard !scalar.isASCII, let name = scalar.properties.name else { return scalar }
    if let base = unmarked[scalar] { return base }
    let words = name.split(separator: " ")
    // "MATHEMATICAL BOLD SMALL A", "SCRIPT CAPITAL B".
    if words.count > 2, let letter = words.last, letter.utf8.count == 1,
      ["SMALL", "CAPITAL"].contains(words[words.count - 2]),
      let found = letter.lowercased().unicodeScalars.first
    {
      return found
    }
    // "FULLWIDTH LATIN SMALL LETTER A WITH ACUTE": of the script's name on, and what stands before WITH.
    guard let script = words.firstIndex(where: { ["LATIN", "GREEK", "CYRILLIC"].contains($0) })
    else { return scalar }
    let bare = words[script...].prefix { $0 != "WITH" }.map { $0 == "CAPITAL" ? "SMALL" : $0 }
    return letters[bare.joined(separator: " ")] ?? scalar
  }

  /// Letters whose names do not say that they are others with a mark.
  private static let unmarked: [Unicode.Scalar: Unicode.Scalar] = [
    "\u{439}": "\u{438}", "\u{451}": "\u{435}", "\u{457}": "\u{456}", "\u{453}": "\u{433}",
    "\u{45C}": "\u{43A}", "\u{45E}": "\u{443}",
  ]

  /// Small letters without marks, by name.
  private static let letters: [String: Unicode.Scalar] = {
    let ranges: [ClosedRange<UInt32>] = [0x61...0x7A, 0xDF...0x24F, 0x3B1...0x3C9, 0x430...0x4FF]
    var letters: [String: Unicode.Scalar] = [:]
    for scalar in ranges.joined().compactMap(Unicode.Scalar.init) {
      guard let name = scalar.properties.name, name.contains(" SMALL "), !name.contains(" WITH ")
      else { continue }
      letters[name] = scalar
    }
    return letters
  }()
}
