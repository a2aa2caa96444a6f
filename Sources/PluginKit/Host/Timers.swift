internal import CSluice

/// `sluice.timer/1`: being called later. Timers end with their shard. Loop thread only.
public struct Timers {
  unowned(unsafe) let context: ShardContext

  /// Calls `action` once, not before `milliseconds` have passed.
  @discardableResult
  public func after(
    milliseconds: Int, _ action: @escaping () -> Void
  ) throws -> Timer {
    try context.startTimer(delay: milliseconds, repeat: 0, action)
  }

  /// Calls `action` again and again at a distance of `milliseconds`, at least 1.
  @discardableResult
  public func every(
    milliseconds: Int, _ action: @escaping () -> Void
  ) throws -> Timer {
    try context.startTimer(delay: milliseconds, repeat: max(1, milliseconds), action)
  }

  /// Returns after `milliseconds`.
  ///
  /// - Throws: `CancellationError` when the task is cancelled or the shard closes first.
  public func sleep(milliseconds: Int) async throws {
    try await context.sleep(milliseconds: milliseconds)
  }

  /// Ends a timer; its action is not called any more. One that has ended is ignored.
  public func cancel(_ timer: Timer) {
    context.cancelTimer(timer.token)
  }
}

/// A timer of this shard; a value.
public struct Timer: Hashable, Sendable {
  /// The number by which the host knows the timer.
  public let token: UInt64
}
