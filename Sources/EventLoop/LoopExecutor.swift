internal import Glibc
internal import Synchronization

/// A loop as Swift's executor: actors and tasks that choose it run on the loop's thread.
///
/// A job enqueued on the loop's own thread runs at the end of the tick and needs no wake-up (an `await`
/// between two actors of one loop costs nanoseconds); from another thread it comes as a post.
///
/// A loop that has stopped has no thread to run a job on: the job is dropped and counted in
/// ``lostJobs``, and its task never ends. End tasks before stopping their loop.
extension EventLoop: SerialExecutor, TaskExecutor {
  public func enqueue(_ job: consuming ExecutorJob) {
    let bits = UInt64(UInt(bitPattern: unsafeBitCast(UnownedJob(job), to: Int.self)))
    let isTaken = post(runJob, bits, UInt64(address: Unmanaged.passUnretained(self).toOpaque()))
    if !isTaken { core.pointee.lostJobs.add(1, ordering: .relaxed) }
  }

  public func asUnownedSerialExecutor() -> UnownedSerialExecutor {
    UnownedSerialExecutor(ordinary: self)
  }

  public func asUnownedTaskExecutor() -> UnownedTaskExecutor {
    UnownedTaskExecutor(ordinary: self)
  }

  /// Traps, naming the loop, unless the caller is on the loop's thread.
  public func checkIsolated() {
    precondition(isCurrent, "this code must run on the thread of loop \(index)")
  }

  public func isIsolatingCurrentContext() -> Bool? { isCurrent }

  /// Jobs that came after the loop had stopped and never ran. [any-thread]
  public var lostJobs: Int { core.pointee.lostJobs.load(ordering: .relaxed) }
}

/// The name under which code that knows only of executors meets a loop.
public typealias LoopExecutor = EventLoop

private func runJob(_ job: UInt64, _ loop: UInt64) {
  let job = unsafeBitCast(Int(bitPattern: UInt(job)), to: UnownedJob.self)
  Unmanaged<EventLoop>.fromOpaque(UnsafeMutableRawPointer(address: loop))
    ._withUnsafeGuaranteedRef { loop in
      job.runSynchronously(
        isolatedTo: loop.asUnownedSerialExecutor(), taskExecutor: loop.asUnownedTaskExecutor())
    }
}
