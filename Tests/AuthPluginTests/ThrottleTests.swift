import PluginKit
import PluginTesting
import Testing

@testable import AuthPlugin

@Suite struct `Attempts to sign in` {
  @Test(arguments: ["ada@example.com", "nobody@example.com"])
  func `are five at once for an account from an address, then one in half a minute`(
    email: String
  ) async throws {
    let platform = try await AuthHost("platform")
    _ = try await platform.signUp()
    for _ in 0..<5 { #expect(try await platform.signIn(email, "wrong horse").status == 401) }
    #expect(try await platform.signIn(email, "wrong horse") == (429, "rate_limited", "30"))
    #expect(platform.host.metric("throttled_total") == 1)
    // Also with the right password: who guesses is not told that he has.
    #expect(try await platform.signIn(email).status == 429)
    try await platform.host.advance(milliseconds: 29_001)
    #expect(try await platform.signIn(email, "wrong horse") == (429, "rate_limited", "1"))
    try await platform.host.advance(milliseconds: 999)
    #expect(try await platform.signIn(email, "wrong horse").status == 401)
    #expect(try await platform.signIn(email, "wrong horse").status == 429)
    // Another account is not concerned.
    #expect(try await platform.signIn("eve@example.com", "wrong horse").status == 401)
    try await platform.host.close()
  }

  @Test func `that succeed are not counted, and forgive those before`() async throws {
    let platform = try await AuthHost("platform")
    _ = try await platform.signUp()
    for _ in 0..<3 {
      for _ in 0..<4 {
        #expect(try await platform.signIn("ada@example.com", "wrong horse").status == 401)
      }
      #expect(try await platform.signIn().status == 201)
    }
    for _ in 0..<30 { #expect(try await platform.signIn().status == 201) }
    try await platform.host.close()
  }

  @Test func `side by side are counted before their passwords are looked at`() async throws {
    let platform = try await AuthHost("platform")
    _ = try await platform.signUp()
    let body = #"{"email":"ada@example.com","password":"wrong horse"}"#
    var pending: [PendingReply] = []
    for _ in 0..<8 {
      pending.append(try await platform.host.begin("POST", "/v1/sessions", body: body))
    }
    var statuses: [Int] = []
    for reply in pending { statuses.append(try await reply.reply().status) }
    #expect(statuses.filter { $0 == 401 }.count == 5)
    #expect(statuses.filter { $0 == 429 }.count == 3)
    try await platform.host.close()
  }

  @Test func `by a stranger do not keep the owner out where he has been before`() {
    let stranger = LoginThrottles(email: "a@b.c", peer: "203.0.113.1", isKnownAddress: false)
    let owner = LoginThrottles(email: "a@b.c", peer: "198.51.100.1", isKnownAddress: true)
    #expect(stranger.all.count == 3)
    #expect(owner.all.count == 2)
    #expect(Set(stranger.all.map(\.subject)).isDisjoint(with: owner.all.map(\.subject)))
    // From elsewhere the strangers share one rate, however many addresses they have.
    let other = LoginThrottles(email: "a@b.c", peer: "203.0.113.2", isKnownAddress: false)
    #expect(other.account?.subject == stranger.account?.subject)
    #expect(other.pair.subject != stranger.pair.subject)
  }

  @Test(arguments: [
    ("203.0.113.7", "203.0.113.7"), ("::ffff:203.0.113.7", "203.0.113.7"),
    ("2001:db8:1:2:3:4:5:6", "20010db800010002/64"), ("2001:db8:1:2::", "20010db800010002/64"),
    ("2001:db8::1", "20010db800000000/64"), ("fe80::1:2:3:4", "fe80000000000000/64"),
    ("2001:db8:1:2:3::", "20010db800010002/64"), ("127.0.0.1", "127.0.0.1"),
    ("::1", "0000000000000000/64"), ("nonsense", "nonsense"),
  ])
  func `are counted by network`(address: String, key: String) {
    #expect(Network.key(of: address) == key)
  }
}
