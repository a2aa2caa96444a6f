/// Walks a JSON text that is known to be well formed, to find where a value stands.
struct TextWalk {
  let text: [UInt8]
  private(set) var offset = 0

  init(text: [UInt8]) {
    self.text = text
  }

  /// Goes from the value at `offset` into its member or element `token`.
  ///
  /// - Returns: the offset of the member's key, or of the element itself; `nil` when there is none.
  mutating func enter(_ token: String) -> Int? {
    skipSpace()
    switch current {
    case UInt8(ascii: "{"): return enterMember(token)
    case UInt8(ascii: "["): return enterElement(token)
    default: return nil
    }
  }

  mutating func skipSpace() {
    while let byte = current, byte == 0x20 || (0x09...0x0D).contains(byte) { offset += 1 }
  }

  private var current: UInt8? { offset < text.count ? text[offset] : nil }

  private mutating func enterMember(_ name: String) -> Int? {
    offset += 1
    while true {
      skipSpace()
      guard current == UInt8(ascii: "\"") else { return nil }
      let start = offset
      skipString()
      let isWanted = Self.unescaped(text[(start + 1)..<(offset - 1)]) == name
      skipSpace()
      offset += 1  // the colon
      if isWanted { return start }
      skipValue()
      skipSpace()
      guard current == UInt8(ascii: ",") else { return nil }
      offset += 1
    }
  }

  private mutating func enterElement(_ token: String) -> Int? {
    guard let index = Int(token) else { return nil }
    offset += 1
    for position in 0... {
      skipSpace()
      guard let byte = current, byte != UInt8(ascii: "]") else { return nil }
      if position == index { return offset }
      skipValue()
      skipSpace()
      guard current == UInt8(ascii: ",") else { return nil }
      offset += 1
    }
    return nil
  }

  private mutating func skipString() {
    offset += 1
    while let byte = current, byte != UInt8(ascii: "\"") {
      offset += byte == UInt8(ascii: "\\") ? 2 : 1
    }
    offset += 1
  }

  private mutating func skipValue() {
    skipSpace()
    var depth = 0
    while let byte = current {
      switch byte {
      case UInt8(ascii: "\""):
        skipString()
        if depth == 0 { return }
        continue
      case UInt8(ascii: "{"), UInt8(ascii: "["):
        depth += 1
      case UInt8(ascii: "}"), UInt8(ascii: "]"):
        if depth == 0 { return }
        depth -= 1
        if depth == 0 {
          offset += 1
          return
        }
      case UInt8(ascii: ","):
        if depth == 0 { return }
      default: break
      }
      offset += 1
    }
  }

  /// The characters of a JSON string's inside.
  private static func unescaped(_ bytes: ArraySlice<UInt8>) -> String {
    guard bytes.contains(UInt8(ascii: "\\")) else { return String(decoding: bytes, as: UTF8.self) }
    var units: [UInt16] = []
    var rest = Substring(decoding: bytes, as: UTF8.self).unicodeScalars[...]
    while let scalar = rest.popFirst() {
      guard scalar == "\\", let escape = rest.popFirst() else {
        units += Array(String(scalar).utf16)
        continue
      }
      switch escape {
      case "b": units.append(8)
      case "f": units.append(12)
      case "n": units.append(10)
      case "r": units.append(13)
      case "t": units.append(9)
      case "u":
        units.append(UInt16(String(String.UnicodeScalarView(rest.prefix(4))), radix: 16) ?? 0xFFFD)
        rest = rest.dropFirst(4)
      default: units += Array(String(escape).utf16)
      }
    }
    return String(decoding: units, as: UTF16.self)
  }
}
