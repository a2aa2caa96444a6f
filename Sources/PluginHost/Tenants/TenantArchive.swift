internal import Store

/// What an export holds beside the tenant's own database: what the gateway keeps of the tenant in `control.sqlite`.
///
/// An export is the tenant's database with tables of the gateway's in it, whose names no plugin can have. Credentials are
/// in it as the digests that the gateway knows; secrets are sealed, with the exporting gateway's key or one made for the
/// journey, bound to tenant and name as ever.
struct TenantArchive: Sendable {
  /// Grows with every change that an older gateway would misread.
  static let format: Int64 = 1

  var record: TenantRecord
  /// Sealed, by name.
  var secrets: [String: [UInt8]]
  /// The name of the plan that the app is on; nil in exports of before.
  var plan: String?
  /// Plugins that are woken when the app is in place.
  var wakes: [String] = []
  /// Versions that the app had chosen and has no more since it came here, as `id@version`.
  private(set) var lostVersions: [String] = []

  private static let tables = """
    CREATE TABLE sluice_export (
      format INTEGER NOT NULL, tenant TEXT NOT NULL, created_at BIGINT NOT NULL, exported_at BIGINT NOT NULL,
      version TEXT NOT NULL
    );
    CREATE TABLE sluice_export_plugins (
      plugin TEXT NOT NULL PRIMARY KEY, enabled INTEGER NOT NULL, config TEXT NOT NULL
    );
    CREATE TABLE sluice_export_versions (plugin TEXT NOT NULL PRIMARY KEY, version TEXT NOT NULL);
    CREATE TABLE sluice_export_hosts (position INTEGER NOT NULL PRIMARY KEY, host TEXT NOT NULL);
    CREATE TABLE sluice_export_origins (position INTEGER NOT NULL PRIMARY KEY, origin TEXT NOT NULL);
    CREATE TABLE sluice_export_keys (
      id TEXT NOT NULL PRIMARY KEY, digest BLOB NOT NULL, scopes TEXT NOT NULL, expires_at BIGINT NOT NULL
    );
    CREATE TABLE sluice_export_plan (plan TEXT NOT NULL);
    CREATE TABLE sluice_export_secrets (name TEXT NOT NULL PRIMARY KEY, sealed BLOB NOT NULL);
    """
  private static let names = [
    "sluice_export", "sluice_export_plugins", "sluice_export_hosts", "sluice_export_keys",
    "sluice_export_secrets", "sluice_export_origins", "sluice_export_versions",
    "sluice_export_plan",
  ]

  /// Writes it into a copy of the tenant's database, in one transaction. [blocking]
  func write(into file: DatabaseFile, at time: Int64) throws(StoreError) {
    try file.execute("BEGIN IMMEDIATE")
    try file.execute(Self.tables)
    try file.rows(
      "INSERT INTO sluice_export VALUES (?1, ?2, ?3, ?4, ?5)", .integer(Self.format),
      .text(record.id), .integer(record.createdAt), .integer(time), .text(Version.current))
    for (plugin, setting) in record.plugins {
      try file.rows(
        "INSERT INTO sluice_export_plugins VALUES (?1, ?2, ?3)", .text(plugin),
        .integer(setting.enabled ? 1 : 0), .text(setting.config))
      if let version = setting.version {
        try file.rows(
          "INSERT INTO sluice_export_versions VALUES (?1, ?2)", .text(plugin), .text(version))
      }
    }
    for (position, host) in record.hosts.enumerated() {
      try file.rows(
        "INSERT INTO sluice_export_hosts VALUES (?1, ?2)", .integer(Int64(position)), .text(host))
    }
    for (position, origin) in record.origins.enumerated() {
      try file.rows(
        "INSERT INTO sluice_export_origins VALUES (?1, ?2)", .integer(Int64(position)),
        .text(origin))
    }
    if let plan { try file.rows("INSERT INTO sluice_export_plan VALUES (?1)", .text(plan)) }
    for key in record.keys {
      try file.rows(
        "INSERT INTO sluice_export_keys VALUES (?1, ?2, ?3, ?4)", .text(key.id),
        .blob(key.digest), .text(key.scopes.joined(separator: " ")), .integer(key.expiresAt))
    }
    for (name, sealed) in secrets {
      try file.rows("INSERT INTO sluice_export_secrets VALUES (?1, ?2)", .text(name), .blob(sealed))
    }
    try file.execute("COMMIT")
  }

  /// Reads what a file holds, believing nothing of it. What it says of the tenant is checked where it is put to use.
  /// [blocking]
  init(from file: DatabaseFile) throws(TenantError) {
    do throws(StoreError) {
      guard try StoreFile.hasTable("sluice_export", in: file) else {
        throw StoreError(.invalid, "it is no export of an app")
      }
      guard let head = try file.rows("SELECT * FROM sluice_export").first, head.count >= 5,
        case .integer(let format) = head[0], case .text(let tenant) = head[1],
        case .integer(let created) = head[2], case .text(let version) = head[4]
      else { throw Self.malformed("sluice_export") }
      guard format == Self.format else {
        throw StoreError(
          .schemaTooNew,
          "it has format \(format), written by version \(version); this one knows format \(Self.format)"
        )
      }
      record = TenantRecord(id: tenant)
      record.createdAt = created
      secrets = [:]
      for row in try file.rows("SELECT plugin, enabled, config FROM sluice_export_plugins") {
        guard case .text(let plugin) = row[0], case .integer(let enabled) = row[1],
          case .text(let config) = row[2]
        else { throw Self.malformed("sluice_export_plugins") }
        record.plugins[plugin] = PluginSetting(enabled: enabled != 0, config: config)
      }
      // Exports of before have none.
      if try StoreFile.hasTable("sluice_export_versions", in: file) {
        for row in try file.rows("SELECT plugin, version FROM sluice_export_versions") {
          guard case .text(let plugin) = row[0], case .text(let version) = row[1] else {
            throw Self.malformed("sluice_export_versions")
          }
          record.plugins[plugin]?.version = version
        }
      }
      if try StoreFile.hasTable("sluice_export_plan", in: file),
        let row = try file.rows("SELECT plan FROM sluice_export_plan").first
      {
        guard case .text(let name) = row[0] else { throw Self.malformed("sluice_export_plan") }
        plan = name
      }
      for row in try file.rows("SELECT host FROM sluice_export_hosts ORDER BY position") {
        guard case .text(let host) = row[0] else { throw Self.malformed("sluice_export_hosts") }
        record.hosts.append(host)
      }
      // Exports of before have none.
      if try StoreFile.hasTable("sluice_export_origins", in: file) {
        for row in try file.rows("SELECT origin FROM sluice_export_origins ORDER BY position") {
          guard case .text(let origin) = row[0] else {
            throw Self.malformed("sluice_export_origins")
          }
          record.origins.append(origin)
        }
      }
      for row in try file.rows(
        "SELECT id, digest, scopes, expires_at FROM sluice_export_keys ORDER BY id")
      {
        guard case .text(let id) = row[0], case .blob(let digest) = row[1],
          case .text(let scopes) = row[2], case .integer(let expiry) = row[3]
        else { throw Self.malformed("sluice_export_keys") }
        record.keys.append(
          StoredKey(
            id: id, digest: digest, scopes: scopes.split(separator: " ").map(String.init),
            expiresAt: expiry))
      }
      for row in try file.rows("SELECT name, sealed FROM sluice_export_secrets") {
        guard case .text(let name) = row[0], case .blob(let sealed) = row[1] else {
          throw Self.malformed("sluice_export_secrets")
        }
        secrets[name] = sealed
      }
    } catch {
      throw TenantError(error, while: "reading the file")
    }
  }

  init(record: TenantRecord, secrets: [String: [UInt8]], plan: String? = nil) {
    self.record = record
    self.secrets = secrets
    self.plan = plan
  }

  /// Takes back what the app has chosen of versions that are not installed, where the standard one of the plugin is.
  mutating func chooseStandardVersions(installed: [PluginManifest]) {
    for (id, setting) in record.plugins.sorted(by: { $0.key < $1.key }) {
      let versions = installed.filter { $0.id == id }.map(\.version)
      guard let version = setting.version, !versions.isEmpty, !versions.contains(version) else {
        continue
      }
      record.plugins[id]?.version = nil
      lostVersions.append("\(id)@\(version)")
    }
  }

  /// Takes the gateway's tables out again, so that the tenant's own database is left. [blocking]
  static func strip(_ file: DatabaseFile) throws(StoreError) {
    for name in names { try file.execute("DROP TABLE IF EXISTS \(name)") }
  }

  private static func malformed(_ table: String) -> StoreError {
    StoreError(.corrupted, "table \(table) holds what no gateway has written")
  }
}
