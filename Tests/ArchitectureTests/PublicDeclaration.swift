/// A declaration that others can see, and whether anything is said of it.
struct PublicDeclaration {
  /// What stands behind `public` and other modifiers, as far as its line goes.
  var text: String
  /// From 1.
  var line: Int
  /// Whether a `///` stands above it, or above its attributes.
  var isDocumented: Bool

  /// Those of a file; code inside literals is somebody else's.
  static func all(in source: SwiftSource, _ text: String) -> [PublicDeclaration] {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    return source.code.enumerated().compactMap { index, code in
      guard let match = code.firstMatch(of: modifiers) else { return nil }
      let rest = code[match.range.upperBound...]
      // A variable may be called `open`.
      if rest.starts(with: #/(import|extension)\b|=/#) || match.output.contains("override") {
        return nil
      }
      var above = index - 1
      while above >= 0, lines[above].contains(attributes) { above -= 1 }
      let isDocumented = above >= 0 && lines[above].starts(with: #/\s*\/\/\//#)
      return PublicDeclaration(text: String(rest), line: index + 1, isDocumented: isDocumented)
    }
  }

  // A regex of the standard library may be read from any thread, and nothing changes this one.
  private nonisolated(unsafe) static let modifiers =
    #/^\s*(?:(?:@\w+(?:\([^)]*\))?|static|final|nonisolated|mutating|override|indirect)\s+)*(?:public|open)\s+(?:(?:static|final|nonisolated|mutating|override|indirect|lazy|weak|(?:private|internal|package)\(set\))\s+)*/#

  // As `modifiers`: never changed.
  private nonisolated(unsafe) static let attributes =
    #/^\s*(?:@\w+(?:\([^)]*\))?\s*)+$|^\s*\/\/ swift-format/#

  /// Whether it is what a protocol of the standard library, or a result builder, makes it: that is documented there.
  var isWitness: Bool { text.starts(with: Self.witness) }

  // As `modifiers`: never changed.
  private nonisolated(unsafe) static let witness =
    #/(?:var|let) (?:description|debugDescription|customMirror|rawValue|startIndex|endIndex)\b|func (?:==|<) |func (?:hash\(into|next\(\)|encode\(to|enqueue\(|asUnowned\w+\(|isIsolatingCurrentContext\(|withContiguousStorageIfAvailable|appendLiteral\(|build[A-Z]\w*\()|init\((?:rawValue|\w+Literal|from|literalCapacity|stringInterpolation)\b|subscript\(position: Int\)/#
}
