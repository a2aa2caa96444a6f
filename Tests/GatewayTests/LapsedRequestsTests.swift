import Testing

@testable import Gateway

@Suite struct `Requests that were given up` {
  @Test func `are known by their tokens`() {
    var lapsed = LapsedRequests()
    #expect(!lapsed.contains(7))
    lapsed.insert(7)
    lapsed.insert(7)
    #expect(lapsed.contains(7) && !lapsed.contains(8))
  }

  @Test func `are forgotten one by one beyond the limit, the oldest first`() {
    var lapsed = LapsedRequests()
    let limit = UInt64(LapsedRequests.limit)
    let last = 2 * limit + 3
    for token in 1...last {
      lapsed.insert(token)
      if token > limit { #expect(!lapsed.contains(token - limit)) }
    }
    #expect((last - limit + 1...last).allSatisfy { lapsed.contains($0) })
  }
}
