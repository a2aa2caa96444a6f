/// JSON on one line, as it is written. Members and elements are separated by themselves.
struct JSONLine {
  private(set) var bytes: [UInt8] = []
  /// Whether line breaks in given JSON are kept, for what goes into no frame of lines.
  private let keepsLines: Bool

  init(capacity: Int = 128, keepsLines: Bool = false) {
    self.keepsLines = keepsLines
    bytes.reserveCapacity(capacity)
  }

  /// An object out of what `body` adds.
  mutating func object(_ body: (inout JSONLine) -> Void) {
    bytes.append(UInt8(ascii: "{"))
    body(&self)
    bytes.append(UInt8(ascii: "}"))
  }

  mutating func object(_ name: StaticString, _ body: (inout JSONLine) -> Void) {
    key(name)
    object(body)
  }

  mutating func array<Elements: Sequence>(
    _ name: StaticString, _ elements: Elements,
    _ body: (inout JSONLine, Elements.Element) -> Void
  ) {
    key(name)
    bytes.append(UInt8(ascii: "["))
    for element in elements {
      separate()
      body(&self, element)
    }
    bytes.append(UInt8(ascii: "]"))
  }

  /// An element of an array, JSON as it is.
  mutating func element(json: [UInt8]) {
    raw(json)
  }

  mutating func member(_ name: StaticString, _ text: String) {
    key(name)
    string(text.utf8)
  }

  mutating func member<Number: FixedWidthInteger>(_ name: StaticString, _ number: Number) {
    key(name)
    bytes.append(contentsOf: String(number).utf8)
  }

  /// A member that is true, or none: the protocol writes no other boolean.
  mutating func flag(_ name: StaticString, _ isSet: Bool) {
    guard isSet else { return }
    key(name)
    bytes.append(contentsOf: "true".utf8)
  }

  mutating func member(_ name: StaticString, _ isSo: Bool) {
    key(name)
    bytes.append(contentsOf: (isSo ? "true" : "false").utf8)
  }

  /// JSON as it is, but on one line.
  mutating func member(_ name: StaticString, json: [UInt8]) {
    key(name)
    raw(json)
  }

  /// Text that is known as UTF-8, as a JSON string.
  mutating func member(_ name: StaticString, text: [UInt8]) {
    key(name)
    string(text)
  }

  /// A name that the data decides.
  mutating func object(named name: String, _ body: (inout JSONLine) -> Void) {
    separate()
    string(name.utf8)
    bytes.append(UInt8(ascii: ":"))
    object(body)
  }

  mutating func member(named name: String, json: [UInt8]) {
    separate()
    string(name.utf8)
    bytes.append(UInt8(ascii: ":"))
    raw(json)
  }

  private mutating func key(_ name: StaticString) {
    separate()
    bytes.append(UInt8(ascii: "\""))
    bytes.append(
      contentsOf: UnsafeBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount))
    bytes.append(UInt8(ascii: "\""))
    bytes.append(UInt8(ascii: ":"))
  }

  private mutating func separate() {
    guard let last = bytes.last, last != UInt8(ascii: "{"), last != UInt8(ascii: "[") else {
      return
    }
    bytes.append(UInt8(ascii: ","))
  }

  /// Line breaks in JSON stand between values only, where a space means the same; on the wire they end a command.
  private mutating func raw(_ json: [UInt8]) {
    guard !keepsLines, json.contains(where: { $0 == 0x0A || $0 == 0x0D }) else {
      bytes.append(contentsOf: json)
      return
    }
    for byte in json { bytes.append(byte == 0x0A || byte == 0x0D ? 0x20 : byte) }
  }

  private mutating func string<Text: Sequence>(_ text: Text) where Text.Element == UInt8 {
    let hexadecimal: StaticString = "0123456789abcdef"
    bytes.append(UInt8(ascii: "\""))
    for byte in text {
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"):
        bytes.append(UInt8(ascii: "\\"))
        bytes.append(byte)
      case 0x0A: bytes.append(contentsOf: [UInt8(ascii: "\\"), UInt8(ascii: "n")])
      case 0x0D: bytes.append(contentsOf: [UInt8(ascii: "\\"), UInt8(ascii: "r")])
      case 0x09: bytes.append(contentsOf: [UInt8(ascii: "\\"), UInt8(ascii: "t")])
      case 0..<0x20:
        bytes.append(contentsOf: "\\u00".utf8)
        bytes.append(hexadecimal.utf8Start[Int(byte >> 4)])
        bytes.append(hexadecimal.utf8Start[Int(byte & 15)])
      default: bytes.append(byte)
      }
    }
    bytes.append(UInt8(ascii: "\""))
  }
}
