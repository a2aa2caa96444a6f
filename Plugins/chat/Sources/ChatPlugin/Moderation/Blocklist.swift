internal import PluginKit

/// Words that an app does not want to be said, and what becomes of a message with one of them.
struct Blocklist: Decodable, Sendable, Equatable {
  enum Action: String, Decodable {
    /// It is refused.
    case block
    /// It is sent, and flagged for whoever settles flags.
    case flag
    /// It is answered to its author, and reaches nobody else.
    case shadow
  }

  let action: Action
  /// In lower case.
  let words: Set<String>

  private enum CodingKeys: String, CodingKey { case words, action }

  init(from decoder: any Decoder) throws {
    let list = try decoder.container(keyedBy: CodingKeys.self)
    action = try list.decode(Action.self, forKey: .action)
    words = Set(try list.decode([String].self, forKey: .words).map { $0.lowercased() })
  }

  /// Whether one of the words stands in a text, whole and in whatever case.
  static func words(of text: String) -> Set<String> {
    Set(
      text.lowercased().split { $0.isWhitespace || $0.isPunctuation }.map(String.init))
  }
}
