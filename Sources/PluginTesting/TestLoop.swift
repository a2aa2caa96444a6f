internal import Glibc
internal import Synchronization

/// A thread that does what it is given, in order: what an event loop is to a plugin.
final class TestLoop: Sendable {
  typealias Job = @Sendable () -> Void

  private struct State {
    var jobs: [Job] = []
    var isStopped = false
  }

  private let state = Mutex(State())
  private let wake = Signal()
  private let identity = Atomic<UInt>(0)

  init() {
    // The thread keeps the loop until it is stopped.
    let reference = Unmanaged.passRetained(self)
    var thread = pthread_t()
    let failure = pthread_create(
      &thread, nil,
      { context in
        if let context { Unmanaged<TestLoop>.fromOpaque(context).takeRetainedValue().run() }
        return nil
      }, reference.toOpaque())
    precondition(failure == 0, "the machine has no thread left for a test")
    pthread_detach(thread)
  }

  /// Whether this is the loop's thread.
  var isCurrent: Bool { identity.load(ordering: .acquiring) == UInt(pthread_self()) }

  /// Has `job` done later, after all that was posted before. Any thread. What comes after `stop` is
  /// dropped.
  func post(_ job: @escaping Job) {
    state.withLock { if !$0.isStopped { $0.jobs.append(job) } }
    wake.signal()
  }

  /// Does `body` on the loop's thread and returns its value.
  func run<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
      post { continuation.resume(with: Result { try body() }) }
    }
  }

  /// Ends the thread when it has done what was posted before.
  func stop() {
    post { self.state.withLock { $0.isStopped = true } }
  }

  private func run() {
    identity.store(UInt(pthread_self()), ordering: .releasing)
    while true {
      let (jobs, isStopped) = state.withLock { state in
        defer { state.jobs = [] }
        return (state.jobs, state.isStopped)
      }
      for job in jobs { job() }
      if jobs.isEmpty {
        if isStopped { return }
        wake.wait()
      }
    }
  }
}

/// A wake-up that is not lost when it comes early.
///
/// `@unchecked Sendable`: a semaphore is made to be used from any thread, and belongs to none.
final class Signal: @unchecked Sendable {
  private let semaphore = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)

  init() { sem_init(semaphore, 0, 0) }

  deinit {
    sem_destroy(semaphore)
    semaphore.deallocate()
  }

  /// Any thread.
  func signal() { sem_post(semaphore) }

  /// Any thread that may block.
  func wait() {
    while sem_wait(semaphore) != 0 {}
  }
}
