/// A pattern over dotted names, as `listens` of manifests has them: `chat.*`, `*`, `notes.*.created`.
///
/// `*` stands for exactly one word; as the last word it stands for one or more.
struct EventPattern: Sendable, Hashable {
  private let words: [Substring]

  init(_ text: String) {
    words = text.split(separator: ".", omittingEmptySubsequences: false)
  }

  func matches(_ name: String) -> Bool {
    let parts = name.split(separator: ".", omittingEmptySubsequences: false)
    let isOpen = words.last == "*"
    guard isOpen ? parts.count >= words.count : parts.count == words.count else { return false }
    return zip(words, parts).allSatisfy { $0 == "*" || $0 == $1 }
  }
}

/// A pattern over channels: a name, or what it begins with before a `*` at the end.
struct ChannelPattern: Sendable, Hashable {
  private let beginning: String
  private let isOpen: Bool

  init(_ text: String) {
    isOpen = text.hasSuffix("*")
    beginning = isOpen ? String(text.dropLast()) : text
  }

  func matches(_ channel: String) -> Bool {
    isOpen ? channel.utf8.starts(with: beginning.utf8) : channel == beginning
  }
}
