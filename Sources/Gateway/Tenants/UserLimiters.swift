internal import Synchronization

/// Rates of single users, over all loops: whoever is recognised on one loop gets the same limiter as on the others.
///
/// A limiter lives as long as some loop remembers a credential of its user, and as long as it tells anything: a user who has not sent
/// for a while gets one that is as good as new. [any-thread]
final class UserLimiters: Sendable {
  private struct Key: Hashable {
    let tenant: String
    let user: String
    let limit: Int
  }

  private struct Entry {
    weak var limiter: RateLimiter?
    /// Itself, as long as it tells something that a new one would not.
    var kept: RateLimiter?
  }

  private struct Table {
    var limiters: [Key: Entry] = [:]
    /// How many there may be before those that nobody has any more are looked for.
    var sweepAt = 1_024
  }

  private let table = Mutex(Table())

  /// The limiter of a user, made where there is none.
  ///
  /// - Parameters:
  ///   - limit: requests per second, above 0.
  ///   - now: nanoseconds of the monotonic clock.
  func limiter(of user: String, tenant: String, limit: Int, now: UInt64) -> RateLimiter {
    let key = Key(tenant: tenant, user: user, limit: limit)
    return table.withLock { table in
      if let known = table.limiters[key]?.limiter { return known }
      if table.limiters.count >= table.sweepAt {
        for key in table.limiters.keys where table.limiters[key]?.kept?.isFull(now: now) == true {
          table.limiters[key]?.kept = nil
        }
        table.limiters = table.limiters.filter { $0.value.limiter != nil }
        table.sweepAt = max(table.limiters.count * 2, 1_024)
      }
      let made = RateLimiter(limit: limit)
      table.limiters[key] = Entry(limiter: made, kept: made)
      return made
    }
  }

  /// Limiters that are kept, for tests.
  var count: Int { table.withLock { $0.limiters.count } }
}
