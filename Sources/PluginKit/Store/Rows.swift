/// What one statement changed and returned. A copy, good for ever.
public struct Rows: Sendable {
  /// Rows inserted, updated or deleted.
  public let changed: Int
  /// The names of the columns, in the order of the statement; empty when it returns none.
  public let columns: [String]
  let cells: [SQLValue]
  /// Rows returned.
  public let count: Int

  static let none = Rows(changed: 0, columns: [], cells: [], count: 0)

  /// Every row as a value, its properties by the columns' names.
  ///
  /// A property that is an array, a dictionary or a struct is read from a text column as JSON.
  ///
  /// - Throws: `RowError` that names column and row.
  public func decode<Value: Decodable>(_ type: Value.Type = Value.self) throws -> [Value] {
    try map { try $0.decode(type) }
  }
}

extension Rows: RandomAccessCollection {
  public var startIndex: Int { 0 }
  public var endIndex: Int { count }

  public subscript(position: Int) -> Row {
    precondition(position >= 0 && position < count, "index out of range")
    return Row(rows: self, index: position)
  }
}

/// One row.
public struct Row: Sendable {
  let rows: Rows
  /// Its place among the rows, from 0.
  public let index: Int

  /// The value in a column; nil when there is no such column.
  public subscript(column: String) -> SQLValue? {
    rows.columns.firstIndex(of: column).map { rows.cells[index * rows.columns.count + $0] }
  }

  /// The value in a column, as a Swift type: `try row["id", String.self]`; `String?.self` where it may
  /// be NULL.
  ///
  /// - Throws: `RowError` that names the column.
  public subscript<Value: SQLReadable>(column: String, type: Value.Type) -> Value {
    get throws {
      guard let cell = self[column] else {
        throw RowError(column: column, row: index, message: "there is no such column")
      }
      guard let value = Value(sqlValue: cell) else {
        throw RowError(column: column, row: index, message: "\(cell.kind) is not a \(type)")
      }
      return value
    }
  }

  /// The row as a value, its properties by the columns' names.
  ///
  /// - Throws: `RowError` that names the column.
  public func decode<Value: Decodable>(_ type: Value.Type = Value.self) throws -> Value {
    try RowDecoder.decode(type, from: self)
  }
}

/// A row that is not what the code expects: an error of the plugin, not of the client.
public struct RowError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The column that was asked for.
  public let column: String
  /// Its number from 0.
  public let row: Int
  /// What is wrong with the value, for logs.
  public let message: String

  public var description: String { "row \(row), column \"\(column)\": \(message)" }
}

extension SQLValue {
  /// What SQL calls it.
  var kind: String {
    switch self {
    case .null: "NULL"
    case .integer: "INTEGER"
    case .real: "REAL"
    case .text: "TEXT"
    case .blob: "BLOB"
    case .returned: "a reference"
    }
  }
}
