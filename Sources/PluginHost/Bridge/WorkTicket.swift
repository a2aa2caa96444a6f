internal import CSluice
internal import Synchronization

/// A blocking job on its way to a worker thread, which a closing shard can still call off.
final class WorkTicket: @unchecked Sendable {
  // @unchecked: the job and its context are the plugin's, which hands them to one thread at a time.
  private enum State: UInt8, AtomicRepresentable { case waiting, running, done, cancelled }

  private let state = Atomic<State>(.waiting)
  private let job: sluice_job_fn
  private let context: UInt64

  init(_ job: @escaping sluice_job_fn, _ context: UInt64) {
    self.job = job
    self.context = context
  }

  /// Runs the job unless it was called off. [worker-thread]
  func run() -> Int32 {
    guard
      state.compareExchange(expected: .waiting, desired: .running, ordering: .acquiringAndReleasing)
        .exchanged
    else { return SLUICE_E_CANCELLED }
    let status = job(context)
    state.store(.done, ordering: .releasing)
    return status
  }

  /// Calls the job off unless it has started; false while it runs. [loop-thread]
  func callOff() -> Bool {
    let (isCalledOff, former) = state.compareExchange(
      expected: .waiting, desired: .cancelled, ordering: .acquiringAndReleasing)
    return isCalledOff || former != .running
  }

  /// Calls the job off, or waits for it when it has started: for a shard that could not be opened, whose plugin lets go of it now. [loop-thread]
  func cancelOrWait() {
    while !callOff() { pause(microseconds: 200) }
  }
}

/// A bounded count of things under way. [any-thread]
struct Gauge: ~Copyable {
  private let count = Atomic<Int>(0)

  func enter(limit: Int) -> Bool {
    if count.add(1, ordering: .relaxed).newValue <= limit { return true }
    count.subtract(1, ordering: .relaxed)
    return false
  }

  func leave() { count.subtract(1, ordering: .relaxed) }
}
