import CSQLite

/// The library as a whole, shared with whatever else in the process uses it.
enum SQLiteLibrary {
  private static let configured: Void = {
    _ = sluice_sqlite_disable_memory_statistics()
    _ = sluice_sqlite_disable_page_blocks()
  }()

  /// Has effect once, and only if nothing has used SQLite before.
  static func configure() { configured }
}
