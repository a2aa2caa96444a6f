public import Store

/// An app that was made while a gateway ran, as its data directory tells of it.
public enum StoredApp {
  /// The ids of the plugins that are switched on for an app, or nil when the data directory knows no such app. The
  /// gateway may be running. [blocking]
  ///
  /// - Throws: `StoreError`: the record cannot be read.
  public static func plugins(of app: String, dataDirectory: String) throws(StoreError) -> [String]?
  {
    func rows(_ sql: String) throws(StoreError) -> [String]? {
      try StoreFile.rows(in: dataDirectory, of: Store.controlTenant, sql, app)?.compactMap { row in
        guard case .text(let text) = row[0] else { return nil }
        return text
      }
    }
    guard let found = try rows("SELECT id FROM sluice_tenants WHERE id = ?1"), !found.isEmpty else {
      return nil
    }
    return try rows(
      "SELECT plugin FROM sluice_tenant_plugins WHERE tenant = ?1 AND enabled ORDER BY plugin")
  }
}
