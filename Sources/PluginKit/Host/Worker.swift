internal import CSluice
internal import Synchronization

/// `sluice.worker/1`: work that blocks or takes longer than about a millisecond.
public struct Worker {
  unowned(unsafe) let context: ShardContext

  /// Runs `job` on a worker thread and returns its value on the loop.
  ///
  /// - Throws: what `job` throws; `HostError` `.overloaded` when the queue is full, `.cancelled` when
  ///   the shard closes first; `ExtensionUnavailable`.
  public func run<Value: Sendable>(
    _ job: @escaping @Sendable () throws -> Value
  ) async throws -> Value {
    let (worker, host) = try context.link.require("sluice.worker/1", sluice_worker_v1_t.self)
    let outcome = Outcome<Value>()
    try await context.callForStatus { completion, call in
      let work = WorkerJob(completion, call) { outcome.set(Result(catching: job)) }
      let reference = Unmanaged.passRetained(work)
      let status = worker.pointee.submit(
        host, workerJobRuns, workerJobCompleted, UInt64(UInt(bitPattern: reference.toOpaque())))
      if status < 0 { reference.release() }
      return status
    }
    return try outcome.get()
  }
}

/// What a job came to, on its way from the worker's thread to the loop.
private final class Outcome<Value: Sendable>: Sendable {
  private let result = Mutex<Result<Value, any Error>?>(nil)

  func set(_ value: Result<Value, any Error>) {
    result.withLock { $0 = value }
  }

  func get() throws -> Value {
    guard let value = result.withLock({ $0 }) else {
      throw HostError(.internal, "The host completed a job that it had not run.")
    }
    return try value.get()
  }
}

/// A job and the call that waits for it.
private final class WorkerJob: Sendable {
  let completion: sluice_completion_fn
  let call: UInt64
  let work: @Sendable () -> Void

  init(_ completion: sluice_completion_fn, _ call: UInt64, _ work: @escaping @Sendable () -> Void) {
    self.completion = completion
    self.call = call
    self.work = work
  }
}

private func workerJobRuns(_ job: UInt64) -> sluice_status_t {
  Unmanaged<WorkerJob>.from(context: job)?.takeUnretainedValue().work()
  return SLUICE_OK
}

private func workerJobCompleted(_ job: UInt64, _ status: sluice_status_t, _ result: sluice_slice_t)
{
  guard let job = Unmanaged<WorkerJob>.from(context: job)?.takeRetainedValue() else { return }
  job.completion(job.call, status, result)
}
