/// Reads a value from a row: each property from the column of its name.
struct RowDecoder: Decoder {
  let row: Row

  var codingPath: [any CodingKey] { [] }
  var userInfo: [CodingUserInfoKey: Any] { [:] }

  static func decode<Value: Decodable>(_ type: Value.Type, from row: Row) throws -> Value {
    try Value(from: RowDecoder(row: row))
  }

  func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
    KeyedDecodingContainer(RowColumns(row: row))
  }

  func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
    throw RowError(column: "", row: row.index, message: "a row is read by its columns' names")
  }

  func singleValueContainer() throws -> any SingleValueDecodingContainer {
    throw RowError(column: "", row: row.index, message: "a row is read by its columns' names")
  }
}

private struct RowColumns<Key: CodingKey>: KeyedDecodingContainerProtocol {
  let row: Row

  var codingPath: [any CodingKey] { [] }
  var allKeys: [Key] { row.rows.columns.compactMap { Key(stringValue: $0) } }

  func contains(_ key: Key) -> Bool { row[key.stringValue] != nil }

  func decodeNil(forKey key: Key) throws -> Bool { try cell(key) == .null }

  private func cell(_ key: Key) throws -> SQLValue {
    guard let cell = row[key.stringValue] else { throw error(key, "there is no such column") }
    return cell
  }

  private func error(_ key: Key, _ message: String) -> RowError {
    RowError(column: key.stringValue, row: row.index, message: message)
  }

  func decode<Value: Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value {
    let cell = try cell(key)
    if let readable = type as? any SQLReadable.Type {
      guard let value = readable.init(sqlValue: cell) as? Value else {
        throw error(key, "\(cell.kind) is not a \(type)")
      }
      return value
    }
    do {
      return try Value(from: CellDecoder(cell: cell))
    } catch let problem as JSONError {
      throw error(key, "\(problem)")
    } catch let problem as DecodingError {
      throw error(key, JSONError(problem, at: nil).message)
    }
  }

  func nestedContainer<Nested: CodingKey>(
    keyedBy type: Nested.Type, forKey key: Key
  ) throws -> KeyedDecodingContainer<Nested> {
    throw error(key, "a column holds one value")
  }

  func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
    throw error(key, "a column holds one value")
  }

  func superDecoder() throws -> any Decoder { RowDecoder(row: row) }
  func superDecoder(forKey key: Key) throws -> any Decoder { CellDecoder(cell: try cell(key)) }
}

/// Reads a property that SQL has no type for: a single value, such as an enum of strings, from the cell;
/// an array or an object from JSON text in it.
private struct CellDecoder: Decoder, SingleValueDecodingContainer {
  let cell: SQLValue

  var codingPath: [any CodingKey] { [] }
  var userInfo: [CodingUserInfoKey: Any] { [:] }

  private func json<Value>(_ read: (JSONDecoderNode) throws -> Value) throws -> Value {
    guard case .text(let text) = cell else {
      throw JSONError(pointer: "", message: "\(cell.kind) is not JSON text")
    }
    return try read(try JSONDecoderNode(document: Array(text.utf8)))
  }

  func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
    try json { try $0.container(keyedBy: type) }
  }

  func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
    try json { try $0.unkeyedContainer() }
  }

  func singleValueContainer() throws -> any SingleValueDecodingContainer { self }

  func decodeNil() -> Bool { cell == .null }

  private func read<Value: SQLReadable>(_ type: Value.Type) throws -> Value {
    guard let value = Value(sqlValue: cell) else {
      throw JSONError(pointer: "", message: "\(cell.kind) is not a \(type)")
    }
    return value
  }

  private func integer<Value: FixedWidthInteger>(_ type: Value.Type) throws -> Value {
    guard let value = Value(exactly: try read(Int64.self)) else {
      throw JSONError(pointer: "", message: "the integer is not a \(type)")
    }
    return value
  }

  func decode(_ type: Bool.Type) throws -> Bool { try read(type) }
  func decode(_ type: String.Type) throws -> String { try read(type) }
  func decode(_ type: Double.Type) throws -> Double { try read(type) }
  func decode(_ type: Float.Type) throws -> Float { Float(try read(Double.self)) }
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
  func decode<Value: Decodable>(_ type: Value.Type) throws -> Value { try Value(from: self) }
}
