internal import Wire

/// Writes a value as JSON while it encodes itself, without a tree in between.
///
/// A container is closed when its parent is written to again, so containers must be used one inside the
/// other, as every synthesized `encode(to:)` does. One used after it was closed is an error.
enum JSONEncoding {
  static func encode<Value: Encodable>(_ value: Value) throws -> [UInt8] {
    let output = JSONOutput()
    try output.write(value, path: nil)
    output.close(above: 0)
    if let error = output.error { throw error }
    return output.take()
  }
}

/// The text as far as it is written, and the containers that are open. Confined to one `encode`.
final class JSONOutput {
  private var writer = ByteWriter(growingFrom: 256)
  /// The open containers, outermost first.
  private var open: [(number: Int, closing: UInt8, count: Int)] = []
  private var lastNumber = 0
  private(set) var error: JSONError?
  private(set) var hasValue = true

  deinit { writer.deallocate() }

  func take() -> [UInt8] { Array(writer.bytes) }

  func fail(_ path: JSONPath?, _ message: String) {
    if error == nil { error = JSONError(pointer: JSONPath.pointer(path), message: message) }
  }

  /// Opens the container of a value, or finds the one that the value has opened already: an encoder's containers of a
  /// kind are one, so that a value may be written by several hands.
  func begin(_ opening: UInt8, _ closing: UInt8, at depth: Int, path: JSONPath?) -> Int {
    guard open.count > depth else { return begin(opening, closing) }
    if open[depth].closing != closing { fail(path, "a value is an object or an array, not both") }
    return open[depth].number
  }

  /// Opens a container and returns its number.
  func begin(_ opening: UInt8, _ closing: UInt8) -> Int {
    hasValue = true
    writer.append(opening)
    lastNumber += 1
    open.append((lastNumber, closing, 0))
    return lastNumber
  }

  /// Makes the container `number` the innermost, and writes what separates its elements.
  func separate(in number: Int, path: JSONPath?) {
    while let last = open.last, last.number != number { close(last.closing) }
    guard !open.isEmpty else {
      fail(path, "a container was used after it was closed")
      return
    }
    if open[open.count - 1].count > 0 { writer.append(UInt8(ascii: ",")) }
    open[open.count - 1].count += 1
  }

  /// The elements of an open container so far.
  func count(in number: Int) -> Int { open.last { $0.number == number }?.count ?? 0 }

  func close(above depth: Int) {
    while open.count > depth, let last = open.last { close(last.closing) }
  }

  private func close(_ closing: UInt8) {
    writer.append(closing)
    open.removeLast()
  }

  var depth: Int { open.count }

  func key(_ key: String) {
    string(key)
    writer.append(UInt8(ascii: ":"))
  }

  func literal(_ text: StaticString) {
    hasValue = true
    writer.append(text)
  }

  func raw(_ bytes: [UInt8]) {
    hasValue = true
    bytes.withUnsafeBytes { writer.append($0) }
  }

  func integer<Value: FixedWidthInteger>(_ value: Value) {
    hasValue = true
    if let value = Int(exactly: value) {
      writer.append(decimal: value)
    } else {
      writer.append(text: "\(value)")
    }
  }

  func real(_ value: Double, path: JSONPath?) throws {
    hasValue = true
    guard value.isFinite else {
      throw JSONError(pointer: JSONPath.pointer(path), message: "\(value) has no form in JSON")
    }
    // Swift prints the shortest text that reads back as the same number; ".0" says nothing in JSON.
    var text = "\(value)"
    if text.hasSuffix(".0") { text.removeLast(2) }
    writer.append(text: text)
  }

  /// A string with what must be escaped (RFC 8259 §7).
  func string(_ text: String) {
    hasValue = true
    var text = text
    writer.append(UInt8(ascii: "\""))
    text.withUTF8 { bytes in
      var start = 0
      for index in bytes.indices {
        let byte = bytes[index]
        guard byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") else {
          continue
        }
        writer.append(UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: bytes[start..<index])))
        escape(byte)
        start = index + 1
      }
      writer.append(UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: bytes[start...])))
    }
    writer.append(UInt8(ascii: "\""))
  }

  private func escape(_ byte: UInt8) {
    writer.append(UInt8(ascii: "\\"))
    switch byte {
    case UInt8(ascii: "\n"): writer.append(UInt8(ascii: "n"))
    case UInt8(ascii: "\r"): writer.append(UInt8(ascii: "r"))
    case UInt8(ascii: "\t"): writer.append(UInt8(ascii: "t"))
    case 0..<0x20:
      writer.append(byte < 0x10 ? "u000" : "u00")
      writer.append(hexadecimal: UInt64(byte))
    default: writer.append(byte)
    }
  }

  /// Any value; what it encodes nothing for becomes an empty object, as JSON needs a value here.
  func write<Value: Encodable>(_ value: Value, path: JSONPath?) throws {
    hasValue = false
    let depth = depth
    switch value {
    case let value as String: string(value)
    case let value as RawJSON: raw(value.bytes)
    case let value as Timestamp: string(value.rfc3339)
    case let value as any FixedWidthInteger & Encodable: integer(value)
    case let value as Bool: literal(value ? "true" : "false")
    case let value as Double: try real(value, path: path)
    case let value as Float: try real(Double("\(value)") ?? Double(value), path: path)
    default: try value.encode(to: JSONEncoderNode(output: self, path: path))
    }
    close(above: depth)
    if !hasValue { literal("{}") }
  }
}

/// The encoder that a value sees.
struct JSONEncoderNode: Encoder {
  let output: JSONOutput
  let path: JSONPath?
  /// How many containers were open when the value began.
  private let depth: Int

  init(output: JSONOutput, path: JSONPath?) {
    self.output = output
    self.path = path
    depth = output.depth
  }

  var codingPath: [any CodingKey] { JSONPath.keys(path) }
  var userInfo: [CodingUserInfoKey: Any] { [:] }

  func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
    KeyedEncodingContainer(JSONKeyedWriter(output: output, path: path, depth: depth))
  }

  func unkeyedContainer() -> any UnkeyedEncodingContainer {
    JSONUnkeyedWriter(output: output, path: path, depth: depth)
  }

  func singleValueContainer() -> any SingleValueEncodingContainer { self }
}

extension JSONEncoderNode: RawJSONSink {
  func encode(raw: RawJSON) { output.raw(raw.bytes) }
}

extension JSONEncoderNode: SingleValueEncodingContainer {
  func encodeNil() { output.literal("null") }
  func encode<Value: Encodable>(_ value: Value) throws { try output.write(value, path: path) }
}
