internal import Synchronization

/// What the shards of one instance have in common: which of them delivers, and how it is woken. Any thread.
final class Desk: Sendable {
  private struct State {
    var owner: Int?
    var changes: UInt64 = 1
    /// Endpoints that got something to do; nil is any of them.
    var stirred: Set<String>? = []
    /// When the alarm comes that was set last, in Unix milliseconds; nil: none that is known of.
    var alarm: Int64?
  }

  let bell = Bell()
  private let state = Mutex(State())

  /// How often endpoints were changed through this instance.
  var changes: UInt64 { state.withLock { $0.changes } }

  /// An endpoint has changed, and that is on disk.
  func endpointChanged() {
    state.withLock { state in
      state.changes &+= 1
      state.stirred = nil
    }
    bell.ring()
  }

  /// Whether the shard of this loop is the one that delivers: the first that asks.
  func claim(loop: Int) -> Bool {
    state.withLock { state in
      if state.owner == nil { state.owner = loop }
      return state.owner == loop
    }
  }

  /// The shard of this loop delivers no more.
  func release(loop: Int) {
    state.withLock { state in
      if state.owner == loop { state.owner = nil }
    }
  }

  /// These endpoints have got something to do, or any have.
  func stir(_ endpoints: [String]?) {
    state.withLock { state in
      if let endpoints { state.stirred?.formUnion(endpoints) } else { state.stirred = nil }
    }
    bell.ring()
  }

  /// Any may have got something to do, which is found out when it is looked again.
  func stirQuietly() { state.withLock { $0.stirred = nil } }

  /// What was stirred since the last time; nil is any.
  func takeStirred() -> Set<String>? {
    state.withLock { state in
      defer { state.stirred = [] }
      return state.stirred
    }
  }

  /// When the alarm comes that was set last, in Unix milliseconds.
  var alarm: Int64? { state.withLock { $0.alarm } }

  func setAlarm(_ time: Int64?) { state.withLock { $0.alarm = time } }
}

/// What one task waits for and anybody rings. Any thread.
final class Bell: Sendable {
  private struct State {
    var isRung = false
    var waiter: UnsafeContinuation<Void, Never>?
  }

  private let state = Mutex(State())

  /// Wakes whoever waits, or the next who would.
  func ring() {
    let waiter = state.withLock { state -> UnsafeContinuation<Void, Never>? in
      guard let waiter = state.waiter else {
        state.isRung = true
        return nil
      }
      state.waiter = nil
      return waiter
    }
    waiter?.resume()
  }

  /// Returns when it has been rung since the last time, or the task is cancelled. One task at a time.
  func wait() async {
    await withTaskCancellationHandler {
      await withUnsafeContinuation { continuation in
        let isOver = state.withLock { state in
          if state.isRung || Task.isCancelled {
            state.isRung = false
            return true
          }
          state.waiter = continuation
          return false
        }
        if isOver { continuation.resume() }
      }
    } onCancel: {
      ring()
    }
  }
}
