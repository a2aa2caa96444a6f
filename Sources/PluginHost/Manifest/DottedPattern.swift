/// A pattern over names joined by dots, for event types and scopes: `notes.item.*`, `*`, `notes.*.created`.
///
/// `*` stands for exactly one word; as the last word it stands for one or more.
public struct DottedPattern: Sendable, Hashable, CustomStringConvertible {
  /// The pattern as written.
  public let text: String
  private let words: [String]

  /// `nil` when the text is no such pattern.
  public init?(_ text: String) {
    let words = text.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    guard text.utf8.count <= 128, words.allSatisfy({ $0 == "*" || Self.isWord($0) }) else {
      return nil
    }
    self.text = text
    self.words = words
  }

  public var description: String { text }

  /// Whether `name` is one of those meant.
  public func matches(_ name: String) -> Bool {
    let parts = name.split(separator: ".", omittingEmptySubsequences: false)
    let isOpen = words.last == "*"
    guard isOpen ? parts.count >= words.count : parts.count == words.count else { return false }
    return zip(words, parts).allSatisfy { $0 == "*" || $0 == $1 }
  }

  private static func isWord(_ text: String) -> Bool {
    !text.contains(".") && Grammar.dottedName.accepts(text)
  }

  /// Reads a pattern; `*` stands in for one that is refused.
  init(reading node: ConfigNode) {
    let text = node.string()
    if let pattern = DottedPattern(text) {
      self = pattern
      return
    }
    if !text.isEmpty {
      node.refuse("\"\(text)\" is not a pattern such as notes.note.* or *")
    }
    self.text = "*"
    words = ["*"]
  }
}
