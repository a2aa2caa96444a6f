import Testing

@testable import Gateway

@Suite struct `What a tenant uses` {
  @Test func `is taken once`() {
    let usage = TenantUsage()
    usage.add(requests: 3, messages: 2)
    usage.add(requests: 4, messages: 0)
    #expect(usage.take() == TenantUsage.Counts(requests: 7, messages: 2, connections: 0))
    #expect(usage.take().isEmpty)
  }

  @Test func `is taken again when it was given back`() {
    let usage = TenantUsage()
    usage.add(requests: 3, messages: 2)
    usage.giveBack(usage.take())
    #expect(usage.take() == TenantUsage.Counts(requests: 3, messages: 2))
    // Giving back does not use the month's up twice.
    #expect(usage.state(of: .requests).used == 3)
  }

  @Test func `of connections is the most that were open at once`() {
    let usage = TenantUsage()
    for _ in 0..<3 { #expect(usage.enter()) }
    usage.leave()
    usage.leave()
    #expect(usage.state(of: .connections).used == 1)
    #expect(usage.take().connections == 3)
    // From now on from those that are open.
    #expect(usage.take().connections == 1)
    usage.leave()
    #expect(usage.take().connections == 1)
    #expect(usage.take().connections == 0)
  }

  @Test func `is bounded by the plan to the letter where connections are concerned`() {
    var quotas = Quotas()
    quotas[.connections] = 2
    let usage = TenantUsage(quotas)
    #expect(usage.enter())
    #expect(usage.enter())
    #expect(!usage.enter())
    #expect(usage.state(of: .connections) == (limit: 2, used: 2))
    usage.leave()
    #expect(usage.enter())
    quotas[.connections] = 0
    usage.set(quotas)
    #expect(usage.enter())
  }

  @Test func `is over a bound from the last one on that it allows`() {
    var quotas = Quotas()
    quotas[.requests] = 10
    quotas[.messages] = 5
    let usage = TenantUsage(quotas)
    usage.add(requests: 9, messages: 4)
    #expect(usage.exceededBits == 0)
    usage.add(requests: 1, messages: 0)
    #expect(usage.exceededBits == Quota.requests.bit)
    usage.add(requests: 0, messages: 1)
    #expect(usage.exceededBits == Quota.requests.bit | Quota.messages.bit)
    usage.beginMonth()
    #expect(usage.exceededBits == 0)
    usage.beginMonth(requests: 10)
    #expect(usage.exceededBits == Quota.requests.bit)
    usage.set(Quotas())
    #expect(usage.exceededBits == 0)
  }

  @Test func `of storage is over its bound until there is less`() {
    var quotas = Quotas()
    quotas[.storage] = 1_000
    let usage = TenantUsage(quotas)
    usage.setStorage(1_000)
    #expect(usage.exceededBits == Quota.storage.bit)
    usage.setStorage(999)
    #expect(usage.exceededBits == 0)
  }
}

@Suite struct `Rates of users` {
  @Test func `are the same for a user wherever it is asked for`() {
    let limiters = UserLimiters()
    let one = limiters.limiter(of: "alice", tenant: "app", limit: 2, now: 1)
    let same = limiters.limiter(of: "alice", tenant: "app", limit: 2, now: 1)
    let others = [
      limiters.limiter(of: "bob", tenant: "app", limit: 2, now: 1),
      limiters.limiter(of: "alice", tenant: "other", limit: 2, now: 1),
      limiters.limiter(of: "alice", tenant: "app", limit: 3, now: 1),
    ]
    #expect(one === same)
    #expect(others.allSatisfy { $0 !== one })
    #expect(one.take(now: 1).isAllowed)
    #expect(same.take(now: 1).isAllowed)
    #expect(!one.take(now: 1).isAllowed)
    #expect(others[0].take(now: 1).isAllowed)
  }

  @Test func `are remembered while they tell something, though nobody has them`() {
    let limiters = UserLimiters()
    #expect(limiters.limiter(of: "alice", tenant: "app", limit: 1, now: 1).take(now: 1).isAllowed)
    for number in 0..<3_000 {
      _ = limiters.limiter(of: "user-\(number)", tenant: "app", limit: 1, now: 2)
    }
    #expect(!limiters.limiter(of: "alice", tenant: "app", limit: 1, now: 3).take(now: 3).isAllowed)
  }

  @Test func `are forgotten when nobody has them`() {
    let limiters = UserLimiters()
    let kept = limiters.limiter(of: "kept", tenant: "app", limit: 1, now: 1)
    for number in 0..<3_000 {
      _ = limiters.limiter(of: "user-\(number)", tenant: "app", limit: 1, now: 1)
    }
    #expect(limiters.count <= 1_024)
    #expect(limiters.limiter(of: "kept", tenant: "app", limit: 1, now: 1) === kept)
  }
}
