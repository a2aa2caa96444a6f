internal import Synchronization

/// Requests per second of one tenant over all loops: one atomic word, the generic cell rate algorithm.
public final class RateLimiter: Sendable {
  /// Requests per second; 0 is no limit.
  public let limit: Int
  private let interval: Int64
  private let tolerance: Int64
  /// The theoretical arrival time in nanoseconds of the monotonic clock.
  private let arrival = Atomic<Int64>(0)

  /// Whether a request is let in, with the numbers of the `x-ratelimit-…` fields.
  public struct Answer {
    /// False: the request was not counted, and is answered 429.
    public var isAllowed: Bool
    /// Requests that would be let in right now.
    public var remaining: Int
    /// Seconds until the whole limit is there again, rounded up.
    public var reset: Int
  }

  /// A limiter that lets a whole second's worth through at once.
  public init(limit: Int) {
    self.limit = limit
    interval = limit > 0 ? max(1_000_000_000 / Int64(limit), 1) : 0
    tolerance = interval * Int64(limit)
  }

  /// Whether it would let in as many as a new one.
  func isFull(now: UInt64) -> Bool {
    arrival.load(ordering: .relaxed) <= Int64(bitPattern: now)
  }

  /// Takes one request; nil without a limit.
  @inline(__always)
  func pace(now: UInt64) -> Answer? { limit > 0 ? take(now: now) : nil }

  /// Takes one request. [any-thread]
  ///
  /// - Parameter now: nanoseconds of the monotonic clock.
  public func take(now: UInt64) -> Answer {
    guard limit > 0 else { return Answer(isAllowed: true, remaining: 0, reset: 0) }
    let now = Int64(bitPattern: now)
    var known = arrival.load(ordering: .relaxed)
    while true {
      let next = max(known, now) &+ interval
      let ahead = next &- now
      guard ahead <= tolerance else {
        return Answer(
          isAllowed: false, remaining: 0, reset: Int((known - now + 999_999_999) / 1_000_000_000))
      }
      let (exchanged, original) = arrival.weakCompareExchange(
        expected: known, desired: next, ordering: .relaxed)
      if exchanged {
        return Answer(
          isAllowed: true, remaining: Int((tolerance - ahead) / interval),
          reset: Int((ahead + 999_999_999) / 1_000_000_000))
      }
      known = original
    }
  }
}
