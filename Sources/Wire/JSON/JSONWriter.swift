/// Writes JSON into a `ByteWriter`, with the commas where they belong.
///
/// What is written is JSON if the calls are in order: every `begin` has its `end`, and in an object
/// each value follows its key. One thread at a time.
public struct JSONWriter {
  /// What is written so far, and where.
  public var output: ByteWriter
  private var needsComma = false

  /// A writer that appends to `output`, which it keeps until taken back.
  public init(_ output: ByteWriter) {
    self.output = output
  }

  /// Opens `{`: keys and values follow, then ``endObject()``.
  public mutating func beginObject() { open(0x7b) }
  /// Closes what ``beginObject()`` opened. That begin and end match is the caller's part.
  public mutating func endObject() { close(0x7d) }
  /// Opens `[`: values follow, then ``endArray()``.
  public mutating func beginArray() { open(0x5b) }
  /// Closes what ``beginArray()`` opened.
  public mutating func endArray() { close(0x5d) }

  /// A key that is a literal without quotes, backslashes and control characters.
  @inlinable
  public mutating func key(_ key: StaticString) {
    beginValue()
    output.append(0x22)
    output.append(key)
    output.append("\":")
    endKey()
  }

  /// Any key.
  public mutating func key(text: String) {
    string(text)
    output.append(0x3a)
    endKey()
  }

  /// A string, quoted and escaped (RFC 8259 §7).
  public mutating func string(_ text: String) {
    var text = text
    text.withUTF8 { string(UnsafeRawBufferPointer($0)) }
  }

  /// A string of UTF-8 bytes, which the caller knows to be valid.
  public mutating func string(_ bytes: UnsafeRawBufferPointer) {
    beginValue()
    output.append(0x22)
    if let base = bytes.baseAddress {
      var start = 0
      var i = 0
      while i < bytes.count {
        let byte = base.byte(i)
        if byte < 0x20 || byte == 0x22 || byte == 0x5c {
          output.append(base + start, i &- start)
          escape(byte)
          start = i &+ 1
        }
        i &+= 1
      }
      output.append(base + start, i &- start)
    }
    output.append(0x22)
    needsComma = true
  }

  /// A number without fraction. Readers may hold what is beyond 2⁵³ only roughly (RFC 8259 §6).
  public mutating func integer(_ value: Int) {
    beginValue()
    output.append(decimal: value)
    needsComma = true
  }

  /// The shortest text that reads back as `value`; null if it is infinite or no number, which JSON
  /// cannot say.
  public mutating func double(_ value: Double) {
    guard value.isFinite else { return null() }
    beginValue()
    output.append(text: value.description)
    needsComma = true
  }

  /// The literal `true` or `false`.
  public mutating func bool(_ value: Bool) {
    beginValue()
    output.append(value ? "true" : "false")
    needsComma = true
  }

  /// The literal `null`.
  public mutating func null() {
    beginValue()
    output.append("null")
    needsComma = true
  }

  /// A value that is JSON already, byte for byte.
  public mutating func raw(_ bytes: UnsafeRawBufferPointer) {
    beginValue()
    output.append(bytes)
    needsComma = true
  }

  /// A value of a document as it stands there.
  public mutating func raw(_ value: JSONValue) { raw(value.rawBytes) }

  @usableFromInline
  mutating func beginValue() {
    if needsComma { output.append(0x2c) }
  }

  @usableFromInline
  mutating func endKey() { needsComma = false }

  private mutating func open(_ bracket: UInt8) {
    beginValue()
    output.append(bracket)
    needsComma = false
  }

  private mutating func close(_ bracket: UInt8) {
    output.append(bracket)
    needsComma = true
  }

  private mutating func escape(_ byte: UInt8) {
    switch byte {
    case 0x22: output.append("\\\"")
    case 0x5c: output.append("\\\\")
    case 0x08: output.append("\\b")
    case 0x0c: output.append("\\f")
    case 0x0a: output.append("\\n")
    case 0x0d: output.append("\\r")
    case 0x09: output.append("\\t")
    default:
      output.append("\\u00")
      output.append(byte < 0x10 ? 0x30 : 0x31)
      output.append(hexadecimal: UInt64(byte & 15))
    }
  }
}

extension JSONWriter {
  /// A member with a text.
  public mutating func member(_ name: StaticString, _ value: String) {
    key(name)
    string(value)
  }

  /// A member with a number.
  public mutating func member(_ name: StaticString, _ value: Int) {
    key(name)
    integer(value)
  }

  /// A member with a truth value.
  public mutating func member(_ name: StaticString, _ value: Bool) {
    key(name)
    bool(value)
  }

  /// What `body` writes, as bytes. Allocates.
  public static func bytes(_ body: (inout JSONWriter) -> Void) -> [UInt8] {
    var writer = JSONWriter(ByteWriter(growingFrom: 256))
    defer { writer.output.deallocate() }
    body(&writer)
    return Array(writer.output.bytes)
  }

  /// What `body` writes, as text. Allocates.
  public static func text(_ body: (inout JSONWriter) -> Void) -> String {
    var writer = JSONWriter(ByteWriter(growingFrom: 256))
    defer { writer.output.deallocate() }
    body(&writer)
    return writer.output.text
  }
}
