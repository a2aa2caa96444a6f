/// So many tokens a second, and so many at once. Times are nanoseconds of a clock that does not go back.
struct TokenBucket {
  private let rate: Double
  private var tokens: Double
  private var filledAt: UInt64

  init(perSecond rate: Int64, at now: UInt64) {
    self.rate = Double(max(rate, 1))
    tokens = self.rate
    filledAt = now
  }

  /// Takes one, if there is one.
  mutating func take(at now: UInt64) -> Bool {
    fill(at: now)
    guard tokens >= 1 else { return false }
    tokens -= 1
    return true
  }

  /// How long until there is one, in milliseconds.
  mutating func wait(at now: UInt64) -> Int64 {
    fill(at: now)
    return tokens >= 1 ? 0 : Int64(((1 - tokens) / rate * 1_000).rounded(.up))
  }

  private mutating func fill(at now: UInt64) {
    let passed = now > filledAt ? Double(now - filledAt) / 1_000_000_000 : 0
    tokens = min(rate, tokens + passed * rate)
    filledAt = max(now, filledAt)
  }
}
