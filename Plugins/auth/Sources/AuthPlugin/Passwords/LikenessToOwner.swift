/// Whether a password is made of what its owner is called: the words of the name and of the e-mail address, in any order and number,
/// forwards or backwards, with digits and marks around and between them and letters exchanged for those that look alike.
struct LikenessToOwner {
  /// Letters that may stand beside the words.
  private static let spare = 3
  /// Letters that the words must have together.
  private static let part = 4
  /// Letters of a word, at least.
  private static let shortest = 3

  private let words: Set<[Unicode.Scalar]>

  /// - Parameter words: in lower case.
  init(words: Set<[Unicode.Scalar]>) {
    let letters = words.map { word in
      word.filter(\.properties.isAlphabetic).map(LikenessToOwner.folded)
    }
    self.words = Set((letters + letters.map { $0.reversed() }).filter { $0.count >= Self.shortest })
  }

  /// Whether little but the words is left of the password when digits and marks are taken away.
  func isMainPart(of password: String) -> Bool {
    let text = Array(password.lowercased().unicodeScalars)
    let isLetter = { (scalar: Unicode.Scalar) in scalar.properties.isAlphabetic }
    // "l0velace1815": what stands around the letters is no letter, what stands between them may be.
    let end = text.lastIndex(where: isLetter).map { $0 + 1 } ?? 0
    let core = text[..<end].drop { !isLetter($0) }
    let readings = [
      text.filter(isLetter).map(Self.folded), core.map(Self.folded).filter(isLetter),
      text.map(Self.folded).filter(isLetter),
    ]
    return readings.contains(where: isMade)
  }

  /// Whether words cover the letters but for a few.
  private func isMade(_ letters: [Unicode.Scalar]) -> Bool {
    guard letters.count >= Self.part else { return false }
    // The fewest letters that are left of those before each place.
    var left = [0]
    for end in 1...letters.count {
      var fewest = left[end - 1] + 1
      for word in words where word.count <= end {
        let start = end - word.count
        if left[start] < fewest, letters[start..<end].elementsEqual(word) { fewest = left[start] }
      }
      left.append(fewest)
    }
    let rest = left[letters.count]
    return rest <= Self.spare && letters.count - rest >= Self.part
  }

  /// The letter that a digit or a mark stands for. "1" stands for two, which count as one.
  private static func folded(_ scalar: Unicode.Scalar) -> Unicode.Scalar {
    switch scalar {
    case "0": "o"
    case "1", "!", "|", "l": "i"
    case "3": "e"
    case "4", "@": "a"
    case "5", "$": "s"
    case "7": "t"
    default: scalar
    }
  }
}
