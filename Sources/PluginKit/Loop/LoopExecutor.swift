internal import CSluice
internal import Glibc
internal import Synchronization

/// Runs the tasks of one shard on its loop's thread, and nowhere else.
///
/// A job that is enqueued while the shard is in a call from the host goes into a queue that the call
/// empties before it returns. From anywhere else it goes into an inbox, and one post through
/// `sluice.loop/1` has the loop come for all that is in it.
final class LoopExecutor: TaskExecutor {
  /// The host's way back to the loop, which may be used from any thread while the shard is open.
  private struct Door: @unchecked Sendable {
    // Constants of the host; the inbox's lock keeps them from being used once the shard is closed.
    let loop: UnsafePointer<sluice_loop_v1_t>
    let host: UnsafePointer<sluice_host_v1_t>
  }

  /// What the loop's thread is doing for the shard.
  private struct Turn {
    /// Calls from the host that have not returned.
    var depth = 0
    var hasJobs = false
    var jobs: [UnownedJob] = []
    var running: [UnownedJob] = []
  }

  private struct Inbox {
    var jobs: [UnownedJob] = []
    var isPosted = false
    var door: Door?
    var isClosed = false
    var isRunning = false
  }

  /// How often a call from the host empties the queue before it lets the loop go on: a task that yields
  /// for ever must not stop the loop.
  private static let rounds = 128

  private let thread = pthread_self()
  // Owned by the loop's thread: `enqueue` looks at it only after it has seen that it is there. Behind a
  // pointer because every call from the host goes through it.
  nonisolated(unsafe) private let turn: UnsafeMutablePointer<Turn>
  private let inbox = Mutex(Inbox())
  private let hasMail = Atomic(false)

  /// On the loop's thread, with the shard's host table.
  init(_ link: HostLink) {
    turn = .allocate(capacity: 1)
    turn.initialize(to: Turn())
    let door = link.find("sluice.loop/1", sluice_loop_v1_t.self)
      .map { Door(loop: $0.0, host: $0.1) }
    inbox.withLock { $0.door = door }
  }

  deinit {
    turn.deinitialize(count: 1)
    turn.deallocate()
  }

  /// Whether this is the thread of the shard's loop.
  var isOnLoop: Bool { pthread_equal(pthread_self(), thread) != 0 }

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    if isOnLoop && turn.pointee.depth > 0 {
      turn.pointee.jobs.append(job)
      turn.pointee.hasJobs = true
    } else {
      post(job)
    }
  }

  /// A call from the host begins. Loop thread.
  @inline(__always)
  func enter() {
    turn.pointee.depth &+= 1
  }

  /// A call from the host is about to return: runs what it has made ready.
  @inline(__always)
  func leave() {
    if turn.pointee.hasJobs || hasMail.load(ordering: .relaxed) { drainOutermost() }
    turn.pointee.depth &-= 1
  }

  private func drainOutermost() {
    if turn.pointee.depth == 1 { drain() }
  }

  /// Runs jobs until there are none, or the loop must go on.
  func drain() {
    for _ in 0..<LoopExecutor.rounds {
      if hasMail.load(ordering: .relaxed) { collect() }
      if !turn.pointee.hasJobs { return }
      takeJobs()
      for index in turn.pointee.running.indices {
        turn.pointee.running[index].runSynchronously(on: asUnownedTaskExecutor())
      }
    }
    takeJobs()
    for job in turn.pointee.running { post(job) }
  }

  /// Makes the jobs those that run, and what ran before the room for the next.
  private func takeJobs() {
    turn.pointee.running.removeAll(keepingCapacity: true)
    swap(&turn.pointee.jobs, &turn.pointee.running)
    turn.pointee.hasJobs = false
  }

  /// The shard is closed, in the last call from the host. Jobs that come from now on, of tasks that
  /// something else than the host wakes, run on the thread they come from, one after another; every call
  /// to the host then throws. A task that never ends is given up after `rounds`.
  func close() {
    inbox.withLock {
      $0.isClosed = true
      $0.door = nil
      $0.isRunning = true
    }
    turn.pointee.depth = 0
    runLateJobs()
  }

  private func collect() {
    inbox.withLock {
      turn.pointee.jobs += $0.jobs
      turn.pointee.hasJobs = true
      $0.jobs.removeAll(keepingCapacity: true)
      hasMail.store(false, ordering: .relaxed)
    }
  }

  private func post(_ job: UnownedJob) {
    let runsHere = inbox.withLock { inbox in
      inbox.jobs.append(job)
      if inbox.isClosed {
        defer { inbox.isRunning = true }
        return !inbox.isRunning
      }
      hasMail.store(true, ordering: .relaxed)
      guard !inbox.isPosted, let door = inbox.door else { return false }
      // The post keeps the executor until it has come; when it is refused, the next job or the next
      // call from the host takes its place.
      let context = Unmanaged.passRetained(self)
      let number = UInt64(UInt(bitPattern: context.toOpaque()))
      if door.loop.pointee.post(door.host, loopExecutorPosted, number) >= 0 {
        inbox.isPosted = true
      } else {
        context.release()
      }
      return false
    }
    if runsHere { runLateJobs() }
  }

  private func runLateJobs() {
    // The last job may hold the last reference to the shard's context, and so to this executor.
    let reference = Unmanaged.passRetained(self)
    defer { reference.release() }
    for _ in 0..<LoopExecutor.rounds {
      let jobs = inbox.withLock { inbox in
        defer { inbox.jobs = [] }
        inbox.isRunning = !inbox.jobs.isEmpty
        return inbox.jobs
      }
      if jobs.isEmpty { return }
      for job in jobs { job.runSynchronously(on: asUnownedTaskExecutor()) }
    }
    inbox.withLock { $0.isRunning = false }
  }

  /// The post has come.
  fileprivate func posted() {
    inbox.withLock { $0.isPosted = false }
    enter()
    leave()
  }
}

private func loopExecutorPosted(_ context: UInt64, _: sluice_status_t, _: sluice_slice_t) {
  Unmanaged<LoopExecutor>.from(context: context)?.takeRetainedValue().posted()
}
