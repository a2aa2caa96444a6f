import PluginKit
import PluginTesting
import Testing

@testable import AuthPlugin

@Suite struct `The queue of passwords` {
  private func signIn(_ platform: AuthHost, _ number: Int, from peer: String) async throws
    -> PendingReply
  {
    try await platform.host.begin(
      "POST", "/v1/sessions",
      body: #"{"email":"n\#(number)@example.com","password":"correct horse"}"#, from: peer)
  }

  /// Waits until so many passwords wait for the worker, which is held.
  private func waitFor(_ count: Int, _ platform: AuthHost) async throws {
    for _ in 0..<6_000 where platform.host.waitingJobs < count {
      try await Task.sleep(for: .milliseconds(10))
    }
    try #require(platform.host.waitingJobs == count)
  }

  @Test func `is never filled by one network, so that others still sign in`() async throws {
    let platform = try await AuthHost("platform")
    await platform.host.holdWorkers()
    var waiting: [PendingReply] = []
    for number in 0..<16 {
      waiting.append(try await signIn(platform, number, from: "203.0.113.7"))
    }
    try await waitFor(16, platform)
    let refused = try await platform.request(
      "POST", "/v1/sessions", #"{"email":"ada@example.com","password":"correct horse"}"#,
      from: "203.0.113.7")
    #expect(refused.status == 503)
    #expect(refused.problem?.code == "overloaded")
    #expect(refused.header("retry-after") == "2")
    #expect(platform.host.metric("password_network_overloads_total") == 1)
    #expect(platform.host.metric("password_overloads_total") == 0)

    // Others have the rest, down to the last place.
    for number in 16..<64 {
      waiting.append(try await signIn(platform, number, from: "203.0.113.\(8 + number / 16)"))
    }
    try await waitFor(64, platform)
    let late = try await platform.request(
      "POST", "/v1/sessions", #"{"email":"ada@example.com","password":"correct horse"}"#,
      from: "198.51.100.1")
    #expect(late.status == 503)
    #expect(late.header("retry-after") == "2")
    #expect(platform.host.metric("password_overloads_total") == 1)

    platform.host.releaseWorkers()
    for reply in waiting { #expect(try await reply.reply().status == 401) }
    // There is room again, also for whoever was refused.
    let again = try await platform.request(
      "POST", "/v1/sessions", #"{"email":"ada@example.com","password":"correct horse"}"#,
      from: "203.0.113.7")
    #expect(again.status == 401)
    try await platform.host.close()
  }

  @Test func `is shared by all that hash a password`() async throws {
    let platform = try await AuthHost(
      "platform",
      settings: AuthHost.settings([
        #""password_jobs_per_network":16"#: #""password_jobs_per_network":1"#
      ]))
    let ada = try await platform.principal(try await platform.signUp())
    await platform.host.holdWorkers()
    let waiting = try await signIn(platform, 0, from: "127.0.0.1")
    try await waitFor(1, platform)
    for (method, target, body) in [
      ("POST", "/v1/accounts", #"{"email":"b@example.com","password":"correct horse","name":"B"}"#),
      ("PUT", "/v1/me/password", #"{"current":"correct horse","new":"another horse"}"#),
      ("POST", "/v1/me/totp", #"{"password":"correct horse"}"#),
      ("POST", "/v1/me/totp/disable", #"{"password":"correct horse","totp":"000000"}"#),
    ] {
      let reply = try await platform.request(method, target, body, as: ada)
      #expect(reply.status == 503, "\(target)")
      #expect(reply.header("retry-after") == "2", "\(target)")
    }
    #expect(platform.host.metric("password_network_overloads_total") == 4)
    platform.host.releaseWorkers()
    #expect(try await waiting.reply().status == 401)
    try await platform.host.close()
  }

  @Test func `gives a site of IPv6 half of it, and one subscriber a quarter`() {
    let queue = HashingQueue(perNetwork: 16)
    func entered(_ peers: [String]) -> Int { peers.filter { queue.enter(from: $0) }.count }
    #expect(entered((0..<20).map { "2001:db8:1:1::\($0)" }) == 16)
    #expect(entered((0..<80).map { "2001:db8:1:\(2 + $0)::1" }) == 16)
    #expect(queue.enter(from: "2001:db8:2::1"))
    #expect(!queue.enter(from: "2001:db8:1:99::1"))
    queue.leave(from: "2001:db8:1:1::1")
    #expect(queue.enter(from: "2001:db8:1:99::1"))
  }

  @Test func `keeps nothing of networks that have nothing there`() {
    let queue = HashingQueue(perNetwork: 2)
    for peer in ["203.0.113.7", "2001:db8::1", "203.0.113.7"] {
      #expect(queue.enter(from: peer))
    }
    #expect(!queue.enter(from: "203.0.113.7"))
    #expect(queue.networks == 3)
    for peer in ["203.0.113.7", "2001:db8::1", "203.0.113.7"] { queue.leave(from: peer) }
    #expect(queue.networks == 0)
    #expect(queue.enter(from: "203.0.113.7"))
  }

  @Test func `has as many places as the manifest gives the worker`() throws {
    let manifest = try TestManifest(file: AuthHost.folder + "/plugin.json")
    #expect(manifest.workerJobs == HashingQueue.capacity)
  }
}
