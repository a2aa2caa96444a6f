internal import Glibc
internal import Synchronization

/// A loop as the serial executor of actors: they run on the loop's thread.
///
/// An `await` between two actors of one loop enqueues nothing. A job enqueued on the loop's own thread runs at the
/// end of the tick and needs no wake-up; from another thread it comes as a post.
///
/// A loop that has stopped has no thread to run a job on: the job is dropped and counted in
/// ``lostJobs``, and its task never ends. End tasks before stopping their loop.
extension EventLoop: SerialExecutor {
  public func enqueue(_ job: consuming ExecutorJob) {
    enqueue(
      UnownedJob(job), on: UInt64(address: Unmanaged.passUnretained(self).toOpaque()),
      { job, loop in
        Unmanaged<EventLoop>.fromOpaque(UnsafeMutableRawPointer(address: loop))
          ._withUnsafeGuaranteedRef {
            UnownedJob(word: job).runSynchronously(on: $0.asUnownedSerialExecutor())
          }
      })
  }

  public func asUnownedSerialExecutor() -> UnownedSerialExecutor {
    UnownedSerialExecutor(ordinary: self)
  }

  /// Traps, naming the loop, unless the caller is on the loop's thread.
  public func checkIsolated() {
    precondition(isCurrent, "this code must run on the thread of loop \(index)")
  }

  public func isIsolatingCurrentContext() -> Bool? { isCurrent }

  /// Jobs that came after the loop had stopped and never ran. [any-thread]
  public var lostJobs: Int { core.pointee.lostJobs.load(ordering: .relaxed) }

  fileprivate func enqueue(_ job: UnownedJob, on executor: UInt64, _ run: LoopFunction) {
    if !post(run, job.word, executor) { core.pointee.lostJobs.add(1, ordering: .relaxed) }
  }
}

/// A loop as the preferred executor of tasks that belong to no actor: make one for each loop.
///
/// It is not the loop itself, because Swift compares both executors at each `await`: a job run under two would hop
/// at each of them. Whoever uses it in a task keeps its loop alive. [any-thread]
public final class LoopTaskExecutor: TaskExecutor {
  /// Where the tasks run.
  public let loop: EventLoop

  /// - Parameter loop: kept as long as the executor.
  public init(loop: EventLoop) { self.loop = loop }

  public func enqueue(_ job: consuming ExecutorJob) {
    loop.enqueue(
      UnownedJob(job), on: UInt64(address: Unmanaged.passUnretained(self).toOpaque()),
      { job, executor in
        Unmanaged<LoopTaskExecutor>.fromOpaque(UnsafeMutableRawPointer(address: executor))
          ._withUnsafeGuaranteedRef {
            UnownedJob(word: job).runSynchronously(on: $0.asUnownedTaskExecutor())
          }
      })
  }

  public func asUnownedTaskExecutor() -> UnownedTaskExecutor {
    UnownedTaskExecutor(ordinary: self)
  }
}

// A job is one pointer, which the runtime keeps alive until it has run.
extension UnownedJob {
  fileprivate var word: UInt64 { UInt64(UInt(bitPattern: unsafeBitCast(self, to: Int.self))) }

  fileprivate init(word: UInt64) {
    self = unsafeBitCast(Int(bitPattern: UInt(word)), to: UnownedJob.self)
  }
}
