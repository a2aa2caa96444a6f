import CSQLite

/// A tenant's open file as its writer sees it. Used on that writer's thread only.
final class SQLiteTenantFile {
  let tenant: String
  let connection: SQLiteConnection
  let options: StoreOptions
  let counters: StoreCounterCells
  private(set) var schema: SQLiteSchema
  /// Whether the last process to use the file did not close it.
  let wasUnclean: Bool
  /// Where the outbox sweep goes on, and how many events have come since its last step.
  var sweepPosition: Int64 = 0
  var eventsSinceSweep = 0
  /// Groups since a batch failed.
  var trust = 0
  /// Whether the log is being moved, and how long it may become before it is.
  private var isMovingLog = false
  private var logBound: Int32

  var epoch: String { schema.epoch }

  /// Opens the file, creating it if it is not there, and checks it if told to or if it was not
  /// closed properly.
  init(
    tenant: String, path: String, mustCheck: Bool, options: StoreOptions,
    counters: StoreCounterCells
  ) throws(StoreError) {
    self.tenant = tenant
    self.options = options
    self.counters = counters
    logBound = Int32(clamping: options.logPages)
    wasUnclean = SQLiteFiles.hasLog(path)
    try SQLiteFiles.createIfAbsent(path)
    connection = try SQLiteConnection(path: path, role: .writer, options: options)
    schema = SQLiteSchema()
    do throws(StoreError) {
      if wasUnclean || mustCheck { try check() }
      try prepareSchema()
      try refreshSchema()
      if !schema.tables.contains("sluice_requests") {
        try transaction { () throws(StoreError) in
          try connection.execute(SQLiteHostSQL.requests)
        }
        try refreshSchema()
      }
    } catch {
      connection.close()
      throw error
    }
    counters.filesOpened.increment()
  }

  func close() { connection.close() }

  /// Compares every index with its table as well: what an index has lost would be written over otherwise.
  private func check() throws(StoreError) {
    var verdict = ""
    try connection.query(.integrityCheck) { verdict = $0.text(at: 0) }
    guard verdict == "ok" else {
      throw StoreError(
        .corrupted, "\(connection.path): \(verdict); restore it from a backup",
        sqliteCode: SQLITE_CORRUPT)
    }
  }

  private func prepareSchema() throws(StoreError) {
    var version: Int64 = 0
    try connection.query(.userVersion) { version = $0.integer(at: 0) }
    if version == SQLiteHostSQL.schemaVersion { return }
    guard version == 0 else {
      throw StoreError(
        .schemaTooNew,
        "\(connection.path) has layout \(version) and this program knows \(SQLiteHostSQL.schemaVersion); use the newer program"
      )
    }
    try transaction { () throws(StoreError) in
      try connection.execute(SQLiteHostSQL.schema)
      try connection.execute(
        "INSERT INTO sluice_file VALUES ('\(Self.randomEpoch())', \(options.now()))")
      try connection.execute("PRAGMA user_version=\(SQLiteHostSQL.schemaVersion)")
    }
  }

  static func randomEpoch() -> String {
    let digits = Array("0123456789abcdefghjkmnpqrstvwxyz")
    return String((0..<8).map { _ in digits[Int.random(in: 0..<32)] })
  }

  /// Reads anew what the authorizer and the other connections must know.
  func refreshSchema() throws(StoreError) {
    var fresh = SQLiteSchema()
    fresh.generation = schema.generation + 1
    try connection.query(.epoch) { fresh.epoch = $0.text(at: 0) }
    try connection.query(.tables) { fresh.tables.insert($0.text(at: 0).lowercased()) }
    try connection.query(.owners) { fresh.owners.insert($0.text(at: 0)) }
    guard !fresh.epoch.isEmpty else {
      throw StoreError(
        .corrupted, "\(connection.path) has no epoch; restore it from a backup")
    }
    schema = fresh
    connection.authorizer.schema = fresh
    connection.clearStatements()
  }

  /// Runs `body` in a transaction of its own, rolled back when it throws.
  func transaction<Result>(
    _ body: () throws(StoreError) -> Result
  ) throws(StoreError) -> Result {
    try connection.query(.beginImmediate)
    do throws(StoreError) {
      let result = try body()
      try connection.query(.commit)
      return result
    } catch {
      if !connection.isAutocommit { try? connection.query(.rollback) }
      throw error
    }
  }

  /// Whether the log has become so long that it is to be moved; once until ``finishLog()``.
  func mustMoveLog() -> Bool {
    guard !isMovingLog, connection.logPages >= logBound else { return false }
    isMovingLog = true
    return true
  }

  /// Moves the rest of the log, most of which has been moved already, so that the next COMMIT begins it anew.
  func finishLog() {
    isMovingLog = false
    let bound = Int32(clamping: options.logPages)
    let position = connection.checkpoint(syncs: false)
    // Until the next COMMIT there is nothing more to be moved.
    if position.isWhole { connection.logHasMoved() }
    // A read that has lasted long keeps it from beginning anew: it is tried again when as much has come.
    logBound =
      position.isWhole ? bound : connection.logPages.addingReportingOverflow(bound).partialValue
  }

  /// Moves the log into the file and empties it, so that a copy of the file alone is complete.
  func checkpoint() throws(StoreError) { try connection.query(.checkpoint) }
}
