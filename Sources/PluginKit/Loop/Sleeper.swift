internal import Synchronization

/// A sleeping task, woken once: by its timer, by cancellation from any thread, or by the shard's close.
final class Sleeper: Sendable {
  private struct State {
    var continuation: UnsafeContinuation<Void, any Error>?
    var outcome: Result<Void, any Error>?
  }

  private let state = Mutex(State())
  // Written and read by the sleeping task on the shard's loop thread.
  nonisolated(unsafe) var timer: Timer?

  func begin(_ continuation: UnsafeContinuation<Void, any Error>) {
    let outcome = state.withLock { state in
      if state.outcome == nil { state.continuation = continuation }
      return state.outcome
    }
    if let outcome { continuation.resume(with: outcome) }
  }

  func end(_ outcome: Result<Void, any Error>) {
    let continuation = state.withLock { state in
      if state.outcome == nil { state.outcome = outcome }
      defer { state.continuation = nil }
      return state.continuation
    }
    continuation?.resume(with: outcome)
  }
}
