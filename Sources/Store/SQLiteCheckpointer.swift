/// A thread that moves logs back into their files, so that no writer waits for it.
///
/// Most of a log is moved here while the writer goes on; what came meanwhile is little, and the writer moves that itself between
/// two groups. Only then may the log begin again at its start, where it is overwritten, which costs a sync less than growing.
///
/// `@unchecked Sendable`: the queue is guarded by `monitor`.
final class SQLiteCheckpointer: @unchecked Sendable {
  private let readers: SQLiteReaders
  private let monitor = Monitor()
  private var queue = Ring<SQLiteTenant>()
  private var isStopping = false

  init(readers: SQLiteReaders) { self.readers = readers }

  /// Has the tenant's log moved; ``SQLiteTenantFile/finishLog()`` is queued with its writer when that is done. [writer's thread]
  func enqueue(_ tenant: SQLiteTenant) {
    monitor.withLock {
      queue.append(tenant)
      monitor.signal()
    }
  }

  /// Lets the thread end. What is queued stays in the logs, which the writers move when they close the files.
  func stop() {
    monitor.withLock {
      isStopping = true
      monitor.signal()
    }
  }

  /// The thread's life.
  func run() {
    while let tenant = take() {
      guard let loan = readers.borrow(tenant) else { continue }
      let connection = loan.connection ?? (try? readers.open(tenant))
      if let connection, !connection.checkpoint(syncs: true).isWhole {
        // What came meanwhile, which is less.
        _ = connection.checkpoint(syncs: true)
      }
      // Queued while the file cannot be closed yet, so that the writer still has it.
      try? tenant.writer.enqueue(
        .alone { opened in
          if case .success(let file) = opened { file.finishLog() }
          return {}
        }, for: tenant, isInternal: true)
      readers.give(connection, backTo: tenant)
    }
  }

  private func take() -> SQLiteTenant? {
    monitor.withLock {
      while queue.isEmpty, !isStopping { monitor.wait() }
      return isStopping ? nil : queue.popFirst()
    }
  }
}

/// How far a log has been moved into its file, in pages.
struct LogPosition {
  var pages: Int32
  var moved: Int32

  var isWhole: Bool { pages == moved }
}
