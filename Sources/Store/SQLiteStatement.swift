import CSQLite

/// A compiled statement and what is asked of it at every run. Owned by its connection.
final class SQLiteStatement {
  let handle: OpaquePointer
  /// Parameter names without the colon, in SQLite's order.
  let parameters: [String]
  private(set) var columns: [String] = []
  /// The column names as a row block holds them.
  private(set) var encodedColumns: [UInt8] = []
  let isReadOnly: Bool
  /// When it was last used, by the connection's count of uses.
  var lastUse: UInt64 = 0

  /// Takes over the handle, and finalizes it when it refuses it.
  init(handle: OpaquePointer, sql: String, allowsPositions: Bool) throws(StoreError) {
    self.handle = handle
    isReadOnly = sqlite3_stmt_readonly(handle) != 0
    var parameters: [String] = []
    if !allowsPositions {
      for index in 0..<sqlite3_bind_parameter_count(handle) {
        let name = sqlite3_bind_parameter_name(handle, index + 1).map { String(cString: $0) }
        guard let name, name.utf8.first == UInt8(ascii: ":") else {
          sqlite3_finalize(handle)
          throw StoreError(
            .invalid, "parameter \(name ?? "?") must be written as :name", sql: sql)
        }
        parameters.append(String(name.dropFirst()))
      }
    }
    self.parameters = parameters
    readColumns()
  }

  private var recompilations: Int32 = 0

  /// Runs to the next row or the end. A step may find that the schema has changed since the statement
  /// was compiled and compile it again, after which `SELECT *` has other columns.
  func step() -> Int32 {
    let result = sqlite3_step(handle)
    let count = sqlite3_stmt_status(handle, SQLITE_STMTSTATUS_REPREPARE, 0)
    if count != recompilations {
      recompilations = count
      readColumns()
    }
    return result
  }

  private func readColumns() {
    columns = []
    encodedColumns = []
    for index in 0..<sqlite3_column_count(handle) {
      let name = sqlite3_column_name(handle, index).map { String(cString: $0) } ?? ""
      columns.append(name)
      withUnsafeBytes(of: UInt32(name.utf8.count).littleEndian) {
        encodedColumns.append(contentsOf: $0)
      }
      encodedColumns.append(contentsOf: name.utf8)
    }
  }

  func finalize() { sqlite3_finalize(handle) }

  /// Ends a run: the statement lets go of its locks, its snapshot and its values.
  func reset() {
    sqlite3_reset(handle)
    sqlite3_clear_bindings(handle)
  }

  func bind(_ value: SQLValue, at index: Int32) -> Int32 {
    switch value {
    case .null: return sqlite3_bind_null(handle, index)
    case .integer(let value): return sqlite3_bind_int64(handle, index, value)
    case .real(let value): return sqlite3_bind_double(handle, index, value)
    case .text(var text):
      return text.withUTF8 { bytes in
        bytes.withMemoryRebound(to: CChar.self) { characters in
          guard let base = characters.baseAddress, !characters.isEmpty else {
            return sluice_sqlite_bind_text(handle, index, "", 0)
          }
          return sluice_sqlite_bind_text(handle, index, base, UInt64(characters.count))
        }
      }
    case .blob(let bytes):
      // SQLite takes an absent pointer for NULL, and an empty array may have none.
      guard !bytes.isEmpty else { return sqlite3_bind_zeroblob(handle, index, 0) }
      return bytes.withUnsafeBytes {
        sluice_sqlite_bind_blob(handle, index, $0.baseAddress, UInt64($0.count))
      }
    }
  }

  /// A copy of a cell of the present row.
  func value(at column: Int32) -> SQLValue {
    switch sqlite3_column_type(handle, column) {
    case SQLITE_INTEGER: .integer(sqlite3_column_int64(handle, column))
    case SQLITE_FLOAT: .real(sqlite3_column_double(handle, column))
    case SQLITE_TEXT: .text(text(at: column))
    case SQLITE_BLOB: .blob(blob(at: column))
    default: .null
    }
  }

  func integer(at column: Int32) -> Int64 { sqlite3_column_int64(handle, column) }

  func isNull(at column: Int32) -> Bool { sqlite3_column_type(handle, column) == SQLITE_NULL }

  func text(at column: Int32) -> String { String(decoding: textBytes(column), as: UTF8.self) }

  func blob(at column: Int32) -> [UInt8] { [UInt8](blobBytes(column)) }

  /// Appends the cells of the present row to a row block.
  func append(to rows: RowBlockWriter) {
    rows.beginRow()
    for column in 0..<Int32(columns.count) {
      switch sqlite3_column_type(handle, column) {
      case SQLITE_INTEGER: rows.append(integer: sqlite3_column_int64(handle, column))
      case SQLITE_FLOAT: rows.append(real: sqlite3_column_double(handle, column))
      case SQLITE_TEXT: rows.append(text: textBytes(column))
      case SQLITE_BLOB: rows.append(blob: blobBytes(column))
      default: rows.appendNull()
      }
    }
  }

  // The pointer must be asked for before the count: asking may convert the value.
  private func textBytes(_ column: Int32) -> UnsafeRawBufferPointer {
    let base = UnsafeRawPointer(sqlite3_column_text(handle, column))
    return UnsafeRawBufferPointer(
      start: base, count: base == nil ? 0 : Int(sqlite3_column_bytes(handle, column)))
  }

  private func blobBytes(_ column: Int32) -> UnsafeRawBufferPointer {
    let base = sqlite3_column_blob(handle, column)
    return UnsafeRawBufferPointer(
      start: base, count: base == nil ? 0 : Int(sqlite3_column_bytes(handle, column)))
  }
}
