import CSQLite
import Glibc

/// A look into a file of a data directory from outside, whether a gateway runs on it or not: nothing is made or changed.
public enum StoreFile {
  /// The rows that a query gives, or nil when there is no such file. [blocking]
  ///
  /// - Parameters:
  ///   - directory: the data directory.
  ///   - tenant: whose file, or ``Store/controlTenant``.
  ///   - text: the value of the query's only parameter.
  /// - Throws: ``StoreError``: the file is not readable, or no database.
  public static func rows(
    in directory: String, of tenant: String, _ sql: String, _ text: String
  ) throws(StoreError) -> [[SQLValue]]? {
    let path =
      tenant == Store.controlTenant
      ? "\(directory)/control.sqlite" : "\(directory)/tenants/\(tenant).sqlite"
    guard access(path, F_OK) == 0 else { return nil }
    var handle: OpaquePointer?
    defer { sqlite3_close_v2(handle) }
    var statement: OpaquePointer?
    defer { sqlite3_finalize(statement) }
    func failure(_ code: Int32) -> StoreError {
      StoreError(
        StoreError.Code(sqlite: code), "\(path): \(String(cString: sqlite3_errmsg(handle)))",
        sqliteCode: code)
    }
    var code = sqlite3_open_v2(path, &handle, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, nil)
    guard code == SQLITE_OK else { throw failure(code) }
    sqlite3_busy_timeout(handle, 5_000)
    code = sqlite3_prepare_v2(handle, sql, -1, &statement, nil)
    guard code == SQLITE_OK, let statement else { throw failure(code) }
    let bytes = text.utf8CString
    _ = bytes.withUnsafeBufferPointer {
      sluice_sqlite_bind_text(statement, 1, $0.baseAddress, UInt64($0.count - 1))
    }
    var rows: [[SQLValue]] = []
    while true {
      code = sqlite3_step(statement)
      if code == SQLITE_DONE { return rows }
      guard code == SQLITE_ROW else { throw failure(code) }
      rows.append((0..<sqlite3_column_count(statement)).map { value(statement, $0) })
    }
  }

  private static func value(_ statement: OpaquePointer, _ column: Int32) -> SQLValue {
    switch sqlite3_column_type(statement, column) {
    case SQLITE_INTEGER: .integer(sqlite3_column_int64(statement, column))
    case SQLITE_FLOAT: .real(sqlite3_column_double(statement, column))
    case SQLITE_TEXT:
      .text(sqlite3_column_text(statement, column).map { String(cString: $0) } ?? "")
    case SQLITE_BLOB:
      .blob(
        [UInt8](
          UnsafeRawBufferPointer(
            start: sqlite3_column_blob(statement, column),
            count: Int(sqlite3_column_bytes(statement, column)))))
    default: .null
    }
  }
}
