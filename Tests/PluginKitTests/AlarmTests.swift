import PluginKit
import PluginTesting
import Testing

@Suite struct `An alarm` {
  private func heard(_ host: TestHost) async throws -> [String] {
    let all: [String] = try await host.request("GET", "/", handler: "heard").json()
    // "woken 2026-01-01T00:00:01.000Z": the time within the minute.
    return all.map { String($0.dropFirst(23).prefix(6)) }
  }

  private func set(_ host: TestHost, _ milliseconds: Int64) async throws {
    let at = host.now.adding(milliseconds: milliseconds).unixMilliseconds
    let answer = try await host.request("POST", "/?at=\(at)", handler: "sleep")
    #expect(answer.text == "set")
  }

  @Test func `wakes once at the earlier of its times`() async throws {
    let host = try await Probe.host()
    #expect(try await host.alarm == nil)
    try await set(host, 2_000)
    try await set(host, 9_000)
    let due = host.now.adding(milliseconds: 2_000)
    #expect(try await host.alarm == due)
    try await host.advance(milliseconds: 1_999)
    #expect(try await heard(host).isEmpty)
    try await host.advance(milliseconds: 60_000)
    #expect(try await heard(host) == ["02.000"])
    #expect(try await host.alarm == nil)
    try await host.wake()
    #expect(try await heard(host).count == 2)
    try await host.close()
  }

  @Test(arguments: [
    ("again", ["00.000", "00.100", "00.200"]), ("later", ["00.000", "01.000", "02.000"]),
    ("fails", ["00.000", "01.000", "02.000"]), ("asks", ["00.000", "05.000"]),
  ])
  func `comes again when the plugin says so, fails, or has set it meanwhile`(
    greeting: String, times: [String]
  ) async throws {
    let host = try await Probe.host(
      config: RawJSON(unchecked: try JSON.encode(["greeting": greeting])))
    try await set(host, 0)
    try await host.advance(milliseconds: 30_000)
    #expect(try await heard(host) == times)
    #expect(try await host.alarm == nil)
    try await host.close()
  }

  @Test func `wakes once at a time, also when the gateway does not wait for the last`() async throws
  {
    let host = try await Probe.host(config: #"{"greeting": "takes long"}"#)
    try await host.wakeTwice()
    let all: [String] = try await host.request("GET", "/", handler: "heard").json()
    #expect(all.filter { !$0.hasPrefix("woken") } == ["begins", "ends", "begins", "ends"])
    #expect(try await host.alarm == nil)
    try await host.close()
  }

  @Test func `is refused for what is no time`() async throws {
    let host = try await Probe.host()
    for at in ["-1", "253402300800000"] {
      let answer = try await host.request("POST", "/?at=\(at)", handler: "sleep")
      #expect(answer.text == "invalid")
    }
    try await host.close()
  }
}
