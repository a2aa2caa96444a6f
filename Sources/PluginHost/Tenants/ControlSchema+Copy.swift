internal import Store

/// A copy of `control.sqlite` for one tenant. [blocking]
extension ControlSchema {
  /// What says of the file itself what it is, and of the sealing key which it is: nobody's.
  private static let shared: Set<String> = ["sluice_file", "sluice_migrations", "sluice_seal"]

  /// Removes what is not the tenant's from a copy, so that nothing of it is left in the file's bytes either. Of a table that does not
  /// say whose its rows are nothing is kept.
  static func keep(only tenant: String, in file: DatabaseFile) throws(StoreError) {
    let tables = try file.rows(
      "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT GLOB 'sqlite_*'")
    for case .text(let table) in tables.compactMap(\.first) where !shared.contains(table) {
      let columns = try file.rows("SELECT name FROM pragma_table_info(?1)", .text(table))
      let owner = table == "sluice_tenants" ? "id" : "tenant"
      let isOwned = columns.contains { $0.first == .text(owner) }
      let quoted = "\"" + table.replacing("\"", with: "\"\"") + "\""
      if isOwned {
        try file.rows("DELETE FROM \(quoted) WHERE \(owner) IS NOT ?1", .text(tenant))
      } else {
        try file.execute("DELETE FROM \(quoted)")
      }
    }
    try file.execute("VACUUM")
  }
}
