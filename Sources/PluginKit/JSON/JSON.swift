/// JSON and Swift values, without Foundation.
///
/// Dictionaries with `String` keys, arrays, optionals, `RawJSON` and `Timestamp` are understood; a nil
/// property is left out. Numbers keep 64-bit integers exact.
public enum JSON {
  /// A value as JSON.
  ///
  /// - Throws: `JSONError` when a number is not finite, or what a type's own `encode` throws.
  public static func encode<Value: Encodable>(_ value: Value) throws -> [UInt8] {
    try JSONEncoding.encode(value)
  }

  /// A value from JSON.
  ///
  /// - Throws: `JSONError` with the JSON pointer of what is wrong.
  public static func decode<Value: Decodable>(
    _ type: Value.Type = Value.self, from bytes: [UInt8]
  ) throws -> Value {
    try JSONDecoding.decode(type, from: bytes)
  }

  /// A value from borrowed JSON.
  ///
  /// - Throws: `JSONError` with the JSON pointer of what is wrong.
  public static func decode<Value: Decodable>(
    _ type: Value.Type = Value.self, from bytes: Bytes
  ) throws -> Value {
    try JSONDecoding.decode(type, from: Array(bytes))
  }

  static func encode(fields: KeyValuePairs<String, any Encodable>) throws -> [UInt8] {
    try encode(LogFields(pairs: fields))
  }
}

/// What is wrong with JSON, and where.
public struct JSONError: Error, Sendable, Equatable, CustomStringConvertible {
  /// An RFC 6901 JSON pointer, "" for the whole.
  public let pointer: String
  /// What is wrong there, for people.
  public let message: String

  /// - Parameter pointer: RFC 6901, "" for the whole.
  public init(pointer: String, message: String) {
    self.pointer = pointer
    self.message = message
  }

  public var description: String {
    pointer.isEmpty ? message : "\(pointer): \(message)"
  }
}

private struct LogFields: Encodable {
  let pairs: KeyValuePairs<String, any Encodable>

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: TextKey.self)
    for (key, value) in pairs { try container.encode(value, forKey: TextKey(key)) }
  }
}

/// A coding key that is any text.
struct TextKey: CodingKey {
  let stringValue: String
  var intValue: Int? { nil }

  init(_ text: String) {
    stringValue = text
  }

  init?(stringValue: String) {
    self.stringValue = stringValue
  }

  init?(intValue: Int) {
    nil
  }
}
