internal import Wire

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
  let value: JSONValue
  let path: JSONPath?

  init(_ value: JSONValue, path: JSONPath?) {
    self.value = value
    self.path = path
  }

  /// A whole document.
  init(document: [UInt8]) throws(JSONError) {
    let parsed = document.withUnsafeBytes { bytes in
      Result { () throws(Wire.JSONError) in try JSONDocument(bytes) }
    }
    switch parsed {
    case .success(let document):
      self.init(document.root, path: nil)
    case .failure(let error):
      throw JSONError(
        pointer: error.pointer,
        message: "not JSON, line \(error.line), column \(error.column): \(error.reason.message)")
    }
  }

  var codingPath: [any CodingKey] { JSONPath.keys(path) }
  var userInfo: [CodingUserInfoKey: Any] { [:] }

  func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
    guard value.kind == .object else { throw mismatch("an object") }
    return KeyedDecodingContainer(JSONKeyedReader(value: value, path: path))
  }

  func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
    guard value.kind == .array else { throw mismatch("an array") }
    return JSONUnkeyedReader(value: value, path: path)
  }

  func singleValueContainer() -> any SingleValueDecodingContainer { self }

  func mismatch(_ expected: String) -> JSONError {
    JSONError(
      pointer: JSONPath.pointer(path),
      message: "expected \(expected), found \(value.kind.phrase)")
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
    RawJSON(unchecked: Array(value.rawBytes))
  }
}

extension JSONDecoderNode: SingleValueDecodingContainer {
  func decodeNil() -> Bool { value.isNull }

  func decode(_ type: Bool.Type) throws -> Bool {
    guard let value = value.bool else { throw mismatch("true or false") }
    return value
  }

  func decode(_ type: String.Type) throws -> String {
    guard let value = value.string else { throw mismatch("a string") }
    return value
  }

  func decode(_ type: Double.Type) throws -> Double {
    guard value.kind == .number else { throw mismatch("a number") }
    guard let value = value.double else {
      throw JSONError(
        pointer: JSONPath.pointer(path), message: "the number is too large")
    }
    return value
  }

  func decode(_ type: Float.Type) throws -> Float { Float(try decode(Double.self)) }

  private func integer<Value: FixedWidthInteger>(_ type: Value.Type) throws -> Value {
    guard value.kind == .number else { throw mismatch("an integer") }
    guard let value = value.integer(type) else {
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

extension JSONKind {
  /// For error messages.
  var phrase: String {
    switch self {
    case .null: "null"
    case .bool: "a boolean"
    case .number: "a number"
    case .string: "a string"
    case .array: "an array"
    case .object: "an object"
    }
  }
}

extension JSONValue {
  /// The number, if it is a whole one in the type's range; `1e3` and `5.0` are whole.
  func integer<Integer: FixedWidthInteger>(_: Integer.Type) -> Integer? {
    if let value = int64 { return Integer(exactly: value) }
    let text = String(decoding: rawBytes, as: UTF8.self)
    return Integer(text) ?? double.flatMap { Integer(exactly: $0) }
  }
}
