/// Why the store did not do what it was asked. Nothing of the batch is on disk, unless the
/// documentation of the code says otherwise.
public struct StoreError: Error, Sendable, Equatable, CustomStringConvertible {
  /// What kind of failure. The raw values are stable.
  public enum Code: String, Sendable, CaseIterable {
    /// A guard did not hold, a reference found no row, or a cursor would not have moved forward.
    case conflict
    /// The data breaks a UNIQUE, CHECK, NOT NULL or FOREIGN KEY constraint, or a trigger refused.
    case constraint
    /// The owner may not touch what the statement names, or may not use that kind of statement.
    case forbidden
    /// A malformed argument: a name, a bind, a count, more than one statement.
    case invalid
    /// SQLite does not accept the SQL.
    case sql
    /// A queue is full; nothing was queued.
    case overloaded
    /// The store has been closed.
    case closed
    /// The statement ran longer than ``StoreOptions/timeoutMilliseconds``.
    case deadline
    /// A batch or a result is larger than its bound.
    case tooLarge = "too_large"
    /// The disk, or the tenant's file quota, is full.
    case storageFull = "storage_full"
    /// The file or the file system cannot be written.
    case readOnly = "read_only"
    /// The operating system failed to read, write or sync. The batch is not there. Only if
    /// the process ends before the tenant's next successful commit may it be found there after all.
    case io
    /// The tenant's file is damaged. Other tenants are not affected.
    case corrupted
    /// Another process holds the tenant's file.
    case busy
    /// The file was written by a newer version that says older ones must not use it.
    case schemaTooNew = "schema_too_new"
    /// A migration that was applied has since been edited.
    case migrationChanged = "migration_changed"
    /// The data directory cannot be used.
    case directory
    /// The tenant was deleted while this waited.
    case tenantDeleted = "tenant_deleted"
    /// The request that the batch is the effect of has been carried out before.
    case repeated
    case outOfMemory = "out_of_memory"
  }

  /// Stable; what a program decides by.
  public var code: Code
  /// What happened, where, and what to do, in words.
  public var message: String
  /// Which statement of the batch (from 0): of a failed guard, the guard's index.
  public var statement: Int?
  /// SQLite's extended result code, when it comes from there.
  public var sqliteCode: Int32?
  /// The SQL at fault, cut to 512 bytes.
  public var sql: String?

  /// - Parameter sql: cut to 512 characters.
  public init(
    _ code: Code, _ message: String, statement: Int? = nil, sqliteCode: Int32? = nil,
    sql: String? = nil
  ) {
    self.code = code
    self.message = message
    self.statement = statement
    self.sqliteCode = sqliteCode
    self.sql = sql.map { $0.utf8.count <= 512 ? $0 : String($0.prefix(512)) + "…" }
  }

  public var description: String {
    let place = statement.map { "statement \($0): " } ?? ""
    let origin = sqliteCode.map { " (SQLite \($0))" } ?? ""
    return "\(code.rawValue): \(place)\(message)\(origin)"
  }
}
