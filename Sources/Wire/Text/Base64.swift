/// Base64 in its two alphabets, RFC 4648 §4 and §5. Strict: one text for each sequence of bytes.
public enum Base64: Sendable {
  /// `+` and `/`, padded with `=`.
  case standard
  /// `-` and `_`, without padding: for URLs, tokens and keys.
  case url

  /// Appends the encoding of `bytes` to `output`.
  public func encode(_ bytes: UnsafeRawBufferPointer, into output: inout ByteWriter) {
    guard output.reserve(encodedCount(bytes.count)) else { return }
    var i = 0
    while i < bytes.count {
      let taken = min(3, bytes.count - i)
      var group = UInt32(bytes[i]) << 16
      if taken > 1 { group |= UInt32(bytes[i + 1]) << 8 }
      if taken > 2 { group |= UInt32(bytes[i + 2]) }
      for index in 0..<4 {
        if index <= taken {
          output.append(character(UInt8(truncatingIfNeeded: group >> UInt32(18 - 6 * index)) & 63))
        } else if self == .standard {
          output.append(0x3d)
        }
      }
      i += taken
    }
  }

  /// Appends the bytes that `text` stands for to `output`.
  ///
  /// - Returns: false, with nothing appended, for a foreign character, missing or superfluous padding,
  ///   whitespace, a length that no encoding has, or bits set beyond the last byte.
  public func decode(_ text: UnsafeRawBufferPointer, into output: inout ByteWriter) -> Bool {
    var count = text.count
    if self == .standard {
      guard count % 4 == 0 else { return false }
      if count > 0, text[count - 1] == 0x3d { count -= 1 }
      if count > 0, count % 4 == 3, text[count - 1] == 0x3d { count -= 1 }
    }
    guard count % 4 != 1 else { return false }
    let mark = output.count
    guard output.reserve(count * 3 / 4) else { return false }
    var group: UInt32 = 0
    var bits = 0
    for i in 0..<count {
      guard let value = value(text[i]) else {
        output.count = mark
        return false
      }
      group = group << 6 | UInt32(value)
      bits += 6
      if bits >= 8 {
        bits -= 8
        output.append(UInt8(truncatingIfNeeded: group >> UInt32(bits)))
        group &= (1 << UInt32(bits)) - 1
      }
    }
    guard group == 0 else {
      output.count = mark
      return false
    }
    return true
  }

  /// Characters that encode `count` bytes.
  public func encodedCount(_ count: Int) -> Int {
    self == .standard ? (count + 2) / 3 * 4 : (count * 4 + 2) / 3
  }

  private func character(_ value: UInt8) -> UInt8 {
    switch value {
    case 0..<26: value + 0x41
    case 26..<52: value - 26 + 0x61
    case 52..<62: value - 52 + 0x30
    case 62: self == .standard ? 0x2b : 0x2d
    default: self == .standard ? 0x2f : 0x5f
    }
  }

  private func value(_ character: UInt8) -> UInt8? {
    switch character {
    case 0x41...0x5a: character - 0x41
    case 0x61...0x7a: character - 0x61 + 26
    case 0x30...0x39: character - 0x30 + 52
    case 0x2b where self == .standard, 0x2d where self == .url: 62
    case 0x2f where self == .standard, 0x5f where self == .url: 63
    default: nil
    }
  }
}

/// Two hexadecimal digits for each byte.
public enum Hexadecimal {
  /// Appends `bytes` in lower case.
  public static func encode(_ bytes: UnsafeRawBufferPointer, into output: inout ByteWriter) {
    guard output.reserve(bytes.count * 2) else { return }
    for byte in bytes {
      output.append(digit(byte >> 4))
      output.append(digit(byte & 15))
    }
  }

  /// Appends the bytes that `text`, in either case, stands for. False, with nothing appended, if it
  /// has a foreign character or half a byte.
  public static func decode(_ text: UnsafeRawBufferPointer, into output: inout ByteWriter) -> Bool {
    guard text.count % 2 == 0, output.reserve(text.count / 2) else { return false }
    let mark = output.count
    for i in stride(from: 0, to: text.count, by: 2) {
      guard let high = hexadecimalDigit(text[i]), let low = hexadecimalDigit(text[i + 1]) else {
        output.count = mark
        return false
      }
      output.append(high << 4 | low)
    }
    return true
  }

  private static func digit(_ value: UInt8) -> UInt8 { value < 10 ? value + 0x30 : value + 0x57 }
}
