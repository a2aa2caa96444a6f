internal import Synchronization

// The worker's thread, which a test may hold to see what a plugin does while its jobs wait.

extension TestHost {
  /// Keeps the worker's thread from jobs: they wait from then on, until `releaseWorkers`, and beyond the manifest's `limits.worker_jobs` are
  /// `.overloaded`. Returns when the thread has ended what it was at. Release it before `close()`, and once for each time that it was held.
  public func holdWorkers() async {
    let world = world
    await withCheckedContinuation { continuation in
      world.workers.post {
        continuation.resume()
        world.workersAreReleased.wait()
      }
    }
  }

  /// Lets the worker's thread go on.
  public func releaseWorkers() { world.workersAreReleased.signal() }

  /// How many jobs wait for the worker's thread.
  public var waitingJobs: Int { world.waitingJobs.load(ordering: .relaxed) }
}
