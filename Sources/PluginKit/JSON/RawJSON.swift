/// A JSON value that is passed through byte for byte: `custom` data of a client, an event's `data`.
public struct RawJSON: Sendable, Hashable {
  /// The value's bytes, UTF-8.
  public let bytes: [UInt8]

  /// Bytes that are known to be JSON, such as those the host has validated.
  public init(unchecked bytes: [UInt8]) {
    self.bytes = bytes
  }

  /// A value as JSON.
  public init<Value: Encodable>(encoding value: Value) throws {
    bytes = try JSON.encode(value)
  }

  /// The JSON as text.
  public var text: String { String(decoding: bytes, as: UTF8.self) }

  /// The JSON as a value.
  ///
  /// - Throws: `JSONError` with the JSON pointer of what is wrong.
  public func decode<Value: Decodable>(_ type: Value.Type = Value.self) throws -> Value {
    try JSON.decode(type, from: bytes)
  }
}

/// A literal is taken as it is: `"{}"`.
extension RawJSON: ExpressibleByStringLiteral {
  public init(stringLiteral value: String) {
    bytes = Array(value.utf8)
  }
}

/// Through PluginKit's own JSON only; another encoder or decoder cannot pass bytes through.
extension RawJSON: Codable {
  public init(from decoder: any Decoder) throws {
    guard let source = decoder as? any RawJSONSource else {
      throw JSONError(pointer: "", message: "raw JSON can only be read from JSON")
    }
    self = try source.rawJSON()
  }

  public func encode(to encoder: any Encoder) throws {
    guard let sink = encoder as? any RawJSONSink else {
      throw JSONError(pointer: "", message: "raw JSON can only be written to JSON")
    }
    try sink.encode(raw: self)
  }
}

protocol RawJSONSource {
  func rawJSON() throws -> RawJSON
}

protocol RawJSONSink {
  func encode(raw: RawJSON) throws
}
