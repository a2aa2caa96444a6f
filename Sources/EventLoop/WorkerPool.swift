internal import CUV
internal import Glibc

/// A bounded set of threads with a bounded queue, for work that blocks: SQL, password hashing, files, DNS.
///
/// `@unchecked Sendable`: everything mutable is guarded by `mutex`.
public final class WorkerPool: @unchecked Sendable {
  /// Bytes of stack for a worker: libraries such as SQLite need little, and only pages touched take memory.
  static let stackBytes = 2 * 1024 * 1024

  private struct Job {
    let work: @Sendable () -> Void
  }

  /// How many jobs may wait beside those that run.
  public let queueLimit: Int
  /// As given: in errors, and in the names of the threads.
  public let name: String

  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let hasWork = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
  /// A ring of `queueLimit` places.
  private var ring: [Job?]
  private var head = 0
  private var waiting = 0
  private var running = 0
  private var isStopping = false
  private var threads: [pthread_t] = []

  /// Starts the threads.
  ///
  /// - Parameters:
  ///   - name: of the threads, with a number behind it; the kernel keeps 15 bytes.
  ///   - threads: at least 1.
  ///   - queueLimit: jobs that may wait, at least 1; one more is refused.
  ///   - niceness: added to the threads' nice value: 0, or up to 19 for work that must not slow the loops down.
  /// - Throws: ``SystemError`` when a thread cannot be started; those that were are stopped.
  public init(
    name: String, threads count: Int, queueLimit: Int, niceness: Int32 = 0
  ) throws(SystemError) {
    precondition(count > 0 && queueLimit > 0)
    self.name = name
    self.queueLimit = queueLimit
    ring = Array(repeating: nil, count: queueLimit)
    pthread_mutex_init(mutex, nil)
    pthread_cond_init(hasWork, nil)
    for number in 0..<count {
      do throws(SystemError) {
        // The threads end in `stop`, which the pool's owner must call: until then they hold it.
        let thread = try startThread(name: "\(name)-\(number)", stackBytes: Self.stackBytes) {
          if niceness != 0 { Self.giveWay(niceness) }
          self.work()
        }
        threads.append(thread)
      } catch {
        stop()
        throw error
      }
    }
  }

  /// Lowers the calling thread's priority.
  private static func giveWay(_ niceness: Int32) {
    // On Linux, 0 is the calling thread, not the process.
    let target = Int32(PRIO_PROCESS.rawValue)
    let lowered = min(19, getpriority(target, 0) + niceness)
    // A loop that wakes waits for the end of a slice of the kernel's; not for that of a thread that asks for a longer one.
    if cuv_set_schedule(lowered, 100_000_000) != 0 { setpriority(target, 0, lowered) }
  }

  deinit {
    pthread_cond_destroy(hasWork)
    pthread_mutex_destroy(mutex)
    hasWork.deallocate()
    mutex.deallocate()
  }

  /// Queues work, and then a completion on a loop. [any-thread]
  ///
  /// - Parameters:
  ///   - loop: where `completion` runs. If it has stopped by then, `completion` is dropped.
  ///   - work: runs on one of the pool's threads.
  ///   - completion: is given what `work` returned.
  /// - Returns: false, and nothing runs, when the queue is full or the pool is stopping.
  public func submit<T: Sendable>(
    on loop: EventLoop, _ work: @escaping @Sendable () -> T,
    completion: @escaping @Sendable (T) -> Void
  ) -> Bool {
    submit {
      let result = work()
      loop.post { completion(result) }
    }
  }

  /// Queues a global function, and then another one on a loop; both get the same words. [any-thread]
  ///
  /// As ``submit(on:_:completion:)`` in all else.
  public func submit(
    on loop: EventLoop, _ work: LoopFunction, _ a: UInt64, _ b: UInt64, completion: LoopFunction
  ) -> Bool {
    submit {
      work(a, b)
      loop.post(completion, a, b)
    }
  }

  /// Queues work that nobody waits for; false as in ``submit(on:_:completion:)``. [any-thread]
  public func submit(_ work: @escaping @Sendable () -> Void) -> Bool {
    pthread_mutex_lock(mutex)
    let isTaken = waiting < queueLimit && !isStopping
    if isTaken {
      ring[(head + waiting) % queueLimit] = Job(work: work)
      waiting += 1
      pthread_cond_signal(hasWork)
    }
    pthread_mutex_unlock(mutex)
    return isTaken
  }

  /// Runs work on the pool and waits for it as tasks wait. [any task]
  ///
  /// - Throws: ``WorkerPoolFull``, at once, when the queue is full or the pool is stopping.
  public func run<T: Sendable>(
    _ work: @escaping @Sendable () -> T
  ) async throws(WorkerPoolFull) -> T {
    let result: T? = await withCheckedContinuation { continuation in
      if !submit({ continuation.resume(returning: work()) }) {
        continuation.resume(returning: nil)
      }
    }
    guard let result else { throw WorkerPoolFull(pool: name) }
    return result
  }

  /// Jobs that wait and jobs that run. [any-thread]
  public var load: (waiting: Int, running: Int) {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    return (waiting, running)
  }

  /// Refuses new jobs, runs those that wait, and joins the threads. Idempotent. [not a worker's thread]
  public func stop() {
    pthread_mutex_lock(mutex)
    isStopping = true
    let joined = threads
    threads = []
    pthread_cond_broadcast(hasWork)
    pthread_mutex_unlock(mutex)
    for thread in joined { pthread_join(thread, nil) }
  }

  private func work() {
    pthread_mutex_lock(mutex)
    while true {
      while waiting == 0 && !isStopping { pthread_cond_wait(hasWork, mutex) }
      guard waiting > 0 else { break }
      let job = ring[head]
      ring[head] = nil
      head = (head + 1) % queueLimit
      waiting -= 1
      running += 1
      pthread_mutex_unlock(mutex)
      job?.work()
      pthread_mutex_lock(mutex)
      running -= 1
    }
    pthread_mutex_unlock(mutex)
  }
}

/// A worker pool had no room for a job; the answer to a client is "overloaded".
public struct WorkerPoolFull: Error, CustomStringConvertible {
  /// The pool's name.
  public let pool: String

  public var description: String { "the queue of worker pool \(pool) is full" }
}
