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

  @Test func `that nobody could look at are not counted`() async throws {
    var manifest = try TestManifest(file: AuthHost.folder + "/plugin.json")
    // Looking at what is no hash fails, as it does when the queue of hashes is full.
    manifest.migrations.append(
      .init(
        name: "rows",
        sql: """
          INSERT INTO auth_accounts (id, email, name, password, created_at, updated_at)
          VALUES ('acc_1', 'ada@example.com', 'Ada', 'no hash', 0, 0)
          """))
    let host = try await TestHost(
      Auth.self, manifest, config: AuthHost.settings, tenant: "platform")
    for _ in 0..<8 {
      let reply = try await host.request(
        "POST", "/v1/sessions", body: #"{"email":"ada@example.com","password":"correct horse"}"#)
      #expect(reply.status == 500)
    }
    let claims: RawJSON = #"{"sid":"ses_1"}"#
    for _ in 0..<8 {
      let reply = try await host.request(
        "PUT", "/v1/me/password", body: #"{"current":"correct horse","new":"another horse"}"#,
        as: Principal(kind: .account, id: "acc_1", claims: claims))
      #expect(reply.status == 500)
    }
    try await host.close()
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
    let stranger = LoginThrottles(email: "a@b.c", peer: "203.0.113.1", isKnownNetwork: false)
    let owner = LoginThrottles(email: "a@b.c", peer: "198.51.100.1", isKnownNetwork: true)
    #expect(stranger.all.count == 3)
    #expect(owner.all.count == 2)
    #expect(Set(stranger.all.map(\.subject)).isDisjoint(with: owner.all.map(\.subject)))
    // From elsewhere the strangers share one rate, however many addresses they have.
    let other = LoginThrottles(email: "a@b.c", peer: "203.0.113.2", isKnownNetwork: false)
    #expect(other.account?.subject == stranger.account?.subject)
    #expect(other.pair.subject != stranger.pair.subject)
  }

  @Test func `are counted for a site of IPv6 too, which may four times as much`() {
    #expect(Network.all(of: "203.0.113.7").map(\.key) == ["203.0.113.7"])
    let networks = Network.all(of: "2001:db8:1:2:3:4:5:6")
    #expect(networks.map(\.key) == ["20010db800010002/64", "20010db80001/48"])
    #expect(networks.map(\.share) == [1, 4])
    let throttles = Throttle.ofNetworks("x", "2001:db8:1:2::", burst: 5, every: 1_000)
    #expect(throttles.map(\.burst) == [5, 20])
    #expect(throttles.map(\.interval) == [1_000, 250])
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

@Suite struct `Signing up` {
  private static let few = AuthHost.settings([
    #""sign_up_burst":60,"sign_ups_per_hour":120"#: #""sign_up_burst":2,"sign_ups_per_hour":60"#
  ])

  private func signUp(
    _ platform: AuthHost, _ number: Int, from peer: String = "203.0.113.7"
  ) async throws -> (status: Int, code: String?, retryAfter: String?) {
    let reply = try await platform.request(
      "POST", "/v1/accounts",
      #"{"email":"n\#(number)@example.com","password":"correct horse","name":"Ada"}"#, from: peer)
    return (reply.status, reply.problem?.code, reply.header("retry-after"))
  }

  @Test func `is bounded for each network, whether the address is taken or not`() async throws {
    let platform = try await AuthHost("platform", settings: Self.few)
    #expect(try await signUp(platform, 1).status == 201)
    #expect(try await signUp(platform, 1) == (409, "conflict", nil))
    #expect(try await signUp(platform, 2) == (429, "rate_limited", "60"))
    #expect(platform.host.metric("throttled_total") == 1)
    #expect(try await signUp(platform, 2, from: "203.0.113.8").status == 201)
    try await platform.host.advance(milliseconds: 59_999)
    #expect(try await signUp(platform, 3).status == 429)
    try await platform.host.advance(milliseconds: 1)
    #expect(try await signUp(platform, 3).status == 201)
    try await platform.host.close()
  }

  @Test func `is bounded for a site of IPv6 with many networks`() async throws {
    let platform = try await AuthHost("platform", settings: Self.few)
    for number in 0..<8 {
      let status = try await signUp(platform, number, from: "2001:db8:1:\(number)::1").status
      #expect(status == 201)
    }
    #expect(try await signUp(platform, 8, from: "2001:db8:1:8::1").status == 429)
    #expect(try await signUp(platform, 8, from: "2001:db8:2:8::1").status == 201)
    try await platform.host.close()
  }

  @Test func `is bounded together with what is wrong with the password`() async throws {
    let platform = try await AuthHost("platform", settings: Self.few)
    for _ in 0..<2 {
      let poor = try await platform.request(
        "POST", "/v1/accounts",
        #"{"email":"ada@example.com","password":"password1","name":"Ada"}"#, from: "203.0.113.7")
      #expect(poor.status == 400)
    }
    #expect(try await signUp(platform, 1).status == 429)
    try await platform.host.close()
  }

  @Test func `leaves asking for codes a rate of its own`() async throws {
    let platform = try await AuthHost(
      "platform",
      settings: AuthHost.settings([
        #""code_request_burst":30,"code_requests_per_hour":120"#:
          #""code_request_burst":2,"code_requests_per_hour":60"#
      ]))
    func ask(_ name: String) async throws -> (status: Int, retryAfter: String?) {
      let reply = try await platform.request(
        "POST", "/v1/passwords/forgot", #"{"email":"\#(name)@example.com"}"#)
      return (reply.status, reply.header("retry-after"))
    }
    #expect(try await ask("ada") == (202, nil))
    #expect(try await ask("bob") == (202, nil))
    #expect(try await ask("eve") == (429, "60"))
    #expect(try await signUp(platform, 1, from: "127.0.0.1").status == 201)
    try await platform.host.close()
  }
}
