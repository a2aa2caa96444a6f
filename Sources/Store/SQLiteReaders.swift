/// The threads that read, for all tenants, taking them in turn. A tenant's idle connections are kept
/// with the tenant, so that any thread can go on with them.
///
/// `@unchecked Sendable`: all members, and the tenants' members that say so, are guarded by `monitor`.
final class SQLiteReaders: @unchecked Sendable {
  private let options: StoreOptions
  private let counters: StoreCounterCells
  private let monitor = Monitor()

  private var queue = Ring<SQLiteTenant>()
  private var waiting = 0
  private var uses: UInt64 = 0
  /// Threads that wait for a tenant's running reads to end.
  private var retiring = 0
  /// Reads accepted and not yet answered. The threads stay until there are none.
  private var unanswered = 0
  private var isStopping = false
  private var threads: Int
  /// Called when the last thread has ended.
  private var onEnd: [@Sendable () -> Void] = []

  init(options: StoreOptions, counters: StoreCounterCells) {
    self.options = options
    self.counters = counters
    threads = options.readerThreads
  }

  /// Queues a read. The first one of a tenant whose file is closed has its writer open it.
  func enqueue(_ job: @escaping ReadJob, for tenant: SQLiteTenant) throws(StoreError) {
    let mustOpen = try monitor.withLock { () throws(StoreError) -> Bool in
      guard !isStopping else { throw StoreError.storeClosed }
      guard !tenant.refusesReads else { throw StoreError.deleted(tenant.name) }
      guard tenant.reads.count < options.maximumQueuedReads else {
        counters.overloads.increment()
        throw StoreError(
          .overloaded, "\(tenant.reads.count) reads of \(tenant.name) wait; try again later")
      }
      tenant.reads.append(job)
      unanswered += 1
      if tenant.isReadable {
        offer(tenant)
        return false
      }
      defer { tenant.awaitsOpening = true }
      return !tenant.awaitsOpening
    }
    guard mustOpen else { return }
    do throws(StoreError) {
      // Opening alone is what is wanted; `admit` or `refuse` takes the reads on.
      try tenant.writer.enqueue(.alone({ _ in {} }), for: tenant, isInternal: true)
    } catch {
      refuse(tenant, error)
    }
  }

  private func offer(_ tenant: SQLiteTenant) {
    uses += 1
    tenant.lastUse = uses
    guard !tenant.isQueuedForReading, !tenant.reads.isEmpty else { return }
    tenant.isQueuedForReading = true
    queue.append(tenant)
    if retiring > 0 {
      // A single signal might wake only the one that waits for something else.
      monitor.broadcast()
    } else if waiting > 0 {
      monitor.signal()
    }
  }

  // MARK: Called by the writers

  /// The tenant's file is open: its reads may go on.
  func admit(_ tenant: SQLiteTenant, schema: SQLiteSchema) {
    monitor.withLock {
      tenant.isReadable = true
      tenant.awaitsOpening = false
      tenant.schema = schema
      offer(tenant)
    }
  }

  func update(_ tenant: SQLiteTenant, schema: SQLiteSchema) {
    monitor.withLock { tenant.schema = schema }
  }

  /// Fails the reads that wait, because the file could not be opened or is to go.
  func refuse(_ tenant: SQLiteTenant, _ error: StoreError, untilReopened: Bool = false) {
    var refused: [ReadJob] = []
    monitor.withLock {
      tenant.awaitsOpening = false
      tenant.refusesReads = tenant.refusesReads || untilReopened
      while let job = tenant.reads.popFirst() { refused.append(job) }
    }
    counters.readsFailed.increment(by: UInt64(refused.count))
    for job in refused { job(.failure(error)) }
    monitor.withLock {
      unanswered -= refused.count
      if isStopping, unanswered == 0 { monitor.broadcast() }
    }
  }

  /// Whether reads wait for a file that has been closed, and nobody has been asked to open it.
  func mustReopen(_ tenant: SQLiteTenant) -> Bool {
    monitor.withLock {
      guard !tenant.isReadable, !tenant.reads.isEmpty, !tenant.awaitsOpening else { return false }
      tenant.awaitsOpening = true
      return true
    }
  }

  /// Has the tenant's file stay open, and lends an idle connection to it if there is one, until ``give(_:backTo:)``. `nil` when
  /// it is closed, or the store is closing.
  func borrow(_ tenant: SQLiteTenant) -> Loan? {
    monitor.withLock {
      guard tenant.isReadable, !isStopping else { return nil }
      tenant.activeReads += 1
      unanswered += 1
      return Loan(connection: tenant.idleReaders.popLast())
    }
  }

  /// A file that stays open, and a connection to it if one was idle.
  struct Loan {
    var connection: SQLiteConnection?
  }

  func accept(_ tenant: SQLiteTenant) { monitor.withLock { tenant.refusesReads = false } }

  func leastRecentlyUsed(of tenants: [SQLiteTenant]) -> SQLiteTenant? {
    monitor.withLock {
      tenants.filter { $0.activeReads == 0 && $0.reads.isEmpty }.min { $0.lastUse < $1.lastUse }
    }
  }

  /// Notes a use by the writer.
  func touch(_ tenant: SQLiteTenant) {
    monitor.withLock {
      uses += 1
      tenant.lastUse = uses
    }
  }

  /// Takes the tenant's connections away, for closing. `nil` when it is in use and not forced;
  /// forced, it waits until the running reads have ended.
  func retire(_ tenant: SQLiteTenant, force: Bool) -> [SQLiteConnection]? {
    monitor.lock()
    defer { monitor.unlock() }
    if !force, tenant.activeReads > 0 || !tenant.reads.isEmpty { return nil }
    tenant.isReadable = false
    retiring += 1
    while tenant.activeReads > 0 { monitor.wait() }
    retiring -= 1
    defer { tenant.idleReaders = [] }
    return tenant.idleReaders
  }

  // MARK: Ending

  /// No more reads are accepted; `then` is called when the last one is done, unless that has been said already.
  func stop(then: @escaping @Sendable () -> Void) {
    monitor.withLock {
      isStopping = true
      if threads > 0 { onEnd.append(then) }
      monitor.broadcast()
    }
  }

  /// Ends without waiting for threads, of which some could not be started.
  func abandon() {
    monitor.withLock {
      isStopping = true
      threads = 0
      monitor.broadcast()
    }
  }

  var hasEnded: Bool { monitor.withLock { threads <= 0 } }

  // MARK: The threads

  /// One thread's life.
  func run() {
    while let (tenant, job, idle, schema) = take() {
      let connection: SQLiteConnection
      do throws(StoreError) {
        connection =
          if let idle { idle } else {
            try tenant.watching { () throws(StoreError) in try open(tenant) }
          }
      } catch {
        give(nil, backTo: tenant)
        counters.readsFailed.increment()
        job(.failure(error))
        continue
      }
      if connection.authorizer.schema.generation != schema.generation {
        connection.authorizer.schema = schema
        connection.clearStatements()
      }
      job(.success(connection))
      give(connection, backTo: tenant)
    }
    let ended = monitor.withLock { () -> [@Sendable () -> Void] in
      threads -= 1
      guard threads == 0 else { return [] }
      // What they hold holds these readers.
      defer { onEnd = [] }
      return onEnd
    }
    for body in ended { body() }
  }

  func open(_ tenant: SQLiteTenant) throws(StoreError) -> SQLiteConnection {
    try SQLiteConnection(path: tenant.path, role: .reader, options: options)
  }

  private func take() -> (SQLiteTenant, ReadJob, SQLiteConnection?, SQLiteSchema)? {
    monitor.lock()
    defer { monitor.unlock() }
    while true {
      while let tenant = queue.popFirst() {
        tenant.isQueuedForReading = false
        // Closed since it was queued: its reads wait for it to be opened again.
        guard tenant.isReadable, let job = tenant.reads.popFirst() else { continue }
        tenant.activeReads += 1
        if !tenant.reads.isEmpty { offer(tenant) }
        return (tenant, job, tenant.idleReaders.popLast(), tenant.schema)
      }
      if isStopping, unanswered == 0 { return nil }
      waiting += 1
      monitor.wait()
      waiting -= 1
    }
  }

  func give(_ connection: SQLiteConnection?, backTo tenant: SQLiteTenant) {
    monitor.withLock {
      if let connection { tenant.idleReaders.append(connection) }
      tenant.activeReads -= 1
      unanswered -= 1
      if retiring > 0 || isStopping && unanswered == 0 { monitor.broadcast() }
    }
  }
}
