extension StringProtocol {
  /// Whether both are the same bytes. `==` also takes texts for equal that spell a character in different ways, which may be the ids of two
  /// users. Any thread.
  public func isExactly(_ other: some StringProtocol) -> Bool { utf8.elementsEqual(other.utf8) }
}

/// A text that is the same as another only byte for byte, for sets and dictionaries of users' ids. Any thread.
public struct ExactText: Hashable, Comparable, Sendable {
  /// As it came.
  public let text: String

  /// Nothing is changed.
  public init(_ text: String) { self.text = text }

  /// Whether both are the same bytes.
  public static func == (a: ExactText, b: ExactText) -> Bool { a.text.isExactly(b.text) }

  /// As strings are ordered; those that are the same as strings, by their bytes.
  public static func < (a: ExactText, b: ExactText) -> Bool {
    a.text == b.text ? a.text.utf8.lexicographicallyPrecedes(b.text.utf8) : a.text < b.text
  }

  /// Of the bytes.
  public func hash(into hasher: inout Hasher) {
    var text = text
    text.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
  }
}
