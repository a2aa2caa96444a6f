internal import Synchronization

/// Rates of single users, over all loops: whoever is recognised on one loop gets the same limiter as on the others.
///
/// A limiter lives as long as some loop remembers a credential of its user. [any-thread]
final class UserLimiters: Sendable {
  private struct Key: Hashable {
    let tenant: String
    let user: String
    let limit: Int
  }

  private struct Weak {
    weak var limiter: RateLimiter?
  }

  private struct Table {
    var limiters: [Key: Weak] = [:]
    /// How many there may be before those that nobody has any more are looked for.
    var sweepAt = 1_024
  }

  private let table = Mutex(Table())

  /// The limiter of a user, made where there is none.
  ///
  /// - Parameter limit: requests per second, above 0.
  func limiter(of user: String, tenant: String, limit: Int) -> RateLimiter {
    let key = Key(tenant: tenant, user: user, limit: limit)
    return table.withLock { table in
      if let known = table.limiters[key]?.limiter { return known }
      if table.limiters.count >= table.sweepAt {
        table.limiters = table.limiters.filter { $0.value.limiter != nil }
        table.sweepAt = max(table.limiters.count * 2, 1_024)
      }
      let made = RateLimiter(limit: limit)
      table.limiters[key] = Weak(limiter: made)
      return made
    }
  }

  /// Limiters that are kept, for tests.
  var count: Int { table.withLock { $0.limiters.count } }
}
