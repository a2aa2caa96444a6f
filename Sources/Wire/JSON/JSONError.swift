/// Why a text is not JSON as it is taken here, and where.
public struct JSONError: Error, Equatable, Sendable {
  /// The stable kind of a `JSONError`.
  public enum Reason: UInt8, Sendable, CaseIterable {
    case unexpectedEnd
    case unexpectedByte
    case trailingBytes
    case invalidLiteral
    case invalidNumber
    case invalidEscape
    case loneSurrogate
    case controlCharacter
    case invalidUTF8
    case duplicateKey
    case tooDeep
    case tooManyValues
    case tooLarge

    /// Whether the text is no JSON at all (RFC 8259); else it is some that is not taken here.
    public var isOfGrammar: Bool {
      switch self {
      case .duplicateKey, .tooDeep, .tooManyValues, .tooLarge: false
      default: true
      }
    }

    /// What is wrong, in one sentence without a full stop.
    public var message: StaticString {
      switch self {
      case .unexpectedEnd: "the text ends before the value does"
      case .unexpectedByte: "this cannot stand here"
      case .trailingBytes: "something follows the value"
      case .invalidLiteral: "only true, false and null are written without quotes"
      case .invalidNumber: "this is not a number"
      case .invalidEscape: "an unknown escape in a string"
      case .loneSurrogate: "half a surrogate pair in a string"
      case .controlCharacter: "a control character in a string must be escaped"
      case .invalidUTF8: "a string is not UTF-8"
      case .duplicateKey: "the key appears twice in its object"
      case .tooDeep: "objects and arrays are nested too deeply"
      case .tooManyValues: "too many values"
      case .tooLarge: "the text is too large"
      }
    }
  }

  /// What is wrong there.
  public var reason: Reason
  /// Bytes before the place.
  public var offset: Int
  /// Lines from 1, ended by LF.
  public var line: Int
  /// Columns from 1, in characters (code points).
  public var column: Int
  /// The JSON Pointer (RFC 6901) of the innermost value that was begun there.
  public var pointer: String

  /// The whole in one line: `line 3, column 7 (/a/0): this cannot stand here`.
  public var description: String {
    "line \(line), column \(column)\(pointer.isEmpty ? "" : " (\(pointer))"): \(reason.message)"
  }
}

/// A place in a text.
public struct JSONLocation: Equatable, Sendable {
  /// Bytes before the place.
  public var offset: Int
  /// Lines from 1.
  public var line: Int
  /// Columns from 1, in characters (code points).
  public var column: Int

  /// Where `offset` is in `bytes`.
  public init(offset: Int, in bytes: UnsafeRawBufferPointer) {
    self.offset = offset
    line = 1
    column = 1
    for byte in bytes.prefix(offset) {
      if byte == 0x0a {
        line += 1
        column = 1
      } else if byte & 0xc0 != 0x80 {
        column += 1
      }
    }
  }
}
