internal import Synchronization

/// A value that comes once, from any thread.
final class TestPromise<Value: Sendable>: Sendable {
  private struct State {
    var value: Value?
    var waiters: [CheckedContinuation<Value?, Never>] = []
  }

  private let state = Mutex(State())

  func fulfil(_ value: Value) {
    let waiters = state.withLock { state in
      guard state.value == nil else { return [CheckedContinuation<Value?, Never>]() }
      state.value = value
      defer { state.waiters = [] }
      return state.waiters
    }
    for waiter in waiters { waiter.resume(returning: value) }
  }

  /// The value; `TestFailure` with `complaint` if it has not come after 10 s.
  func value(_ complaint: String) async throws -> Value {
    let alarm = Task {
      try await Task.sleep(for: .seconds(10))
      self.giveUp()
    }
    defer { alarm.cancel() }
    let value = await withCheckedContinuation { continuation in
      let ready = state.withLock { state in
        if state.value == nil { state.waiters.append(continuation) }
        return state.value
      }
      if let ready { continuation.resume(returning: ready) }
    }
    guard let value else { throw TestFailure(complaint) }
    return value
  }

  private func giveUp() {
    let waiters = state.withLock { state in
      defer { state.waiters = [] }
      return state.waiters
    }
    for waiter in waiters { waiter.resume(returning: nil) }
  }
}
