/// SQL for tenants, each in a file of its own, off the threads of those who ask.
///
/// Requests may come from any thread and return at once. A request that cannot be accepted throws,
/// and then its completion is never called; every accepted one is answered exactly once, on one of
/// the store's own threads. A completion must return soon, because that thread waits, and may make
/// new requests.
///
/// Writes of one tenant are committed in the order of their requests. A read sees every write whose
/// completion was called before the read was asked for.
public final class Store: Sendable {
  /// The gateway's own database, `control.sqlite`, beside the tenants'. It is never deleted, and no
  /// tenant can have this name.
  public static let controlTenant = "@control"

  /// As given; they do not change while the store is open.
  public let options: StoreOptions
  private let files: SQLiteFiles
  private let counterCells = StoreCounterCells()
  private let readers: SQLiteReaders
  private let checkpointer: SQLiteCheckpointer
  private let writers: [SQLiteWriter]
  private let state = StoreState()

  /// Opens the data directory, creating it and `tenants/` in it (mode 0700) where they are missing,
  /// and starts the threads. Throws ``StoreError/Code/directory`` with the path and the operating
  /// system's reason when files cannot be written there.
  ///
  /// Only one process may use a directory; the caller sees to that.
  public init(directory: String, options: StoreOptions = StoreOptions()) throws(StoreError) {
    try options.validate()
    files = try SQLiteFiles(directory: directory)
    SQLiteLibrary.configure()
    self.options = options
    let counters = counterCells
    let readers = SQLiteReaders(options: options, counters: counters)
    self.readers = readers
    let checkpointer = SQLiteCheckpointer(readers: readers)
    self.checkpointer = checkpointer
    let capacity = max(1, options.maximumOpenTenants / options.writerThreads)
    writers = (0..<options.writerThreads).map { _ in
      SQLiteWriter(
        options: options, counters: counters, readers: readers, checkpointer: checkpointer,
        capacity: capacity)
    }
    do throws(StoreError) {
      for _ in 0..<options.readerThreads {
        state.add(try WorkerThread.start(name: "store-read") { readers.run() })
      }
      for writer in writers {
        state.add(try WorkerThread.start(name: "store-write") { writer.run() })
      }
      // Nobody waits for it, and it has as much to do as a writer.
      state.add(try WorkerThread.start(name: "store-log", niceness: 10) { checkpointer.run() })
    } catch {
      // Threads that did not start must not be waited for.
      readers.abandon()
      checkpointer.stop()
      for writer in writers { writer.stop() }
      state.detachAll()
      throw error
    }
  }

  deinit {
    // Closes in the background when `close` was not called.
    stop()
    state.detachAll()
  }

  // MARK: Writing

  /// Commits a batch. The completion is called when it is on disk, or not done at all.
  ///
  /// Throws `invalid` (a name or a count), `tooLarge`, `overloaded`, `tenantDeleted` or `closed`;
  /// the completion's errors are those of ``StoreError/Code``.
  public func submit(
    tenant: String, batch: Batch,
    completion: @escaping @Sendable (Result<BatchReply, StoreError>) -> Void
  ) throws(StoreError) {
    try batch.validate()
    let cost = batch.cost
    guard cost <= options.maximumBatchBytes else {
      throw StoreError(
        .tooLarge, "the batch is \(cost) bytes, over the \(options.maximumBatchBytes) allowed")
    }
    let tenant = try self.tenant(tenant)
    try tenant.writer.enqueue(
      .batch(PendingBatch(batch: batch, completion: completion), cost: cost), for: tenant)
  }

  /// Applies an owner's migrations that the tenant's file does not have yet, in order, each in a
  /// transaction of its own. Does nothing when there are none.
  ///
  /// Completes with `invalid` for versions other than 1, 2, 3…, `migrationChanged`, `schemaTooNew`,
  /// or the error of the migration that failed; those before it stay applied.
  public func migrate(
    tenant: String, owner: String, migrations: [Migration],
    completion: @escaping @Sendable (Result<MigrationReport, StoreError>) -> Void
  ) throws(StoreError) {
    try Batch.validate(owner: owner)
    try write(tenant, completion) { file throws(StoreError) in
      try file.migrate(owner: owner, migrations: migrations)
    }
  }

  /// Opens the tenant's file, creating it if need be. After an unclean stop this is what checks it.
  public func open(
    tenant: String, completion: @escaping @Sendable (Result<OpenedTenant, StoreError>) -> Void
  ) throws(StoreError) {
    try write(tenant, completion) { file throws(StoreError) in
      var top: Int64 = 0
      try file.connection.query(.topSequence) { top = $0.integer(at: 0) }
      return OpenedTenant(epoch: file.epoch, topSequence: top, wasUnclean: file.wasUnclean)
    }
  }

  /// Moves the tenant's log into its file, so that a copy of the file alone is complete.
  public func checkpoint(
    tenant: String, completion: @escaping @Sendable (Result<Void, StoreError>) -> Void
  ) throws(StoreError) {
    try write(tenant, completion) { file throws(StoreError) in try file.checkpoint() }
  }

  /// Deletes the tenant's file. Requests made before are answered first; those made until the
  /// completion is called throw `tenantDeleted`; after it, the name stands for a new, empty file.
  public func deleteTenant(
    _ tenant: String, completion: @escaping @Sendable (Result<Void, StoreError>) -> Void
  ) throws(StoreError) {
    guard tenant != Self.controlTenant else {
      throw StoreError(.invalid, "the control database cannot be deleted")
    }
    let tenant = try self.tenant(tenant)
    try tenant.writer.enqueue(.delete(completion), for: tenant)
  }

  /// Puts a database that lies elsewhere on the same file system in the place of the tenant's, whole; what was there is then
  /// where the other was, and the completion is told whether there was anything. The other must be closed, one file, and
  /// with an epoch of its own (``StoreFile/copy(in:of:to:)``). Requests made before are answered first; those made until
  /// the completion is called throw `tenantDeleted`.
  public func replaceTenant(
    _ tenant: String, with path: String,
    completion: @escaping @Sendable (Result<Bool, StoreError>) -> Void
  ) throws(StoreError) {
    guard tenant != Self.controlTenant else {
      throw StoreError(.invalid, "the control database cannot be replaced")
    }
    let tenant = try self.tenant(tenant)
    try tenant.writer.enqueue(.replace(with: path, completion), for: tenant)
  }

  // MARK: Reading

  /// Runs statements in one snapshot. They may not change anything.
  public func read(
    tenant: String, owner: String, statements: [Statement],
    completion: @escaping @Sendable (Result<RowBlock, StoreError>) -> Void
  ) throws(StoreError) {
    try Batch(owner: owner, statements: statements).validate()
    try read(tenant, completion) { connection throws(StoreError) in
      try connection.read(owner: owner, statements: statements)
    }
  }

  /// Reads a channel's history: offsets above `since`, rising; or in `reverse`, below `since`, falling.
  /// `limit` 0 gives the channel's position alone. An unknown channel is an empty one.
  public func history(
    tenant: String, channel: String, since: Int64? = nil, limit: Int, reverse: Bool = false,
    completion: @escaping @Sendable (Result<HistoryPage, StoreError>) -> Void
  ) throws(StoreError) {
    try Self.validate(limit: limit)
    try read(tenant, completion) { connection throws(StoreError) in
      try connection.history(channel: channel, since: since, limit: limit, reverse: reverse)
    }
  }

  /// Reads the tenant's events above a sequence, in order, as listeners are told of them. May end
  /// before `limit` at the bound on result bytes, but never empty while there are more.
  public func eventsAfter(
    tenant: String, sequence: Int64, limit: Int,
    completion: @escaping @Sendable (Result<[CommittedEvent], StoreError>) -> Void
  ) throws(StoreError) {
    try Self.validate(limit: limit)
    try read(tenant, completion) { connection throws(StoreError) in
      try connection.events(after: sequence, limit: limit)
    }
  }

  /// How many bytes of the tenant's file are in use: its pages but those that deletions have freed, which the next writes take.
  public func usedBytes(
    of tenant: String, completion: @escaping @Sendable (Result<Int, StoreError>) -> Void
  ) throws(StoreError) {
    try read(tenant, completion) { connection throws(StoreError) in try connection.usedBytes() }
  }

  // MARK: Listeners

  /// Where a listener stands: the sequence of the last event it has dealt with, or `nil` when it has
  /// no cursor.
  public func cursor(
    tenant: String, listener: String,
    completion: @escaping @Sendable (Result<Int64?, StoreError>) -> Void
  ) throws(StoreError) {
    try Self.validate(listener: listener)
    try read(tenant, completion) { connection throws(StoreError) in
      try connection.cursor(of: listener)
    }
  }

  /// Gives a listener a cursor at the tenant's last event, unless it has one, and answers where it
  /// stands. From then on no event above the cursor is dropped.
  public func registerListener(
    tenant: String, listener: String,
    completion: @escaping @Sendable (Result<Int64, StoreError>) -> Void
  ) throws(StoreError) {
    try Self.validate(listener: listener)
    try write(tenant, completion) { file throws(StoreError) in
      try file.register(listener: listener)
    }
  }

  /// Drops a listener's cursor, so that events need no longer be kept for it.
  public func removeListener(
    tenant: String, listener: String,
    completion: @escaping @Sendable (Result<Void, StoreError>) -> Void
  ) throws(StoreError) {
    try Self.validate(listener: listener)
    try write(tenant, completion) { file throws(StoreError) in
      try file.remove(listener: listener)
    }
  }

  // MARK: The store itself

  /// Tenants whose last user did not close them: their files need opening, which checks them, and
  /// their events passing on to listeners. The control database, if among them, comes first.
  public func tenantsNeedingRecovery() throws(StoreError) -> [String] {
    try files.tenantsWithLog()
  }

  /// A snapshot; the numbers are read one after the other. [any-thread]
  public var counters: StoreCounters { counterCells.snapshot }

  /// Answers everything that has been accepted, closes the files, and returns when the threads have
  /// ended. New requests throw `closed`. On one of the store's own threads it returns at once and
  /// the rest happens later.
  public func close() {
    stop()
    state.joinAll()
  }

  private func stop() {
    let writers = self.writers
    checkpointer.stop()
    readers.stop { for writer in writers { writer.wake() } }
    for writer in writers { writer.stop() }
  }

  private func tenant(_ name: String) throws(StoreError) -> SQLiteTenant {
    if let known = state.tenant(name) { return known }
    guard name == Self.controlTenant || TenantName.isValid(name) else {
      throw StoreError(
        .invalid, "\"\(name.prefix(80))\" is no tenant name: 1 to 64 of a-z, 0-9, _ and -")
    }
    return state.tenant(name) {
      SQLiteTenant(
        name: name, path: files.path(of: name), writer: writers[Self.slot(name, of: writers.count)])
    }
  }

  /// The same in every process, unlike `Hasher`, so that a measurement can be repeated.
  private static func slot(_ name: String, of count: Int) -> Int {
    var hash: UInt32 = 2_166_136_261
    for byte in name.utf8 { hash = (hash ^ UInt32(byte)) &* 16_777_619 }
    return Int(hash) % count
  }

  private func write<Value>(
    _ tenant: String, _ completion: @escaping @Sendable (Result<Value, StoreError>) -> Void,
    _ body: @escaping @Sendable (SQLiteTenantFile) throws(StoreError) -> Value
  ) throws(StoreError) {
    let tenant = try self.tenant(tenant)
    try tenant.writer.enqueue(
      .alone { opened in
        let result = Result { () throws(StoreError) in
          let file = try opened.get()
          return try tenant.watching { () throws(StoreError) in try body(file) }
        }
        return { completion(result) }
      }, for: tenant)
  }

  private func read<Value>(
    _ tenant: String, _ completion: @escaping @Sendable (Result<Value, StoreError>) -> Void,
    _ body: @escaping @Sendable (SQLiteConnection) throws(StoreError) -> Value
  ) throws(StoreError) {
    let counters = counterCells
    let tenant = try self.tenant(tenant)
    try readers.enqueue(
      { opened in
        switch opened {
        case .failure(let error): completion(.failure(error))
        case .success(let connection):
          let result = Result { () throws(StoreError) in
            try tenant.watching { () throws(StoreError) in try body(connection) }
          }
          switch result {
          case .success: counters.readsDone.increment()
          case .failure: counters.readsFailed.increment()
          }
          completion(result)
        }
      }, for: tenant)
  }

  private static func validate(limit: Int) throws(StoreError) {
    guard (0...1_000_000).contains(limit) else {
      throw StoreError(.invalid, "the limit \(limit) is not between 0 and 1000000")
    }
  }

  private static func validate(listener: String) throws(StoreError) {
    guard (1...128).contains(listener.utf8.count) else {
      throw StoreError(.invalid, "a listener's name has 1 to 128 bytes")
    }
  }
}

/// What opening a tenant's file found.
public struct OpenedTenant: Sendable, Equatable {
  /// Of the tenant's file. It changes when the file is restored or recreated.
  public var epoch: String
  /// The sequence of the last event; 0 when there was none.
  public var topSequence: Int64
  /// Whether its last user did not close it; then the file has been checked.
  public var wasUnclean: Bool
}
