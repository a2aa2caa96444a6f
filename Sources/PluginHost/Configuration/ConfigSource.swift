/// A JSON document together with its text, so that a pointer can be turned into a line and a column.
///
/// Its description is its name: the text may hold secrets.
public struct ConfigSource: Sendable, CustomStringConvertible, CustomReflectable {
  /// The file as the operator named it.
  public let name: String
  /// The text: UTF-8, accepted by ``ConfigReader``.
  public let text: [UInt8]
  /// What the text says.
  public let root: ConfigValue

  public var description: String { name }
  public var customMirror: Mirror { Mirror(reflecting: name) }

  /// Where the value at `pointer` begins, and where its key does (an array's element has none: the same place).
  ///
  /// Jansson keeps no positions, so the text is walked again; that happens only for an error. `nil` when there is
  /// nothing at `pointer`.
  func locate(_ pointer: String) -> (key: TextPosition, value: TextPosition)? {
    var walk = TextWalk(text: text)
    var key: Int?
    for token in JSONPointer.tokens(of: pointer) {
      guard let found = walk.enter(token) else { return nil }
      key = found
    }
    walk.skipSpace()
    return (
      key: TextPosition(of: key ?? walk.offset, in: text),
      value: TextPosition(of: walk.offset, in: text)
    )
  }
}

extension TextPosition {
  /// The position of the byte at `offset` of a UTF-8 text.
  init(of offset: Int, in text: [UInt8]) {
    var line = 1
    var column = 1
    for byte in text.prefix(offset) {
      if byte == UInt8(ascii: "\n") {
        line += 1
        column = 1
      } else if byte & 0xC0 != 0x80 {
        column += 1
      }
    }
    self.init(line: line, column: column)
  }
}

/// The tokens of a JSON pointer (RFC 6901).
enum JSONPointer {
  /// The reference tokens, unescaped: "/a~1b/0" gives "a/b" and "0".
  static func tokens(of pointer: String) -> [String] {
    pointer.split(separator: "/", omittingEmptySubsequences: false).dropFirst().map { token in
      var plain = ""
      var isEscape = false
      for character in token.unicodeScalars {
        if isEscape {
          plain += character == "1" ? "/" : "~"
          isEscape = false
        } else if character == "~" {
          isEscape = true
        } else {
          plain.unicodeScalars.append(character)
        }
      }
      return plain
    }
  }

  /// `pointer` with one more reference token.
  static func appending(_ token: String, to pointer: String) -> String {
    var text = pointer + "/"
    for character in token.unicodeScalars {
      switch character {
      case "~": text += "~0"
      case "/": text += "~1"
      default: text.unicodeScalars.append(character)
      }
    }
    return text
  }
}
