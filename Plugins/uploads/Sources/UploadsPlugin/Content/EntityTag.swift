/// A strong entity tag (RFC 9110 §8.8.3): a file's SHA-256, so it is the file and nothing else.
struct EntityTag: Equatable {
  /// With its quotes.
  let text: String

  init(sha256: String) { text = "\"\(sha256)\"" }

  /// Whether a list of `If-Match` or `If-None-Match` has it, or is `*`.
  ///
  /// - Parameter isWeak: whether tags marked as weak count, as they do for `If-None-Match` (§8.8.3.2).
  func isIn(_ list: String, weak isWeak: Bool) -> Bool {
    // The quotes of a tag hold no comma here, so a list may be split at them.
    list.split(separator: ",").contains { entry in
      var tag = entry.drop { $0 == " " || $0 == "\t" }
      while tag.last == " " || tag.last == "\t" { tag.removeLast() }
      if tag == "*" { return true }
      if isWeak && tag.hasPrefix("W/") { tag = tag.dropFirst(2) }
      return tag == text
    }
  }
}
