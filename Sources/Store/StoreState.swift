/// What a store keeps for its whole life: the tenants it has met and its threads.
///
/// `@unchecked Sendable`: everything is guarded by `monitor`.
final class StoreState: @unchecked Sendable {
  private let monitor = Monitor()
  private var tenants: [String: SQLiteTenant] = [:]
  private var threads: [WorkerThread] = []
  private var isJoining = false

  func tenant(_ name: String) -> SQLiteTenant? { monitor.withLock { tenants[name] } }

  func tenant(_ name: String, make: () -> SQLiteTenant) -> SQLiteTenant {
    monitor.withLock {
      if let known = tenants[name] { return known }
      let fresh = make()
      tenants[name] = fresh
      return fresh
    }
  }

  func add(_ thread: WorkerThread) { monitor.withLock { threads.append(thread) } }

  /// Waits until every thread has ended; on one of them, lets them all end alone.
  func joinAll() {
    let mine: [WorkerThread] = monitor.withLock {
      while isJoining { monitor.wait() }
      isJoining = true
      defer { threads = [] }
      return threads
    }
    let isOwn = mine.contains { $0.isCurrent }
    for thread in mine {
      if isOwn { thread.detach() } else { thread.join() }
    }
    monitor.withLock {
      isJoining = false
      monitor.broadcast()
    }
  }

  func detachAll() {
    monitor.withLock {
      for thread in threads { thread.detach() }
      threads = []
    }
  }
}
