import PluginKit
import PluginTesting
import Testing

@Suite struct PhaseTests {
  @Test func `a part that gives nothing lets the request pass with the fields it added`()
    async throws
  {
    let host = try await Probe.host()
    let passage = try await host.pass(
      .authorize, "gate", "GET", "/things?wish=nothing", route: ("listThings", "things"))
    #expect(passage.reply == nil)
    #expect(passage.header("x-seen") == "things.listThings")
    try await host.close()
  }

  @Test(arguments: [("deny", 403), ("fail", 500), ("answer", 202), ("stream", 500)])
  func `a part may answer or refuse, in one piece`(wish: String, status: Int) async throws {
    let host = try await Probe.host()
    let passage = try await host.pass(.authorize, "gate", "GET", "/?wish=\(wish)")
    #expect(passage.reply?.status == status)
    try await host.close()
  }

  @Test(arguments: [("nothing", nil), ("deny", 429), ("answer", 204)] as [(String, Int?)])
  func `a part that awaits has the request wait`(wish: String, status: Int?) async throws {
    let host = try await Probe.host()
    let pending = try await host.beginPass(
      .limit, "meter", "GET", "/?wish=\(wish)", as: .user("alice"))
    try await host.advance(milliseconds: 1_000)
    let passage = try await pending.passage()
    #expect(passage.reply?.status == status)
    #expect(passage.header("x-metered") == "alice")
    try await host.close()
  }

  @Test func `a part that awaits nothing decides before it has returned`() async throws {
    let host = try await Probe.host()
    #expect(try await host.pass(.limit, "at_once").reply == nil)
    try await host.close()
  }

  @Test func `a peer that goes away while a part awaits ends it quietly`() async throws {
    let host = try await Probe.host()
    let pending = try await host.beginPass(.limit, "meter")
    try await pending.cancel()
    try await host.settle()
    #expect(!host.log.contains { $0.level == .error })
    try await host.close()
  }

  @Test func `a part in respond sees the status, and its error stops nothing`() async throws {
    let host = try await Probe.host()
    for status in [200, 500] {
      let passage = try await host.pass(
        .respond, "stamp",
        outcome: RequestOutcome(status: status, bytesSent: 0, duration: .zero))
      #expect(passage.reply == nil)
      #expect(passage.header("x-status") == "\(status)")
    }
    #expect(host.log.filter { $0.level == .error }.count == 1)
    try await host.close()
  }

  @Test func `a part in observe sees how the request ended, and adds nothing`() async throws {
    let host = try await Probe.host()
    let passage = try await host.pass(
      .observe, "count", "GET", "/?wish=late",
      outcome: RequestOutcome(status: 404, bytesSent: 120, duration: .milliseconds(2)))
    #expect(passage.header("x-late") == nil)
    let line = try #require(host.log.first { $0.message == "observed" })
    #expect(line.fields?.text == #"{"status":404,"duration":"0.002 seconds"}"#)
    try await host.close()
  }

  @Test func `a name is known in its own phase only`() async throws {
    let host = try await Probe.host()
    _ = try await host.pass(.observe, "gate")
    #expect(host.log.contains { $0.message == "gate" })
    await #expect(throws: TestFailure.self) { try await host.pass(.limit, "gate") }
    await #expect(throws: TestFailure.self) { try await host.pass(.respond, "count") }
    try await host.close()
  }
}
