/// Reads a value from parsed JSON.
enum JSONDecoding {
  static func decode<Value: Decodable>(
    _ type: Value.Type, from bytes: [UInt8]
  ) throws -> Value {
    try JSONDecoderNode(document: bytes).unbox(type)
  }
}

/// The decoder that a value sees: one value of the document.
struct JSONDecoderNode: Decoder {
  let source: JSONSource
  let node: JSONSource.Node
  let path: JSONPath?

  init(source: JSONSource, node: JSONSource.Node, path: JSONPath?) {
    self.source = source
    self.node = node
    self.path = path
  }

  /// A whole document.
  init(document: [UInt8]) throws(JSONError) {
    self.init(source: try JSONSource(document), node: JSONSource.root, path: nil)
  }

  var codingPath: [any CodingKey] { JSONPath.keys(path) }
  var userInfo: [CodingUserInfoKey: Any] { [:] }

  func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
    guard source.kind(node) == .object else { throw mismatch("an object") }
    return KeyedDecodingContainer(JSONKeyedReader(source: source, node: node, path: path))
  }

  func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
    guard source.kind(node) == .array else { throw mismatch("an array") }
    return JSONUnkeyedReader(source: source, node: node, path: path)
  }

  func singleValueContainer() -> any SingleValueDecodingContainer { self }

  func mismatch(_ expected: String) -> JSONError {
    JSONError(
      pointer: JSONPath.pointer(path),
      message: "expected \(expected), found \(source.kind(node).phrase)")
  }

  /// Any value; those that JSON has itself without a detour.
  func unbox<Value: Decodable>(_ type: Value.Type) throws -> Value {
    if type == String.self { return try decode(String.self) as! Value }
    if type == RawJSON.self { return try rawJSON() as! Value }
    if type == Timestamp.self { return try timestamp() as! Value }
    do {
      return try Value(from: self)
    } catch let error as DecodingError {
      throw JSONError(error, at: path)
    }
  }

  private func timestamp() throws -> Timestamp {
    let text = try decode(String.self)
    guard let time = Timestamp(rfc3339: text) else {
      throw JSONError(
        pointer: JSONPath.pointer(path),
        message: "expected an RFC 3339 time, such as 2026-01-31T12:00:00Z")
    }
    return time
  }
}

extension JSONDecoderNode: RawJSONSource {
  func rawJSON() throws -> RawJSON {
    RawJSON(unchecked: source.bytes(node))
  }
}

extension JSONDecoderNode: SingleValueDecodingContainer {
  func decodeNil() -> Bool { source.kind(node) == .null }

  func decode(_ type: Bool.Type) throws -> Bool {
    guard let value = source.boolean(node) else { throw mismatch("true or false") }
    return value
  }

  func decode(_ type: String.Type) throws -> String {
    guard let value = source.string(node) else { throw mismatch("a string") }
    return value
  }

  func decode(_ type: Double.Type) throws -> Double {
    guard source.kind(node) == .number else { throw mismatch("a number") }
    guard let value = source.real(node) else {
      throw JSONError(
        pointer: JSONPath.pointer(path), message: "the number is too large")
    }
    return value
  }

  func decode(_ type: Float.Type) throws -> Float { Float(try decode(Double.self)) }

  private func integer<Value: FixedWidthInteger>(_ type: Value.Type) throws -> Value {
    guard source.kind(node) == .number else { throw mismatch("an integer") }
    guard let value = source.integer(node, type) else {
      throw JSONError(
        pointer: JSONPath.pointer(path),
        message: "expected an integer from \(Value.min) to \(Value.max)")
    }
    return value
  }

  func decode(_ type: Int.Type) throws -> Int { try integer(type) }
  func decode(_ type: Int8.Type) throws -> Int8 { try integer(type) }
  func decode(_ type: Int16.Type) throws -> Int16 { try integer(type) }
  func decode(_ type: Int32.Type) throws -> Int32 { try integer(type) }
  func decode(_ type: Int64.Type) throws -> Int64 { try integer(type) }
  func decode(_ type: UInt.Type) throws -> UInt { try integer(type) }
  func decode(_ type: UInt8.Type) throws -> UInt8 { try integer(type) }
  func decode(_ type: UInt16.Type) throws -> UInt16 { try integer(type) }
  func decode(_ type: UInt32.Type) throws -> UInt32 { try integer(type) }
  func decode(_ type: UInt64.Type) throws -> UInt64 { try integer(type) }
  func decode<Value: Decodable>(_ type: Value.Type) throws -> Value { try unbox(type) }
}

extension JSONError {
  /// What the standard library's own types, such as an enum of strings, throw.
  init(_ error: DecodingError, at path: JSONPath?) {
    let context: DecodingError.Context? =
      switch error {
      case .dataCorrupted(let context), .keyNotFound(_, let context),
        .typeMismatch(_, let context), .valueNotFound(_, let context):
        context
      @unknown default: nil
      }
    self.init(
      pointer: JSONPath.pointer(path),
      message: context?.debugDescription ?? "the value is not what is expected here")
  }
}
