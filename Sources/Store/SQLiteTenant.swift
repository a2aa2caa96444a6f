import Synchronization

/// A tenant as the threads share it: what waits for it, and its open connections.
///
/// `@unchecked Sendable`: every member names the lock or the thread that owns it.
final class SQLiteTenant: @unchecked Sendable {
  let name: String
  let path: String
  let writer: SQLiteWriter

  /// Whether somebody who did not commit has found the file damaged since it was opened. [any-thread]
  private let isSuspect = Atomic<Bool>(false)

  init(name: String, path: String, writer: SQLiteWriter) {
    self.name = name
    self.path = path
    self.writer = writer
  }

  /// The file has turned out damaged: nothing more is written before it has been opened anew and checked, which happens
  /// soon. To be called before anybody is told. [any-thread]
  func suspect() {
    guard !isSuspect.exchange(true, ordering: .acquiringAndReleasing) else { return }
    // A tenant that is being deleted or replaced refuses; its file is gone then.
    try? writer.enqueue(.alone({ _ in {} }), for: self, isInternal: true)
  }

  /// Does something with the open file, and notes it when that turns out damaged. [any-thread]
  func watching<Value>(_ body: () throws(StoreError) -> Value) throws(StoreError) -> Value {
    do throws(StoreError) {
      return try body()
    } catch {
      if error.endsConnection { suspect() }
      throw error
    }
  }

  /// Whether the file was found damaged since this was asked last. [writer's thread]
  func takeSuspicion() -> Bool { isSuspect.exchange(false, ordering: .acquiringAndReleasing) }

  // MARK: Guarded by the writer's monitor

  var writes = Ring<WriteJob>()
  var isQueuedForWriting = false
  /// From the call of `deleteTenant` or `replaceTenant` until it is done: writes are refused.
  var refusesWrites = false

  // MARK: Owned by the writer's thread

  var file: SQLiteTenantFile?
  /// A file found damaged, so that it is not examined again for every request.
  var damage: (identity: SQLiteFiles.Identity?, error: StoreError)?

  /// Whether the file must be checked at the next opening, because it turned out damaged.
  var needsCheck = false

  // MARK: Guarded by the readers' monitor

  var reads = Ring<ReadJob>()
  var isQueuedForReading = false
  /// Whether the file is open, so that readers may open it too.
  var isReadable = false
  /// Whether the writer has been asked to open the file for the reads that wait.
  var awaitsOpening = false
  var refusesReads = false
  var activeReads = 0
  var idleReaders: [SQLiteConnection] = []
  var schema = SQLiteSchema()
  /// When it was last used, by the readers' count of uses.
  var lastUse: UInt64 = 0
}

/// Something for a tenant's writer to do.
enum WriteJob: Sendable {
  case batch(PendingBatch, cost: Int)
  /// Work that cannot share a transaction. It gets the open file, or why there is none, and returns
  /// the call of its completion, which is made when the readers know of what it changed.
  case alone(@Sendable (Result<SQLiteTenantFile, StoreError>) -> () -> Void)
  case delete(@Sendable (Result<Void, StoreError>) -> Void)
  /// Puts another file in the place of the tenant's; answers whether there was one.
  case replace(with: String, @Sendable (Result<Bool, StoreError>) -> Void)

  var cost: Int {
    switch self {
    case .batch(_, let cost): cost
    case .alone, .delete, .replace: 256
    }
  }
}

/// Something to read. It gets a connection, or why there is none.
typealias ReadJob = @Sendable (Result<SQLiteConnection, StoreError>) -> Void
