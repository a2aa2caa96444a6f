import CSluice
import PluginKit
import PluginTesting
import Testing

@Suite struct `An answer that is sent as things happen` {
  private func more(_ host: TestHost, _ query: String = "") async throws -> String {
    try await host.request("GET", "/" + query, handler: "push_more").text
  }

  @Test func `goes out piece by piece until it is ended`() async throws {
    let host = try await Probe.host()
    let answer = try await host.begin("GET", "/", handler: "push")
    let begun = try await answer.pieces()
    #expect(begun.status == 201 && begun.contentType == "text/plain" && begun.text == "begun ")
    #expect(begun.headers.first?.value == "push")
    #expect(try await more(host) == "0 []")
    #expect(try await answer.pieces { $0.body.count > 6 }.text == "begun more ")
    #expect(try await more(host, "?end=1") == "0 []")
    #expect(try await answer.reply().text == "begun more more ")
    #expect(try await more(host, "?end=1") == "\(SLUICE_E_STALE) []")
    try await host.close()
  }

  @Test func `says when the peer is behind, and when it has caught up`() async throws {
    let host = try await Probe.host()
    let answer = try await host.begin("GET", "/", handler: "push")
    try await answer.setReading(false)
    #expect(try await more(host) == "\(SLUICE_PENDING) []")
    #expect(try await more(host) == "\(SLUICE_E_OVERLOADED) []")
    try await answer.setReading(true)
    try await host.settle()
    #expect(try await answer.pieces().text == "begun more room ")
    try await answer.setReading(false)
    #expect(try await more(host, "?end=1") == "\(SLUICE_PENDING) []")
    #expect(try await answer.reply().text == "begun more room more ")
    try await host.close()
  }

  @Test(arguments: ["push", "stream"])
  func `is the host's to refuse where the plan allows no more connections`(handler: String)
    async throws
  {
    let host = try await Probe.host()
    try await host.setConnectionRoom(false)
    let logged = host.log.count
    let reply = try await host.request("POST", "/", handler: handler)
    #expect(reply.status == 403 && reply.problem?.code == "quota_exceeded")
    // The handler's error is no news.
    #expect(host.log.count == logged)
    try await host.setConnectionRoom(true)
    let answer = try await host.begin("GET", "/", handler: "push")
    #expect(try await answer.pieces().status == 201)
    try await host.close()
  }

  @Test func `hears that the peer is gone, once`() async throws {
    let host = try await Probe.host()
    let answer = try await host.begin("GET", "/", handler: "push")
    try await answer.setReading(false)
    _ = try await more(host)
    try await answer.cancel()
    try await host.settle()
    #expect(try await more(host, "?end=1") == #"\#(SLUICE_E_STALE) ["gone"]"#)
    try await host.close()
  }
}
