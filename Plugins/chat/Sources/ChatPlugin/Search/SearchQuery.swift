internal import PluginKit

/// What somebody looks for: words, "phrases" and beginnings* of words, all of which a message must have. A pure value.
///
/// Nothing else of what FTS5 understands gets through: each term is put in quotes, in which it has no operators.
struct SearchQuery: Equatable {
  /// The most terms of a query.
  static let limit = 16

  struct Term: Equatable {
    let text: String
    /// Whether the last word of it may go on.
    let isPrefix: Bool
  }

  let terms: [Term]

  /// - Throws: `Problem` 400 when there is nothing to look for, or too much.
  init(_ text: String) throws {
    terms = Self.terms(in: text)
    guard !terms.isEmpty else {
      throw Problem.invalid(pointer: "/query/q", "q has words to look for.")
    }
    guard terms.count <= Self.limit else {
      throw Problem.invalid(pointer: "/query/q", "q has at most \(Self.limit) words and phrases.")
    }
  }

  /// As FTS5 reads it.
  var match: String {
    terms.map { "\"\($0.text)\"\($0.isPrefix ? "*" : "")" }.joined(separator: " ")
  }

  private static func terms(in text: String) -> [Term] {
    var terms: [Term] = []
    var rest = text.unicodeScalars[...]
    while let first = rest.first {
      var words: Substring.UnicodeScalarView
      if first == "\"" {
        rest.removeFirst()
        words = rest.prefix { $0 != "\"" }
        rest = rest.dropFirst(words.count + 1)
      } else if isSpace(first) {
        rest.removeFirst()
        continue
      } else {
        words = rest.prefix { !isSpace($0) && $0 != "\"" && $0 != "*" }
        rest = rest.dropFirst(words.count)
      }
      let isPrefix = rest.first == "*"
      rest = rest.drop { $0 == "*" }
      // What is no word is no term: to FTS5 it would be nothing.
      guard words.contains(where: isWord) else { continue }
      let visible = String(String.UnicodeScalarView(words.map { isSpace($0) ? " " : $0 }))
      terms.append(Term(text: visible, isPrefix: isPrefix))
    }
    return terms
  }

  private static func isSpace(_ scalar: Unicode.Scalar) -> Bool {
    scalar.value <= 0x20 || (0x7F...0xA0).contains(scalar.value)
      || scalar.properties.isWhitespace
  }

  private static func isWord(_ scalar: Unicode.Scalar) -> Bool {
    scalar.properties.isAlphabetic || scalar.properties.numericType != nil
  }
}
