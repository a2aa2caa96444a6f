import Testing

@testable import Gateway

@Suite struct `The limit of a tenant's rate` {
  static let second: UInt64 = 1_000_000_000

  @Test(arguments: [1, 3, 10, 1_000]) func `lets a second's worth through at once and no more`(
    limit: Int
  ) {
    let limiter = RateLimiter(limit: limit)
    let now = 7 * Self.second
    for taken in 1...limit {
      let answer = limiter.take(now: now)
      #expect(answer.isAllowed)
      #expect(answer.remaining == limit - taken)
      #expect(answer.reset == 1)
    }
    for _ in 0..<3 {
      let answer = limiter.take(now: now)
      #expect(!answer.isAllowed)
      #expect(answer.remaining == 0)
      #expect(answer.reset == 1)
    }
  }

  @Test func `fills again as time goes by, and never above the limit`() {
    let limiter = RateLimiter(limit: 10)
    var now = Self.second
    for _ in 0..<10 { #expect(limiter.take(now: now).isAllowed) }
    #expect(!limiter.take(now: now).isAllowed)
    now += Self.second / 10 - 1
    #expect(!limiter.take(now: now).isAllowed)
    now += 1
    #expect(limiter.take(now: now).isAllowed)
    #expect(!limiter.take(now: now).isAllowed)
    now += 3 * Self.second / 10
    #expect((0..<5).count { _ in limiter.take(now: now).isAllowed } == 3)
    now += 100 * Self.second
    #expect((0..<20).count { _ in limiter.take(now: now).isAllowed } == 10)
  }

  @Test func `holds over a long time`() {
    let limiter = RateLimiter(limit: 100)
    var now = Self.second
    var allowed = 0
    for _ in 0..<100_000 {
      now += 100_000
      if limiter.take(now: now).isAllowed { allowed += 1 }
    }
    // Ten seconds, and the one that is there at the start.
    #expect((1_000...1_100).contains(allowed))
  }

  @Test func `bears a loop whose clock is a little behind another's`() {
    let limiter = RateLimiter(limit: 2)
    #expect(limiter.take(now: 5 * Self.second).isAllowed)
    let behind = limiter.take(now: 5 * Self.second - 1_000_000)
    #expect(behind.remaining == 0)
    #expect(limiter.take(now: 7 * Self.second).isAllowed)
  }

  @Test func `many threads together get no more than the limit`() async {
    let limiter = RateLimiter(limit: 1_000)
    let allowed = await withTaskGroup(of: Int.self) { group in
      for _ in 0..<8 {
        group.addTask {
          (0..<1_000).count { _ in limiter.take(now: Self.second).isAllowed }
        }
      }
      return await group.reduce(0, +)
    }
    #expect(allowed == 1_000)
  }
}
