import Glibc
import Synchronization

/// A thread that writes for its share of the tenants, taking them in turn.
///
/// `@unchecked Sendable`: every member names the lock or the thread that owns it.
final class SQLiteWriter: @unchecked Sendable {
  private let options: StoreOptions
  private let counters: StoreCounterCells
  private let readers: SQLiteReaders
  private let checkpointer: SQLiteCheckpointer
  private let capacity: Int
  private let monitor = Monitor()

  // Guarded by `monitor`.
  private var queue = Ring<SQLiteTenant>()
  private var queuedJobs = 0
  private var queuedBytes = 0
  private var isWaiting = false
  private var isStopping = false

  // Owned by the writer's thread.
  private var openTenants: [SQLiteTenant] = []

  /// `capacity`: how many files it keeps open.
  init(
    options: StoreOptions, counters: StoreCounterCells, readers: SQLiteReaders,
    checkpointer: SQLiteCheckpointer, capacity: Int
  ) {
    self.checkpointer = checkpointer
    self.options = options
    self.counters = counters
    self.readers = readers
    self.capacity = capacity
  }

  /// Queues a job. `isInternal` jobs answer for others that have passed the bounds already.
  func enqueue(
    _ job: WriteJob, for tenant: SQLiteTenant, isInternal: Bool = false
  ) throws(StoreError) {
    try monitor.withLock { () throws(StoreError) in
      if tenant.refusesWrites { throw StoreError.deleted(tenant.name) }
      if !isInternal {
        guard !isStopping else { throw StoreError.storeClosed }
        let cost = job.cost
        guard tenant.writes.count < options.maximumQueuedBatches,
          queuedBytes + cost <= options.maximumQueuedBytes || queuedBytes == 0
        else {
          counters.overloads.increment()
          throw StoreError(
            .overloaded,
            "too much waits to be written (\(tenant.writes.count) batches of \(tenant.name), \(queuedBytes) bytes in all); try again later"
          )
        }
      }
      switch job {
      case .delete, .replace: tenant.refusesWrites = true
      case .batch, .alone: break
      }
      queuedJobs += 1
      queuedBytes += job.cost
      tenant.writes.append(job)
      if !tenant.isQueuedForWriting {
        tenant.isQueuedForWriting = true
        queue.append(tenant)
      }
      if isWaiting { monitor.signal() }
    }
  }

  /// Lets the thread end once everything queued is done and the readers have ended.
  func stop() {
    monitor.withLock {
      isStopping = true
      monitor.broadcast()
    }
  }

  /// Has the thread look again whether it may end.
  func wake() { monitor.withLock { monitor.broadcast() } }

  // MARK: The thread

  /// The thread's life.
  func run() {
    while let (tenant, work) = take() {
      perform(work, for: tenant)
      letOthersAsk(after: work)
    }
    for tenant in openTenants {
      for connection in readers.retire(tenant, force: true) ?? [] { connection.close() }
      tenant.file?.close()
      tenant.file = nil
    }
    openTenants.removeAll()
  }

  /// Lets those who have just been answered, where they share this core, ask again before the next group is made up: two groups of
  /// sixteen cost less than five of six. With an eighth of what was done waiting already it goes on at once, so that it is on its
  /// way to the disk while they ask.
  private func letOthersAsk(after work: Work) {
    guard case .group(let group) = work, group.count > 1 else { return }
    let waiting = monitor.withLock { queuedJobs }
    if waiting * 8 < group.count { sched_yield() }
  }

  /// What is done in one go.
  private enum Work {
    /// Batches to commit together.
    case group([PendingBatch])
    case one(WriteJob)
  }

  /// The next tenant and what to do for it. `nil` when the store is closing and nothing can come any more: reads that wait
  /// may need a file opened.
  private func take() -> (SQLiteTenant, Work)? {
    monitor.lock()
    defer { monitor.unlock() }
    while queue.isEmpty {
      if isStopping, readers.hasEnded { return nil }
      isWaiting = true
      monitor.wait()
      isWaiting = false
    }
    guard let tenant = queue.popFirst() else { return nil }
    let work = takeWork(of: tenant)
    if tenant.writes.isEmpty {
      tenant.isQueuedForWriting = false
    } else {
      queue.append(tenant)
    }
    return (tenant, work)
  }

  private func takeWork(of tenant: SQLiteTenant) -> Work {
    var group: [PendingBatch] = []
    var bytes = 0
    while let job = tenant.writes.popFirst(if: { job in
      guard case .batch = job else { return group.isEmpty }
      return group.count < options.maximumGroupBatches
        && (group.isEmpty || bytes + job.cost <= options.maximumGroupBytes)
    }) {
      queuedJobs -= 1
      queuedBytes -= job.cost
      guard case .batch(let pending, let cost) = job else { return .one(job) }
      bytes += cost
      group.append(pending)
    }
    return .group(group)
  }

  private func perform(_ work: Work, for tenant: SQLiteTenant) {
    switch work {
    case .group(let group): commit(group, of: tenant)
    case .one(.delete(let completion)):
      completion(Result { () throws(StoreError) in try delete(tenant) })
    case .one(.replace(let path, let completion)):
      completion(Result { () throws(StoreError) in try replace(tenant, with: path) })
    case .one(.alone(let body)): perform(body, for: tenant)
    case .one(.batch(let pending, _)): commit([pending], of: tenant)
    }
  }

  private func perform(
    _ body: @Sendable (Result<SQLiteTenantFile, StoreError>) -> () -> Void,
    for tenant: SQLiteTenant
  ) {
    let file: SQLiteTenantFile
    do throws(StoreError) {
      file = try open(tenant)
    } catch {
      body(.failure(error))()
      return
    }
    let generation = file.schema.generation
    let answer = body(.success(file))
    if file.schema.generation != generation { readers.update(tenant, schema: file.schema) }
    answer()
    moveLog(of: tenant, file)
  }

  private func commit(_ group: [PendingBatch], of tenant: SQLiteTenant) {
    let file: SQLiteTenantFile
    do throws(StoreError) {
      file = try open(tenant)
    } catch {
      for pending in group {
        counters.batchesFailed.increment()
        pending.completion(.failure(error))
      }
      return
    }
    readers.touch(tenant)
    if file.commit(group) {
      moveLog(of: tenant, file)
    } else {
      // It turned out damaged: it is opened anew and checked.
      tenant.needsCheck = true
      close(tenant)
      if readers.mustReopen(tenant) {
        do throws(StoreError) {
          try enqueue(.alone({ _ in {} }), for: tenant, isInternal: true)
        } catch {
          readers.refuse(tenant, error)
        }
      }
    }
  }

  private func moveLog(of tenant: SQLiteTenant, _ file: SQLiteTenantFile) {
    if file.mustMoveLog() { checkpointer.enqueue(tenant) }
  }

  private func open(_ tenant: SQLiteTenant) throws(StoreError) -> SQLiteTenantFile {
    if tenant.takeSuspicion(), tenant.file != nil {
      tenant.needsCheck = true
      close(tenant)
    }
    if let file = tenant.file { return file }
    do throws(StoreError) {
      if let damage = tenant.damage {
        guard SQLiteFiles.Identity(tenant.path) != damage.identity else { throw damage.error }
        tenant.damage = nil
      }
      makeRoom()
      let file = try SQLiteTenantFile(
        tenant: tenant.name, path: tenant.path, mustCheck: tenant.needsCheck, options: options,
        counters: counters)
      tenant.file = file
      tenant.needsCheck = false
      openTenants.append(tenant)
      readers.admit(tenant, schema: file.schema)
      return file
    } catch {
      if error.code == .corrupted {
        tenant.damage = (SQLiteFiles.Identity(tenant.path), error)
      }
      readers.refuse(tenant, error)
      throw error
    }
  }

  /// Closes the files used least recently until there is room for one more. One that something waits
  /// for stays, even if that makes one file too many.
  private func makeRoom() {
    while openTenants.count >= capacity {
      let idle = monitor.withLock { openTenants.filter { $0.writes.isEmpty } }
      guard let victim = readers.leastRecentlyUsed(of: idle),
        let connections = readers.retire(victim, force: false)
      else { return }
      for connection in connections { connection.close() }
      victim.file?.close()
      victim.file = nil
      openTenants.removeAll { $0 === victim }
      counters.filesEvicted.increment()
    }
  }

  /// Closes a file now, waiting for the reads that run.
  private func close(_ tenant: SQLiteTenant) {
    for connection in readers.retire(tenant, force: true) ?? [] { connection.close() }
    tenant.file?.close()
    tenant.file = nil
    openTenants.removeAll { $0 === tenant }
  }

  private func delete(_ tenant: SQLiteTenant) throws(StoreError) {
    try whileClosed(tenant) { () throws(StoreError) in try SQLiteFiles.delete(tenant.path) }
  }

  private func replace(_ tenant: SQLiteTenant, with path: String) throws(StoreError) -> Bool {
    try whileClosed(tenant) { () throws(StoreError) in
      try SQLiteFiles.exchange(tenant.path, with: path)
    }
  }

  /// Does something to the tenant's file while nobody has it open. What was there is forgotten.
  private func whileClosed<Value>(
    _ tenant: SQLiteTenant, _ body: () throws(StoreError) -> Value
  ) throws(StoreError) -> Value {
    readers.refuse(tenant, .deleted(tenant.name), untilReopened: true)
    defer {
      readers.accept(tenant)
      monitor.withLock { tenant.refusesWrites = false }
    }
    close(tenant)
    tenant.damage = nil
    return try body()
  }
}

extension StoreError {
  static func deleted(_ tenant: String) -> StoreError {
    StoreError(.tenantDeleted, "the tenant \(tenant) is being deleted or replaced")
  }

  static var storeClosed: StoreError { StoreError(.closed, "the store has been closed") }
}
