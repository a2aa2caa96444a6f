/// How a store behaves. The defaults suit a gateway on a small machine.
public struct StoreOptions: Sendable {
  /// Threads that write. A tenant always writes on the same one.
  public var writerThreads = 2
  /// Threads that read, any tenant on any of them.
  public var readerThreads = 2
  /// How many tenants' files stay open; shared out evenly among the writers. Each costs about
  /// 142 KB and 3 descriptors per connection.
  public var maximumOpenTenants = 64
  /// Prepared statements kept per connection.
  public var cachedStatements = 128
  /// The most batches, and bytes of batches, in one COMMIT. Bounds how long a busy tenant keeps its
  /// writer from the others.
  public var maximumGroupBatches = 1024
  /// As `maximumGroupBatches`, in bytes.
  public var maximumGroupBytes = 4 << 20
  /// Pages of 4 KiB in a tenant's log from which on it is moved into the file, beside the writing.
  public var logPages = 8_000
  /// The most batches waiting per tenant, and bytes waiting per writer; beyond is
  /// ``StoreError/Code/overloaded``.
  public var maximumQueuedBatches = 8192
  /// Bytes waiting for one writer, of all its tenants.
  public var maximumQueuedBytes = 64 << 20
  /// The most reads waiting per tenant; beyond is ``StoreError/Code/overloaded``.
  public var maximumQueuedReads = 8192
  /// The largest batch, and the largest result of a batch or a read, in bytes; beyond is
  /// ``StoreError/Code/tooLarge``.
  public var maximumBatchBytes = 8 << 20
  /// Bytes of one result.
  public var maximumResultBytes = 16 << 20
  /// The largest a tenant's file may grow, in bytes; beyond is ``StoreError/Code/storageFull``.
  public var maximumFileBytes: Int64?
  /// How long one batch or one read may run, in milliseconds of real time; beyond is
  /// ``StoreError/Code/deadline``. Migrations have no limit.
  public var timeoutMilliseconds = 5_000
  /// Unix milliseconds. Called on the store's threads.
  public var now: @Sendable () -> Int64
  /// Called after each COMMIT that holds events, on the tenant's writer thread, in commit order and
  /// before the completions of the batches. It must return soon: the writer waits.
  public var onCommitted: @Sendable (CommittedEvents) -> Void

  /// - Parameters:
  ///   - now: Unix milliseconds, for the events' times; called on any of the store's threads.
  ///   - onCommitted: see ``onCommitted``.
  public init(
    now: @escaping @Sendable () -> Int64 = { SystemClock.unixMilliseconds() },
    onCommitted: @escaping @Sendable (CommittedEvents) -> Void = { _ in }
  ) {
    self.now = now
    self.onCommitted = onCommitted
  }

  func validate() throws(StoreError) {
    let positive: [(String, Int)] = [
      ("writerThreads", writerThreads), ("readerThreads", readerThreads),
      ("maximumOpenTenants", maximumOpenTenants), ("cachedStatements", cachedStatements),
      ("maximumGroupBatches", maximumGroupBatches), ("maximumGroupBytes", maximumGroupBytes),
      ("logPages", logPages),
      ("maximumQueuedBatches", maximumQueuedBatches), ("maximumQueuedBytes", maximumQueuedBytes),
      ("maximumQueuedReads", maximumQueuedReads), ("maximumBatchBytes", maximumBatchBytes),
      ("maximumResultBytes", maximumResultBytes), ("timeoutMilliseconds", timeoutMilliseconds),
    ]
    for (name, value) in positive where value < 1 {
      throw StoreError(.invalid, "store option \(name) is \(value); it must be at least 1")
    }
    // The row block counts in 32 bits.
    guard maximumResultBytes <= Int(Int32.max), maximumBatchBytes <= Int(Int32.max) else {
      throw StoreError(
        .invalid, "store option maximumResultBytes or maximumBatchBytes is over 2 GiB")
    }
    if let maximumFileBytes, maximumFileBytes < 1 << 16 {
      throw StoreError(
        .invalid, "store option maximumFileBytes is \(maximumFileBytes); it must be at least 65536")
    }
  }
}
