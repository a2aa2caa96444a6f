/// The formats of strings that JSON Schema's `format` may ask for here.
public enum Format: UInt8, Sendable, CaseIterable {
  /// `local@domain`: a dot-atom of at most 64 bytes (RFC 5321 §4.1.2; no quoted string) and a host name
  /// of letters, digits and hyphens.
  case email
  /// A URI with a scheme, RFC 3986 §3.
  case uri
  /// RFC 3339 §5.6: a real date and time with an offset; second 60 only where a leap second may be.
  case dateTime
  /// 8-4-4-4-12 hexadecimal digits, RFC 9562 §4.
  case uuid

  /// The name in a schema.
  public var name: String {
    switch self {
    case .email: "email"
    case .uri: "uri"
    case .dateTime: "date-time"
    case .uuid: "uuid"
    }
  }

  /// Whether `text` has the format.
  public func matches(_ text: UnsafeRawBufferPointer) -> Bool {
    switch self {
    case .email: Format.isEmail(text)
    case .uri: Format.isURI(text)
    case .dateTime: Format.isDateTime(text)
    case .uuid: Format.isUUID(text)
    }
  }

  private static func isEmail(_ text: UnsafeRawBufferPointer) -> Bool {
    guard let at = text.lastIndex(of: 0x40), at > 0, at <= 64 else { return false }
    var previous: UInt8 = 0x2e
    for byte in text[..<at] {
      if byte == 0x2e {
        if previous == 0x2e { return false }
      } else if byte == 0x40 || !CharacterClass.contains(byte, CharacterClass.token) {
        // atext of RFC 5322 §3.2.3 is tchar with / = ? { }.
        guard [0x2f, 0x3d, 0x3f, 0x7b, 0x7d].contains(byte) else { return false }
      }
      previous = byte
    }
    return previous != 0x2e && isHostName(text[(at + 1)...])
  }

  private static func isHostName(_ name: Slice<UnsafeRawBufferPointer>) -> Bool {
    guard !name.isEmpty, name.count <= 253 else { return false }
    for label in name.split(separator: 0x2e, omittingEmptySubsequences: false) {
      guard (1...63).contains(label.count), label.first != 0x2d, label.last != 0x2d else {
        return false
      }
      for byte in label {
        switch byte {
        case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x2d: continue
        default: return false
        }
      }
    }
    return true
  }

  private static func isURI(_ text: UnsafeRawBufferPointer) -> Bool {
    guard let colon = text.firstIndex(of: 0x3a), colon > 0 else { return false }
    for (index, byte) in text[..<colon].enumerated() {
      switch byte {
      case 0x41...0x5a, 0x61...0x7a: continue
      case 0x30...0x39, 0x2b, 0x2d, 0x2e: if index == 0 { return false }
      default: return false
      }
    }
    var fragments = 0
    var i = colon + 1
    while i < text.count {
      let byte = text[i]
      switch byte {
      case 0x23: fragments += 1
      case 0x25:
        guard i + 2 < text.count, hexadecimalDigit(text[i + 1]) != nil,
          hexadecimalDigit(text[i + 2]) != nil
        else { return false }
      case 0x3f, 0x5b, 0x5d: break
      case 0x7c: return false
      default: guard CharacterClass.contains(byte, CharacterClass.path) else { return false }
      }
      i += 1
    }
    guard fragments <= 1 else { return false }
    return hasAuthority(text, after: colon)
  }

  /// Web addresses need a host (RFC 9110 §4.2.1); other URIs need something after the colon.
  private static func hasAuthority(_ text: UnsafeRawBufferPointer, after colon: Int) -> Bool {
    guard let base = text.baseAddress,
      colon == 4 && matchesFolded(base, "http", 4) || colon == 5 && matchesFolded(base, "https", 5)
    else { return text.count > colon + 1 }
    guard text.count > colon + 3, text[colon + 1] == 0x2f, text[colon + 2] == 0x2f else {
      return false
    }
    return ![0x2f, 0x3f, 0x23].contains(text[colon + 3])
  }

  private static func isDateTime(_ text: UnsafeRawBufferPointer) -> Bool {
    func number(_ at: Int, _ count: Int) -> Int? {
      guard at + count <= text.count else { return nil }
      var value = 0
      for byte in text[at..<(at + count)] {
        guard byte &- 0x30 < 10 else { return nil }
        value = value * 10 + Int(byte - 0x30)
      }
      return value
    }
    guard text.count >= 20, let year = number(0, 4), text[4] == 0x2d, let month = number(5, 2),
      text[7] == 0x2d, let day = number(8, 2), text[10] | 0x20 == 0x74, let hour = number(11, 2),
      text[13] == 0x3a, let minute = number(14, 2), text[16] == 0x3a, let second = number(17, 2),
      (1...12).contains(month), (1...CivilTime.days(inMonth: month, of: year)).contains(day),
      hour < 24, minute < 60, second <= 60
    else { return false }
    var i = 19
    if text[i] == 0x2e {
      let start = i + 1
      i = start
      while i < text.count, text[i] &- 0x30 < 10 { i += 1 }
      guard i > start else { return false }
    }
    guard i < text.count else { return false }
    var offset = 0
    if text[i] | 0x20 == 0x7a {
      guard i + 1 == text.count else { return false }
    } else {
      guard text[i] == 0x2b || text[i] == 0x2d, i + 6 == text.count, text[i + 3] == 0x3a,
        let hours = number(i + 1, 2), let minutes = number(i + 4, 2), hours < 24, minutes < 60
      else { return false }
      offset = (hours * 60 + minutes) * (text[i] == 0x2b ? 1 : -1)
    }
    // RFC 3339 §5.7: a leap second is the last of a day in UTC.
    return second < 60 || (hour * 60 + minute - offset + 2_880) % 1_440 == 1_439
  }

  private static func isUUID(_ text: UnsafeRawBufferPointer) -> Bool {
    guard text.count == 36 else { return false }
    for (index, byte) in text.enumerated() {
      if index == 8 || index == 13 || index == 18 || index == 23 {
        guard byte == 0x2d else { return false }
      } else if hexadecimalDigit(byte) == nil {
        return false
      }
    }
    return true
  }
}
