/// Writes an object.
struct JSONKeyedWriter<Key: CodingKey>: KeyedEncodingContainerProtocol {
  private let output: JSONOutput
  private let path: JSONPath?
  private let number: Int

  /// - Parameter depth: how many containers were open when the value began; it may have one of its own already.
  init(output: JSONOutput, path: JSONPath?, depth: Int) {
    self.output = output
    self.path = path
    number = output.begin(UInt8(ascii: "{"), UInt8(ascii: "}"), at: depth, path: path)
  }

  var codingPath: [any CodingKey] { JSONPath.keys(path) }

  private func begin(_ key: some CodingKey) -> JSONPath {
    let path = JSONPath(path, key)
    output.separate(in: number, path: path)
    output.key(key.stringValue)
    return path
  }

  mutating func encodeNil(forKey key: Key) {
    _ = begin(key)
    output.literal("null")
  }

  mutating func encode<Value: Encodable>(_ value: Value, forKey key: Key) throws {
    let path = begin(key)
    try output.write(value, path: path)
  }

  mutating func nestedContainer<Nested: CodingKey>(
    keyedBy type: Nested.Type, forKey key: Key
  ) -> KeyedEncodingContainer<Nested> {
    let path = begin(key)
    return KeyedEncodingContainer(
      JSONKeyedWriter<Nested>(output: output, path: path, depth: output.depth))
  }

  mutating func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
    let path = begin(key)
    return JSONUnkeyedWriter(output: output, path: path, depth: output.depth)
  }

  mutating func superEncoder() -> any Encoder {
    JSONEncoderNode(output: output, path: begin(TextKey("super")))
  }

  mutating func superEncoder(forKey key: Key) -> any Encoder {
    JSONEncoderNode(output: output, path: begin(key))
  }
}

/// Writes an array.
struct JSONUnkeyedWriter: UnkeyedEncodingContainer {
  private let output: JSONOutput
  private let path: JSONPath?
  private let number: Int
  var count: Int { output.count(in: number) }

  init(output: JSONOutput, path: JSONPath?, depth: Int) {
    self.output = output
    self.path = path
    number = output.begin(UInt8(ascii: "["), UInt8(ascii: "]"), at: depth, path: path)
  }

  var codingPath: [any CodingKey] { JSONPath.keys(path) }

  private func begin() -> JSONPath {
    let path = JSONPath(path, IndexKey(count))
    output.separate(in: number, path: path)
    return path
  }

  mutating func encodeNil() {
    _ = begin()
    output.literal("null")
  }

  mutating func encode<Value: Encodable>(_ value: Value) throws {
    let path = begin()
    try output.write(value, path: path)
  }

  mutating func nestedContainer<Nested: CodingKey>(
    keyedBy type: Nested.Type
  ) -> KeyedEncodingContainer<Nested> {
    let path = begin()
    return KeyedEncodingContainer(
      JSONKeyedWriter<Nested>(output: output, path: path, depth: output.depth))
  }

  mutating func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer {
    let path = begin()
    return JSONUnkeyedWriter(output: output, path: path, depth: output.depth)
  }

  mutating func superEncoder() -> any Encoder {
    JSONEncoderNode(output: output, path: begin())
  }
}
