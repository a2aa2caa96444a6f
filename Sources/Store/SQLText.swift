/// What must be known of SQL without compiling it.
enum SQLText {
  /// Whether nothing but spaces, semicolons and comments stands at and after byte `start`.
  static func isBlank(_ sql: String, from start: Int) -> Bool {
    let bytes = Array(sql.utf8.dropFirst(start))
    var index = 0
    while index < bytes.count {
      let next = index + 1 < bytes.count ? bytes[index + 1] : 0
      switch (bytes[index], next) {
      case (0x20, _), (0x09...0x0d, _), (UInt8(ascii: ";"), _): index += 1
      case (UInt8(ascii: "-"), UInt8(ascii: "-")):
        while index < bytes.count, bytes[index] != 0x0a { index += 1 }
      case (UInt8(ascii: "/"), UInt8(ascii: "*")):
        index += 2
        while index < bytes.count,
          !bytes[index...].starts(with: [UInt8(ascii: "*"), UInt8(ascii: "/")])
        { index += 1 }
        index += 2
      default: return false
      }
    }
    return true
  }
}
