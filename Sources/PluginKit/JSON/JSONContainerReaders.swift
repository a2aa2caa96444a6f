internal import Wire

/// Reads an object.
struct JSONKeyedReader<Key: CodingKey>: KeyedDecodingContainerProtocol {
  let value: JSONValue
  let path: JSONPath?

  var codingPath: [any CodingKey] { JSONPath.keys(path) }
  var allKeys: [Key] { value.members.compactMap { Key(stringValue: $0.name) } }

  func contains(_ key: Key) -> Bool { value[key.stringValue] != nil }

  private func find(_ key: some CodingKey) throws -> JSONDecoderNode {
    guard let member = value[key.stringValue] else {
      throw JSONError(
        pointer: JSONPath.pointer(path), message: "\"\(key.stringValue)\" is missing")
    }
    return JSONDecoderNode(member, path: JSONPath(path, key))
  }

  func decodeNil(forKey key: Key) throws -> Bool { try find(key).decodeNil() }
  func decode(_ type: Bool.Type, forKey key: Key) throws -> Bool { try find(key).decode(type) }
  func decode(_ type: String.Type, forKey key: Key) throws -> String { try find(key).decode(type) }

  func decode<Value: Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value {
    try find(key).unbox(type)
  }

  func nestedContainer<Nested: CodingKey>(
    keyedBy type: Nested.Type, forKey key: Key
  ) throws -> KeyedDecodingContainer<Nested> {
    try find(key).container(keyedBy: type)
  }

  func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
    try find(key).unkeyedContainer()
  }

  func superDecoder() throws -> any Decoder { try find(TextKey("super")) }
  func superDecoder(forKey key: Key) throws -> any Decoder { try find(key) }
}

/// Reads an array.
struct JSONUnkeyedReader: UnkeyedDecodingContainer {
  private let path: JSONPath?
  private let elements: [JSONValue]
  private(set) var currentIndex = 0

  init(value: JSONValue, path: JSONPath?) {
    self.path = path
    elements = Array(value.elements)
  }

  var codingPath: [any CodingKey] { JSONPath.keys(path) }
  var count: Int? { elements.count }
  var isAtEnd: Bool { currentIndex == elements.count }

  private var current: JSONDecoderNode {
    get throws {
      guard currentIndex < elements.count else {
        throw JSONError(
          pointer: JSONPath.pointer(path), message: "expected more than \(elements.count) elements")
      }
      return JSONDecoderNode(elements[currentIndex], path: JSONPath(path, IndexKey(currentIndex)))
    }
  }

  private mutating func next<Value>(_ read: (JSONDecoderNode) throws -> Value) throws -> Value {
    let value = try read(try current)
    currentIndex += 1
    return value
  }

  mutating func decodeNil() throws -> Bool {
    guard try current.decodeNil() else { return false }
    currentIndex += 1
    return true
  }

  mutating func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
    try next { try $0.unbox(type) }
  }

  mutating func nestedContainer<Nested: CodingKey>(
    keyedBy type: Nested.Type
  ) throws -> KeyedDecodingContainer<Nested> {
    try next { try $0.container(keyedBy: type) }
  }

  mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer {
    try next { try $0.unkeyedContainer() }
  }

  mutating func superDecoder() throws -> any Decoder { try next { $0 } }
}
