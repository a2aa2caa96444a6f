import Glibc

/// A look into the files of a data directory from outside, whether a gateway runs on it or not. [blocking]
public enum StoreFile {
  /// Where a tenant's file is, or ``Store/controlTenant``'s.
  public static func path(in directory: String, of tenant: String) -> String {
    tenant == Store.controlTenant
      ? "\(directory)/control.sqlite" : "\(directory)/tenants/\(tenant).sqlite"
  }

  /// Whether a tenant has a file.
  public static func exists(in directory: String, of tenant: String) -> Bool {
    access(path(in: directory, of: tenant), F_OK) == 0
  }

  /// The rows that a query gives, or nil when there is no such file. Nothing is made or changed.
  ///
  /// - Parameters:
  ///   - directory: the data directory.
  ///   - tenant: whose file, or ``Store/controlTenant``.
  ///   - text: the value of the query's only parameter.
  /// - Throws: ``StoreError``: the file is not readable, or no database.
  public static func rows(
    in directory: String, of tenant: String, _ sql: String, _ text: String
  ) throws(StoreError) -> [[SQLValue]]? {
    let path = path(in: directory, of: tenant)
    guard access(path, F_OK) == 0 else { return nil }
    return try DatabaseFile(path, .reading).rows(sql, .text(text))
  }

  /// Copies a tenant's database as it is at one moment into a new file, checks the copy and gives it an epoch of its own:
  /// whoever knows offsets of the original must not take them for the copy's, which may go another way. The copy is one
  /// file, on disk when this returns. Where the tenant has no file yet the copy is an empty database.
  ///
  /// - Throws: ``StoreError``: `corrupted` names the original; the copy is removed.
  public static func copy(
    in directory: String, of tenant: String, to path: String
  ) throws(StoreError) {
    let original = self.path(in: directory, of: tenant)
    do throws(StoreError) {
      let copy = try DatabaseFile(path, .creating)
      if access(original, F_OK) == 0 {
        do throws(StoreError) {
          try copy.copy(from: try DatabaseFile(original, .writing))
          // In WAL mode a file does not stand for itself.
          try copy.execute("PRAGMA journal_mode=DELETE")
          try check(copy)
        } catch {
          guard error.code == .corrupted else { throw error }
          var error = error
          error.message = "\(original) is damaged: \(error.message)"
          throw error
        }
        try renewEpoch(of: copy)
      }
    } catch {
      unlink(path)
      throw error
    }
    try SQLiteFiles.sync(file: path)
  }

  /// Whether SQLite finds the database whole, in every page and every index.
  ///
  /// - Throws: ``StoreError/Code/corrupted`` with what it found first; `schemaTooNew` for a layout of tables that this
  ///   program does not know.
  public static func check(_ file: DatabaseFile) throws(StoreError) {
    var verdict = "no answer"
    if case .text(let text)? = try file.rows("PRAGMA integrity_check(1)").first?.first {
      verdict = text
    }
    guard verdict == "ok" else { throw StoreError(.corrupted, "\(file.path): \(verdict)") }
    guard case .integer(let version)? = try file.rows("PRAGMA user_version").first?.first,
      version <= SQLiteHostSQL.schemaVersion
    else {
      throw StoreError(
        .schemaTooNew,
        "\(file.path) has a layout that is newer than \(SQLiteHostSQL.schemaVersion), which this program knows; use the newer program"
      )
    }
  }

  /// Gives the database an epoch that none had before. One without the store's tables has none.
  public static func renewEpoch(of file: DatabaseFile) throws(StoreError) {
    guard try hasTable("sluice_file", in: file) else { return }
    try file.rows("UPDATE sluice_file SET epoch = ?1", .text(SQLiteTenantFile.randomEpoch()))
  }

  /// Whether there is a table of that name.
  public static func hasTable(_ name: String, in file: DatabaseFile) throws(StoreError) -> Bool {
    try !file.rows("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?1", .text(name))
      .isEmpty
  }

  /// A migration that was applied to a file and is marked breaking.
  public struct BreakingMigration: Sendable, Equatable {
    /// Whose tables it changed.
    public var owner: String
    /// Its number, from 1.
    public var version: Int
    /// The words after its number.
    public var name: String
  }

  /// The last breaking migration of each owner in the file.
  public static func breakingMigrations(
    in file: DatabaseFile
  ) throws(StoreError) -> [BreakingMigration] {
    guard try hasTable("sluice_migrations", in: file) else { return [] }
    return try file.rows(
      "SELECT owner, max(version), name FROM sluice_migrations WHERE breaking GROUP BY owner"
    ).compactMap { row in
      guard case .text(let owner) = row[0], case .integer(let version) = row[1],
        case .text(let name) = row[2]
      else { return nil }
      return BreakingMigration(owner: owner, version: Int(version), name: name)
    }
  }
}
