extension StringProtocol {
  /// Whether both are the same bytes. `==` also takes texts for equal that spell a character in different ways, which may be the ids of two
  /// users. Any thread.
  public func isExactly(_ other: some StringProtocol) -> Bool { utf8.elementsEqual(other.utf8) }
}
