internal import PluginKit

/// A text that is the same as another only byte for byte, for sets and dictionaries of users' ids. A `String` is also the same as one that
/// spells a character in another way, which may be another user's id.
struct ExactText: Hashable, Comparable {
  let text: String

  init(_ text: String) { self.text = text }

  static func == (a: ExactText, b: ExactText) -> Bool { a.text.isExactly(b.text) }

  /// As strings are ordered; those that are the same as strings by their bytes.
  static func < (a: ExactText, b: ExactText) -> Bool {
    a.text == b.text ? a.text.utf8.lexicographicallyPrecedes(b.text.utf8) : a.text < b.text
  }

  func hash(into hasher: inout Hasher) {
    var text = text
    text.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
  }
}
