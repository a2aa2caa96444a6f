internal import Synchronization

/// What all loops of a gateway share.
///
/// `@unchecked Sendable`: `loops` is written once, before any of them accepts; the rest is atomic or locked.
final class GatewayShared: @unchecked Sendable {
  let accessLog: LogWriter?
  var loops: [GatewayLoop] = []
  /// Connections open on all loops.
  let openConnections = Atomic<Int>(0)
  /// 1 while new work is taken.
  let isReady = Atomic<Bool>(false)

  private let undrained = Mutex<(count: Int, then: (@Sendable () -> Void)?)>((0, nil))

  init(accessLog: LogWriter?) { self.accessLog = accessLog }

  /// Calls `then` once, when every loop has drained.
  func whenDrained(_ then: @escaping @Sendable () -> Void) {
    undrained.withLock { $0 = (loops.count, then) }
  }

  /// A loop has no connection left. [any-thread]
  func loopHasDrained() {
    let then = undrained.withLock { state -> (@Sendable () -> Void)? in
      state.count -= 1
      guard state.count == 0 else { return nil }
      defer { state.then = nil }
      return state.then
    }
    then?()
  }
}
