import Testing

@testable import Gateway

@Suite struct `Recognised credentials` {
  let tenant = Tenant(id: "app", limiter: RateLimiter(limit: 0))

  func entry(_ id: String, expiresAt: Int64 = 0) -> IdentityCache.Entry {
    IdentityCache.Entry(
      tenant: tenant,
      principal: Principal(kind: .user, id: id, scopes: [], claims: "{}", expiresAt: expiresAt),
      revocations: tenant.revocations, limiter: nil)
  }

  static func digest(_ number: Int) -> Digest { withBytes("\(number)") { Digest(of: $0) } }

  @Test func `are found by their digest`() {
    var cache = IdentityCache()
    cache.insert(Self.digest(1), entry("one"))
    #expect(cache.find(Self.digest(1), now: 0)?.principal.id == "one")
    #expect(cache.find(Self.digest(2), now: 0) == nil)
    cache.insert(Self.digest(1), entry("again"))
    #expect(cache.find(Self.digest(1), now: 0)?.principal.id == "again")
  }

  @Test func `are forgotten when the principal expires`() {
    var cache = IdentityCache()
    cache.insert(Self.digest(1), entry("one", expiresAt: 1_000))
    #expect(cache.find(Self.digest(1), now: 999) != nil)
    #expect(cache.find(Self.digest(1), now: 1_000) == nil)
    #expect(cache.find(Self.digest(1), now: 999) == nil, "it is gone, not only hidden")
  }

  @Test func `are forgotten when their tenant revokes something`() {
    var cache = IdentityCache()
    cache.insert(Self.digest(1), entry("one"))
    tenant.revocations += 1
    #expect(cache.find(Self.digest(1), now: 0) == nil)
    cache.insert(Self.digest(1), entry("one"))
    #expect(cache.find(Self.digest(1), now: 0) != nil)
  }

  @Test func `are bounded, and the newest half always stays`() {
    var cache = IdentityCache()
    let half = IdentityCache.bound / 2
    for number in 0..<(5 * half) { cache.insert(Self.digest(number), entry("\(number)")) }
    var kept = 0
    for number in 0..<(5 * half) where cache.find(Self.digest(number), now: 0) != nil {
      kept += 1
    }
    #expect(kept <= IdentityCache.bound && kept >= half)
    for number in (4 * half)..<(5 * half) {
      guard cache.find(Self.digest(number), now: 0)?.principal.id == "\(number)" else {
        Issue.record("\(number) is gone")
        return
      }
    }
  }

  @Test func `an expired one in the older half is forgotten too`() {
    var cache = IdentityCache()
    cache.insert(Self.digest(-1), entry("old", expiresAt: 10))
    for number in 0..<(IdentityCache.bound / 2) {
      cache.insert(Self.digest(number), entry("\(number)"))
    }
    #expect(cache.find(Self.digest(-1), now: 9)?.principal.id == "old")
    #expect(cache.find(Self.digest(-1), now: 10) == nil)
    #expect(cache.find(Self.digest(-1), now: 9) == nil)
  }
}

@Suite struct `A principal` {
  @Test func `has the scopes that it was given, and all of them with a star`() {
    let some = Principal(kind: .key, id: "k", scopes: ["b", "a"], claims: "{}", expiresAt: 0)
    #expect(some.has([]) && some.has(["a"]) && some.has(["b", "a"]))
    #expect(!some.has(["c"]) && !some.has(["a", "c"]))
    let all = Principal(kind: .key, id: "k", scopes: ["*"], claims: "{}", expiresAt: 0)
    #expect(all.has(["anything"]))
    #expect(!Principal.anonymous.has(["a"]) && Principal.anonymous.has([]))
  }

  @Test func `is shown to plugins as slices of its own memory`() {
    let principal = Principal(
      kind: .account, id: "acc_1", scopes: ["b", "a"], claims: #"{"x":1}"#, expiresAt: 77)
    withExtendedLifetime(principal) {
      let shown = principal.contract
      func text(_ bytes: UnsafePointer<UInt8>?, _ length: UInt64) -> String {
        String(decoding: UnsafeBufferPointer(start: bytes, count: Int(length)), as: UTF8.self)
      }
      #expect(shown.kind == 1 && shown.expires_at_ms == 77)
      #expect(text(shown.id.bytes, shown.id.length) == "acc_1")
      #expect(text(shown.scopes.bytes, shown.scopes.length) == "a b")
      #expect(text(shown.claims.bytes, shown.claims.length) == #"{"x":1}"#)
      #expect(Principal.anonymous.contract.id.length == 0)
      #expect(Principal.anonymous.contract.id.bytes != nil, "present, and empty")
    }
  }
}
