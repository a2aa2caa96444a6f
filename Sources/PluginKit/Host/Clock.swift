internal import CSluice

/// `sluice.clock/1`: what time it is. Use it rather than the system's, so that tests can move time.
public struct Clock {
  unowned(unsafe) let link: HostLink

  /// Now. May jump when the machine's clock is set.
  public func now() throws -> Timestamp {
    let (clock, host) = try link.require("sluice.clock/1", sluice_clock_v1_t.self)
    return Timestamp(unixMilliseconds: clock.pointee.unix_ms(host))
  }

  /// Nanoseconds since an arbitrary moment; never goes back.
  public func monotonicNanoseconds() throws -> UInt64 {
    let (clock, host) = try link.require("sluice.clock/1", sluice_clock_v1_t.self)
    return clock.pointee.monotonic_ns(host)
  }
}
