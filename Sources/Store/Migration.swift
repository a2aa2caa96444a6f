/// A step that brings an owner's tables from one version to the next.
public struct Migration: Sendable, Equatable {
  /// From 1, without gaps.
  public var version: Int
  /// For errors and reports; it decides nothing.
  public var name: String
  /// One or more statements. Only here may an owner create, alter and drop what is its own.
  public var sql: String
  /// Whether code that does not know this migration must not use the tables any more.
  public var isBreaking: Bool

  /// Nothing is checked before it is run.
  public init(version: Int, name: String, sql: String, isBreaking: Bool = false) {
    self.version = version
    self.name = name
    self.sql = sql
    self.isBreaking = isBreaking
  }

  /// FNV-1a over the text: finds an edited migration, and resists no attacker.
  public var checksum: String {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in sql.utf8 { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
    let digits = String(hash, radix: 16)
    return "fnv1a64:" + String(repeating: "0", count: 16 - digits.count) + digits
  }

  /// Checks that the versions are 1, 2, 3…, in that order.
  static func validate(_ migrations: [Migration], owner: String) throws(StoreError) {
    for (index, migration) in migrations.enumerated() where migration.version != index + 1 {
      let given = migrations.map { String($0.version) }.joined(separator: ", ")
      throw StoreError(
        .invalid,
        "migrations of \(owner) must be numbered from 1 without gaps or duplicates; given: \(given)"
      )
    }
  }
}

/// What a run of migrations did.
public struct MigrationReport: Sendable, Equatable {
  /// The versions applied now, in order.
  public var applied: [Int]
  /// The owner's version in the file, which may be above the newest one given.
  public var version: Int
}
