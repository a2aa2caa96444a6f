public import CUV
internal import Glibc
internal import Synchronization

extension EventLoop {
  /// Milliseconds on a monotonic clock, read once per tick: for deadlines. [loop-thread]
  @inlinable
  public var now: UInt64 { uv_now(uv) }

  /// Nanoseconds on a monotonic clock, read now: for measuring. [any-thread]
  @inlinable @inline(__always)
  public static func hrtime() -> UInt64 { monotonicNanoseconds() }

  /// Milliseconds since 1970, read at most once per tick. [loop-thread]
  public var unixMilliseconds: UInt64 {
    let known = core.pointee.unixMilliseconds
    return known != 0 ? known : readUnixMilliseconds()
  }

  @inline(never)
  private func readUnixMilliseconds() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    let now = UInt64(time.tv_sec) * 1000 + UInt64(time.tv_nsec) / 1_000_000
    core.pointee.unixMilliseconds = now
    return now
  }

  /// When the running tick called its first callback, on ``hrtime()``'s clock; 0 while the loop waits.
  /// [any-thread]
  ///
  /// A watchdog that sees the same value for longer than a budget has found a blocked loop.
  public var busySince: UInt64 { core.pointee.busySince.load(ordering: .relaxed) }

  /// Nanoseconds by which the last one-second tick came late: what a busy loop makes others wait.
  /// [any-thread]
  public var lag: UInt64 { core.pointee.lag.load(ordering: .relaxed) }

  /// Nanoseconds of the longest tick since the last call, the running one included: what an event may have had to wait
  /// for others. Exact to a millisecond. [loop-thread]
  public func takeLongestTick() -> UInt64 {
    core.pointee.measureTick()
    // What has been told of the running tick is not told again.
    if busySince != 0 { core.pointee.busySince.store(uv_hrtime(), ordering: .relaxed) }
    defer { core.pointee.longestTick = 0 }
    return core.pointee.longestTick
  }
}

/// A free function, because a static method of a class is handed the class each time.
@usableFromInline
func monotonicNanoseconds() -> UInt64 {
  var time = timespec()
  clock_gettime(CLOCK_MONOTONIC, &time)
  return UInt64(bitPattern: Int64(time.tv_sec &* 1_000_000_000 &+ time.tv_nsec))
}
