/// A migration's file name: `0001_name.sql`, or with a variant, `0001_name.sqlite.sql`.
public struct MigrationFile: Sendable, Equatable {
  /// The databases that a file may be written for.
  public enum Driver: String, Sendable, CaseIterable {
    case sqlite
    case postgres
  }

  /// The whole name, as in the folder.
  public var fileName: String
  /// From 1; the digits before the first underscore.
  public var version: Int
  /// The words between number and extension.
  public var name: String
  /// `nil`: for every database.
  public var driver: Driver?

  /// Takes a file name apart. Throws ``StoreError/Code/invalid`` with the reason.
  public init(_ fileName: String) throws(StoreError) {
    func refuse(_ reason: String) -> StoreError {
      StoreError(
        .invalid,
        "migration file \(fileName): \(reason); expected 0001_name.sql, 0001_name.sqlite.sql or 0001_name.postgres.sql"
      )
    }
    var parts = fileName.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count >= 2, parts.last == "sql" else { throw refuse("it does not end in .sql") }
    parts.removeLast()
    if parts.count == 2 {
      guard let driver = Driver(rawValue: String(parts[1])) else {
        throw refuse("there is no database called \(parts[1])")
      }
      self.driver = driver
    } else if parts.count != 1 {
      throw refuse("it has too many dots")
    }
    let stem = parts[0]
    guard let underscore = stem.firstIndex(of: "_") else {
      throw refuse("there is no _ after the number")
    }
    let digits = stem[..<underscore]
    let name = stem[stem.index(after: underscore)...]
    guard digits.utf8.count == 4, digits.utf8.allSatisfy({ (48...57).contains($0) }),
      let version = Int(digits), version > 0
    else { throw refuse("it does not begin with four digits above 0000") }
    guard !name.isEmpty,
      name.utf8.allSatisfy({
        (97...122).contains($0) || (48...57).contains($0) || $0 == 95 || $0 == 45
      })
    else { throw refuse("the name may have a-z, 0-9, _ and - only") }
    self.fileName = fileName
    self.version = version
    self.name = String(name)
  }

  /// The files to run on one database, in order: where a version has a variant for it, that one.
  /// Throws ``StoreError/Code/invalid`` for a malformed name, a gap, or two files of one version.
  public static func select(
    from fileNames: [String], for driver: Driver
  ) throws(StoreError) -> [MigrationFile] {
    var chosen: [Int: MigrationFile] = [:]
    var seen: Set<Int> = []
    for fileName in fileNames.sorted() {
      let file = try MigrationFile(fileName)
      seen.insert(file.version)
      guard file.driver == nil || file.driver == driver else { continue }
      if let other = chosen[file.version] {
        guard other.name == file.name, (other.driver == nil) != (file.driver == nil) else {
          throw StoreError(
            .invalid, "migration files \(other.fileName) and \(fileName) have the same number")
        }
        if file.driver == nil { continue }
      }
      chosen[file.version] = file
    }
    for version in 1..<((seen.max() ?? 0) + 1) where chosen[version] == nil {
      throw StoreError(
        .invalid, "there is no migration file number \(version) for \(driver.rawValue)")
    }
    return chosen.values.sorted { $0.version < $1.version }
  }
}
