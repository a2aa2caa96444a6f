/// What a file is called, as a client has named it.
enum FileName {
  /// A name without folders, control characters and what turns the direction of writing around, so that `exe.png` is not `gnp.exe`.
  ///
  /// - Returns: empty when nothing is left of it.
  static func cleaned(_ name: String) -> String {
    let base = name.split(whereSeparator: { $0 == "/" || $0 == "\\" }).last ?? ""
    let scalars = base.unicodeScalars.filter { scalar in
      switch scalar.properties.generalCategory {
      case .control, .format, .surrogate, .lineSeparator, .paragraphSeparator, .privateUse,
        .unassigned:
        false
      default: true
      }
    }
    var text = String(String.UnicodeScalarView(scalars))
    while text.first == "." || text.first == " " { text.removeFirst() }
    while text.last == "." || text.last == " " { text.removeLast() }
    return text
  }

  /// The value of `Content-Disposition` (RFC 6266), the name in ASCII and in full (RFC 8187).
  ///
  /// - Parameter name: cleaned; empty for none.
  static func disposition(_ name: String, isInline: Bool) -> String {
    let kind = isInline ? "inline" : "attachment"
    guard !name.isEmpty else { return kind }
    let plain = String(
      name.unicodeScalars.map { scalar -> Character in
        scalar.isASCII && scalar != "\"" && scalar != "\\" && scalar != "%"
          ? Character(scalar) : "_"
      })
    var encoded = ""
    for byte in name.utf8 {
      if isAttributeByte(byte) {
        encoded.unicodeScalars.append(Unicode.Scalar(byte))
      } else {
        encoded += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
      }
    }
    return "\(kind); filename=\"\(plain)\"; filename*=UTF-8''\(encoded)"
  }

  /// RFC 8187 §3.2.1, attr-char.
  private static func isAttributeByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"):
      true
    default: "!#$&+-.^_`|~".utf8.contains(byte)
    }
  }
}
