import CSQLite

/// One connection to one tenant's file, with its statements.
///
/// `@unchecked Sendable`: used by one thread at a time, a writer's own or the reader thread that has
/// taken it from the tenant's idle ones.
final class SQLiteConnection: @unchecked Sendable {
  let handle: OpaquePointer
  let path: String
  let authorizer = SQLiteAuthorizer()
  /// Results are written here before they are copied out at their exact size.
  let rows = RowBlockWriter()
  let options: StoreOptions

  private struct CacheKey: Hashable {
    var owner: String
    var sql: String
  }
  private var cache: [CacheKey: SQLiteStatement] = [:]
  /// The statement asked for last: batches that wait together are mostly of one kind.
  private var latest: SQLiteStatement?
  private var latestKey = CacheKey(owner: "", sql: "")
  private var hostCache = [SQLiteStatement?](repeating: nil, count: SQLiteHostSQL.allCases.count)
  private var uses: UInt64 = 0
  /// Monotonic nanoseconds after which the running statement is interrupted. At a fixed address for
  /// the progress handler, which SQLite calls on the thread that runs the statement.
  private let deadline: UnsafeMutablePointer<UInt64>
  /// How many pages stood in the log after the last COMMIT of this connection.
  private let logged: UnsafeMutablePointer<Int32>

  enum Role {
    case writer
    case reader
  }

  /// Opens the file, which must exist. A reader's statements cannot write.
  init(path: String, role: Role, options: StoreOptions) throws(StoreError) {
    var opened: OpaquePointer?
    let result = sqlite3_open_v2(path, &opened, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nil)
    guard result == SQLITE_OK, let opened else {
      let code = opened.map { sqlite3_extended_errcode($0) } ?? result
      let reason = opened.map { String(cString: sqlite3_errmsg($0)) } ?? "out of memory"
      sqlite3_close_v2(opened)
      throw StoreError(StoreError.Code(sqlite: code), "\(path): \(reason)", sqliteCode: code)
    }
    handle = opened
    self.path = path
    self.options = options
    deadline = .allocate(capacity: 1)
    deadline.initialize(to: .max)
    logged = .allocate(capacity: 1)
    logged.initialize(to: 0)
    do throws(StoreError) {
      try configure(role)
    } catch {
      close()
      throw error
    }
  }

  deinit {
    deadline.deallocate()
    logged.deallocate()
  }

  private func configure(_ role: Role) throws(StoreError) {
    sqlite3_extended_result_codes(handle, 1)
    sqlite3_busy_timeout(handle, 5_000)
    guard sqlite3_db_readonly(handle, "main") != 1 else {
      throw StoreError(.readOnly, "\(path) cannot be opened for writing; check its permissions")
    }
    for (flag, value) in [
      (SQLITE_DBCONFIG_DEFENSIVE, 1),
      (SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0), (SQLITE_DBCONFIG_ENABLE_FTS3_TOKENIZER, 0),
      // A misspelt "column" must be an error, not a string.
      (SQLITE_DBCONFIG_DQS_DML, 0), (SQLITE_DBCONFIG_DQS_DDL, 0),
      (SQLITE_DBCONFIG_ENABLE_FKEY, 1),
    ] as [(Int32, Int32)] { _ = sluice_sqlite_set_flag(handle, flag, value) }
    sqlite3_limit(
      handle, SQLITE_LIMIT_LENGTH,
      Int32(max(options.maximumResultBytes, options.maximumBatchBytes)))
    sqlite3_limit(handle, SQLITE_LIMIT_ATTACHED, 0)
    sqlite3_progress_handler(
      handle, 1_000,
      { context in
        guard let deadline = context?.assumingMemoryBound(to: UInt64.self).pointee,
          deadline != .max
        else { return 0 }
        return SystemClock.monotonicNanoseconds() > deadline ? 1 : 0
      }, deadline)
    authorizer.attach(to: handle)
    // The first statement that reads the file, so the one that finds that it is no database.
    var journal = ""
    try query(.journalMode) { journal = $0.text(at: 0) }
    guard journal == "wal" else {
      throw StoreError(.io, "\(path) cannot be put in WAL mode; is it on a network file system?")
    }
    try execute("PRAGMA synchronous=FULL")
    try execute("PRAGMA temp_store=MEMORY")
    try execute("PRAGMA cell_size_check=ON")
    try execute("PRAGMA journal_size_limit=33554432")
    if role == .reader { try execute("PRAGMA query_only=ON") }
    // Instead of the checkpoint that SQLite would make after a COMMIT.
    sqlite3_wal_hook(
      handle,
      { logged, _, _, pages in
        logged?.assumingMemoryBound(to: Int32.self).pointee = pages
        return SQLITE_OK
      }, logged)
    if let bytes = options.maximumFileBytes, role == .writer {
      var pageSize: Int64 = 4096
      try query(.pageSize) { pageSize = $0.integer(at: 0) }
      try execute("PRAGMA max_page_count=\(max(1, bytes / max(512, pageSize)))")
    }
  }

  /// Finalizes everything and closes. The last connection to a file moves its log into it.
  func close() {
    clearStatements()
    for statement in hostCache { statement?.finalize() }
    hostCache = hostCache.map { _ in nil }
    sqlite3_close_v2(handle)
  }

  /// Bytes of the pages that are not free. Of no one moment while a writer is at work.
  func usedBytes() throws(StoreError) -> Int {
    var (size, pages, free): (Int64, Int64, Int64) = (0, 0, 0)
    try query(.pageSize) { size = $0.integer(at: 0) }
    try query(.freePages) { free = $0.integer(at: 0) }
    try query(.pageCount) { pages = $0.integer(at: 0) }
    return Int(size * max(0, pages - free))
  }

  /// Drops owners' statements; called when the schema has changed.
  func clearStatements() {
    for statement in cache.values { statement.finalize() }
    cache.removeAll()
    latest = nil
  }

  /// Whether no transaction is open, also when SQLite ended it by itself.
  var isAutocommit: Bool { sqlite3_get_autocommit(handle) != 0 }

  /// Whether a deferred foreign key is violated at this point of the transaction.
  var hasUnresolvedForeignKeys: Bool {
    var current: Int32 = 0
    var highest: Int32 = 0
    sqlite3_db_status(handle, SQLITE_DBSTATUS_DEFERRED_FKS, &current, &highest, 0)
    return current != 0
  }

  /// Runs `body` with statements judged as `owner`'s, under the time limit unless told otherwise.
  func acting<Result>(
    as owner: String, _ mode: SQLiteAuthorizer.Mode, limited: Bool = true,
    _ body: () throws(StoreError) -> Result
  ) throws(StoreError) -> Result {
    authorizer.owner = owner
    authorizer.mode = mode
    authorizer.denial = nil
    deadline.pointee =
      limited
      ? SystemClock.monotonicNanoseconds() + UInt64(options.timeoutMilliseconds) * 1_000_000 : .max
    defer {
      authorizer.mode = .host
      authorizer.owner = Owner.host
      deadline.pointee = .max
    }
    return try body()
  }

  /// The error that the connection's last failure stands for.
  func failure(_ result: Int32, sql: String? = nil) -> StoreError {
    if let denial = authorizer.denial {
      authorizer.denial = nil
      return StoreError(.forbidden, denial, sqliteCode: SQLITE_AUTH, sql: sql)
    }
    let extended = sqlite3_extended_errcode(handle)
    let code = extended & 0xff == result & 0xff ? extended : result
    let kind = StoreError.Code(sqlite: code)
    var message = String(cString: sqlite3_errmsg(handle))
    if kind == .deadline {
      message = "it ran longer than \(options.timeoutMilliseconds) ms"
    } else if kind.concernsFile {
      message = "\(path): \(message)"
    }
    return StoreError(kind, message, sqliteCode: code, sql: sql)
  }

  // MARK: Statements

  /// The compiled form of `sql` for the present owner, from the cache where it is there.
  func statement(_ sql: String) throws(StoreError) -> SQLiteStatement {
    uses += 1
    if let latest, latestKey.sql == sql, latestKey.owner == authorizer.owner {
      latest.lastUse = uses
      return latest
    }
    let key = CacheKey(owner: authorizer.owner, sql: sql)
    if let cached = cache[key] {
      cached.lastUse = uses
      (latest, latestKey) = (cached, key)
      return cached
    }
    let (statement, consumed) = try compile(sql, from: 0, allowsPositions: false)
    guard let statement else { throw StoreError(.invalid, "the statement is empty", sql: sql) }
    guard SQLText.isBlank(sql, from: consumed) else {
      statement.finalize()
      throw StoreError(.invalid, "more than one statement in one text", sql: sql)
    }
    if cache.count >= options.cachedStatements,
      let oldest = cache.min(by: { $0.value.lastUse < $1.value.lastUse })
    {
      oldest.value.finalize()
      cache[oldest.key] = nil
    }
    (latest, latestKey) = (statement, key)
    statement.lastUse = uses
    cache[key] = statement
    return statement
  }

  /// Compiles the first statement at byte `start`. Returns `nil` where there is only space and
  /// comments, and the byte after the statement.
  func compile(
    _ sql: String, from start: Int, allowsPositions: Bool
  ) throws(StoreError) -> (SQLiteStatement?, Int) {
    var sql = sql
    var compiled: OpaquePointer?
    var consumed = start
    var hasNUL = false
    let result: Int32 = sql.withUTF8 { bytes in
      hasNUL = bytes.contains(0)
      guard !hasNUL, let base = bytes.baseAddress else { return SQLITE_OK }
      return bytes.withMemoryRebound(to: CChar.self) { characters in
        guard let first = characters.baseAddress else { return SQLITE_OK }
        var tail: UnsafePointer<CChar>?
        let result = sqlite3_prepare_v3(
          handle, first + start, Int32(clamping: characters.count - start),
          UInt32(SQLITE_PREPARE_PERSISTENT), &compiled, &tail)
        if let tail { consumed = UnsafeRawPointer(tail) - UnsafeRawPointer(base) }
        return result
      }
    }
    guard !hasNUL else { throw StoreError(.invalid, "the SQL contains a NUL byte", sql: nil) }
    guard result == SQLITE_OK else { throw failure(result, sql: sql) }
    guard let compiled else { return (nil, consumed) }
    let statement = try SQLiteStatement(
      handle: compiled, sql: sql, allowsPositions: allowsPositions)
    return (statement, consumed)
  }

  /// Pages in the log after the last COMMIT, or since it was moved whole.
  var logPages: Int32 { logged.pointee }

  /// The log has been moved whole: the next COMMIT begins it anew, and says how long it is then.
  func logHasMoved() { logged.pointee = 0 }

  /// Moves as much of the log into the file as can be without waiting for anybody. What cannot be moved now stays; an error of
  /// the disk is met again by whoever writes next.
  ///
  /// - Parameter syncs: has what was moved on disk also where SQLite leaves that to the one who moves the rest.
  func checkpoint(syncs: Bool) -> LogPosition {
    var (pages, moved): (Int32, Int32) = (0, 0)
    let result = sqlite3_wal_checkpoint_v2(
      handle, "main", SQLITE_CHECKPOINT_PASSIVE, &pages, &moved)
    guard result == SQLITE_OK, pages >= 0 else { return LogPosition(pages: 1, moved: 0) }
    if syncs, moved < pages { _ = sluice_sqlite_sync_file(handle) }
    return LogPosition(pages: pages, moved: moved)
  }

  /// Runs one of the store's own texts, for setting up and for rare work.
  func execute(_ sql: String) throws(StoreError) {
    let result = sqlite3_exec(handle, sql, nil, nil, nil)
    guard result == SQLITE_OK else { throw failure(result, sql: sql) }
  }

  /// Runs one of the store's own statements, calling `row` at each row.
  func query(
    _ which: SQLiteHostSQL, _ values: SQLValue..., row: (SQLiteStatement) -> Void = { _ in }
  ) throws(StoreError) {
    let statement = try hostStatement(which)
    let mode = authorizer.mode
    authorizer.mode = .host
    defer {
      statement.reset()
      authorizer.mode = mode
    }
    for (index, value) in values.enumerated() {
      let result = statement.bind(value, at: Int32(index + 1))
      guard result == SQLITE_OK else { throw failure(result, sql: which.sql) }
    }
    while true {
      let result = sqlite3_step(statement.handle)
      if result == SQLITE_DONE { return }
      guard result == SQLITE_ROW else { throw failure(result, sql: which.sql) }
      row(statement)
    }
  }

  private func hostStatement(_ which: SQLiteHostSQL) throws(StoreError) -> SQLiteStatement {
    if let prepared = hostCache[which.rawValue] { return prepared }
    let mode = authorizer.mode
    authorizer.mode = .host
    defer { authorizer.mode = mode }
    guard let prepared = try compile(which.sql, from: 0, allowsPositions: true).0 else {
      throw StoreError(.sql, "empty statement", sql: which.sql)
    }
    hostCache[which.rawValue] = prepared
    return prepared
  }
}
