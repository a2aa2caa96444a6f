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
  // Touched by the loop's thread alone: `enqueue` looks at it only after it has seen that it is there.
  nonisolated(unsafe) private var local: [UnownedJob] = []
  nonisolated(unsafe) private var depth = 0
  private let inbox = Mutex(Inbox())
  private let hasMail = Atomic(false)

  /// On the loop's thread, with the shard's host table.
  init(_ link: HostLink) {
    let door = link.find("sluice.loop/1", sluice_loop_v1_t.self)
      .map { Door(loop: $0.0, host: $0.1) }
    inbox.withLock { $0.door = door }
  }

  /// Whether this is the thread of the shard's loop.
  var isOnLoop: Bool { pthread_equal(pthread_self(), thread) != 0 }

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    if isOnLoop && depth > 0 {
      local.append(job)
    } else {
      post(job)
    }
  }

  /// A call from the host begins. Loop thread.
  @inline(__always)
  func enter() {
    depth &+= 1
  }

  /// A call from the host is about to return: runs what it has made ready.
  @inline(__always)
  func leave() {
    if depth == 1 && (!local.isEmpty || hasMail.load(ordering: .relaxed)) { drain() }
    depth &-= 1
  }

  /// Runs jobs until there are none, or the loop must go on.
  func drain() {
    for _ in 0..<LoopExecutor.rounds {
      if hasMail.load(ordering: .relaxed) { collect() }
      if local.isEmpty { return }
      let jobs = local
      local = []
      for job in jobs { job.runSynchronously(on: asUnownedTaskExecutor()) }
    }
    let late = local
    local = []
    for job in late { post(job) }
  }

  /// The shard is closed. Jobs that come from now on, of tasks that nobody can end, run on the thread
  /// they come from, one after another; every call to the host then throws.
  func close() {
    inbox.withLock {
      $0.isClosed = true
      $0.door = nil
    }
  }

  private func collect() {
    inbox.withLock {
      local += $0.jobs
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
    while true {
      let jobs = inbox.withLock { inbox in
        defer { inbox.jobs = [] }
        inbox.isRunning = !inbox.jobs.isEmpty
        return inbox.jobs
      }
      if jobs.isEmpty { return }
      for job in jobs { job.runSynchronously(on: asUnownedTaskExecutor()) }
    }
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
