/// Why part of a request target cannot be understood. Answer 400.
public enum TargetError: UInt8, Error, Sendable, CaseIterable {
  case invalidPercent
  case encodedNul
  case invalidUTF8
  case dotSegment
  case tooLong

  /// What is wrong, in one sentence without a full stop, for the answer's `detail` member.
  public var message: StaticString {
    switch self {
    case .invalidPercent: "a percent sign is not followed by two hexadecimal digits"
    case .encodedNul: "%00 in the request target"
    case .invalidUTF8: "the request target decodes to bytes that are not UTF-8"
    case .dotSegment: "a path segment is . or .."
    case .tooLong: "the request target decodes to more than there is room for"
    }
  }
}

/// Percent-decoding, RFC 3986 §2.1, of one path segment or one part of a query at a time.
///
/// Strict: a broken triplet, a NUL, encoded or not, and anything that is not UTF-8 (overlong forms and surrogates
/// included) are errors. What is decoded is never looked at again for `/`, `?`, `&` or `%`.
public enum PercentDecoding {
  /// Appends what `bytes` decode to.
  ///
  /// - Parameter plusIsSpace: True in queries, where HTML forms write a space as `+`.
  /// - Returns: nil, or the error, with nothing appended.
  public static func decode(
    _ bytes: UnsafeRawBufferPointer, plusIsSpace: Bool = false, into output: inout ByteWriter
  ) -> TargetError? {
    guard output.reserve(bytes.count) else { return .tooLong }
    let mark = output.count
    var i = 0
    while i < bytes.count {
      var byte = bytes[i]
      i += 1
      if byte == 0x25 {
        guard i + 1 < bytes.count, let high = hexadecimalDigit(bytes[i]),
          let low = hexadecimalDigit(bytes[i + 1])
        else {
          output.count = mark
          return .invalidPercent
        }
        byte = high << 4 | low
        i += 2
      } else if byte == 0x2b && plusIsSpace {
        byte = 0x20
      }
      if byte == 0 {
        output.count = mark
        return .encodedNul
      }
      output.append(byte)
    }
    let decoded = UnsafeRawBufferPointer(start: output.base + mark, count: output.count - mark)
    guard UTF8Validator.isValid(decoded) else {
      output.count = mark
      return .invalidUTF8
    }
    return nil
  }

  /// Appends `bytes` with everything but `unreserved` (RFC 3986 §2.3) percent-encoded.
  public static func encode(_ bytes: UnsafeRawBufferPointer, into output: inout ByteWriter) {
    for byte in bytes {
      switch byte {
      case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x2d, 0x2e, 0x5f, 0x7e: output.append(byte)
      default:
        output.append(0x25)
        output.append(upperDigit(byte >> 4))
        output.append(upperDigit(byte & 15))
      }
    }
  }

  private static func upperDigit(_ value: UInt8) -> UInt8 {
    value < 10 ? value + 0x30 : value + 0x37
  }
}
