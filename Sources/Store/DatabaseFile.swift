import CSQLite

/// A database outside of any store, used by hand: a copy that is made, an export that is read. [blocking]
///
/// Not `Sendable`: one thread has it. It is closed when it is let go of.
public final class DatabaseFile {
  /// What is to be done with the file.
  public enum Mode {
    /// The file must be there, and nothing is changed in it.
    case reading
    /// The file must be there.
    case writing
    /// The file must not be there; it is made with mode 0600.
    case creating
  }

  /// Where the file is, as it was given.
  public let path: String
  private let handle: OpaquePointer

  /// Opens the file.
  ///
  /// - Throws: ``StoreError`` with the path. What is no database is found at the first use.
  public init(_ path: String, _ mode: Mode) throws(StoreError) {
    if mode == .creating { try SQLiteFiles.create(path) }
    var opened: OpaquePointer?
    let flags = mode == .reading ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE
    let result = sqlite3_open_v2(path, &opened, flags | SQLITE_OPEN_NOMUTEX, nil)
    guard result == SQLITE_OK, let opened else {
      let reason = opened.map { String(cString: sqlite3_errmsg($0)) } ?? "out of memory"
      sqlite3_close_v2(opened)
      throw StoreError(StoreError.Code(sqlite: result), "\(path): \(reason)", sqliteCode: result)
    }
    self.path = path
    handle = opened
    sqlite3_extended_result_codes(handle, 1)
    sqlite3_busy_timeout(handle, 5_000)
    // What stands in a stranger's schema may not call what has effects, nor write past the tables.
    _ = sluice_sqlite_set_flag(handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0)
    _ = sluice_sqlite_set_flag(handle, SQLITE_DBCONFIG_DEFENSIVE, 1)
    _ = sluice_sqlite_set_flag(handle, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0)
  }

  deinit { sqlite3_close_v2(handle) }

  /// Runs one statement with its values in order, and gives the rows.
  @discardableResult
  public func rows(_ sql: String, _ values: SQLValue...) throws(StoreError) -> [[SQLValue]] {
    var compiled: OpaquePointer?
    let result = sqlite3_prepare_v2(handle, sql, -1, &compiled, nil)
    guard result == SQLITE_OK, let compiled else { throw failure(result, sql) }
    let statement = try SQLiteStatement(handle: compiled, sql: sql, allowsPositions: true)
    defer { statement.finalize() }
    for (index, value) in values.enumerated() {
      let result = statement.bind(value, at: Int32(index + 1))
      guard result == SQLITE_OK else { throw failure(result, sql) }
    }
    var rows: [[SQLValue]] = []
    while true {
      let result = statement.step()
      if result == SQLITE_DONE { return rows }
      guard result == SQLITE_ROW else { throw failure(result, sql) }
      rows.append((0..<Int32(statement.columns.count)).map(statement.value))
    }
  }

  /// Runs a text of several statements.
  public func execute(_ sql: String) throws(StoreError) {
    let result = sqlite3_exec(handle, sql, nil, nil, nil)
    guard result == SQLITE_OK else { throw failure(result, sql) }
  }

  /// Makes this one what `other` is at one moment. Whoever writes to the other meanwhile goes on.
  public func copy(from other: DatabaseFile) throws(StoreError) {
    guard let backup = sqlite3_backup_init(handle, "main", other.handle, "main") else {
      throw failure(sqlite3_extended_errcode(handle), nil)
    }
    // In one step, so that it is one snapshot and never begins anew.
    let step = sqlite3_backup_step(backup, -1)
    let result = sqlite3_backup_finish(backup)
    guard step == SQLITE_DONE, result == SQLITE_OK else {
      // What cannot be read is the other's fault, a full disk this one's; both have a name.
      let code = step == SQLITE_DONE ? result : step
      var error = failure(code, nil)
      error.message = "copying \(other.path) to \(path): \(String(cString: sqlite3_errstr(code)))"
      throw error
    }
  }

  private func failure(_ result: Int32, _ sql: String?) -> StoreError {
    let code = StoreError.Code(sqlite: result)
    return StoreError(
      code, "\(path): \(String(cString: sqlite3_errmsg(handle)))", sqliteCode: result, sql: sql)
  }
}
