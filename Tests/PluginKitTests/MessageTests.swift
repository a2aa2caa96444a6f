import PluginKit
import PluginTesting
import Testing

@Suite struct `Messages of clients` {
  @Test func `are answered by the handler that the manifest names`() async throws {
    let host = try await Probe.host()
    #expect(try await host.say("sum", "[1,2,3]", as: .user("alice")).text == #"{"sum":6}"#)
    let later = try await host.say("later", "{}", type: "probe.later", as: .user("bob"))
    let members: [String: String] = try later.decode()
    #expect(members == ["id": "bob", "type": "probe.later"])
    try await host.close()
  }

  @Test func `are refused with what is wrong`() async throws {
    let host = try await Probe.host()
    let conflict = await #expect(throws: TestMessageRefused.self) {
      try await host.say("sum", "[]", as: .user("alice"))
    }
    #expect(conflict?.status == .conflict)
    #expect(
      conflict?.document == Array(#"{"code":"conflict","detail":"nothing to add"}"#.utf8))
    let invalid = await #expect(throws: TestMessageRefused.self) {
      try await host.say("sum", #"[1,"x"]"#, as: .user("alice"))
    }
    #expect(invalid?.status == .invalid)
    let text = String(decoding: invalid?.document ?? [], as: UTF8.self)
    #expect(text.contains(#""pointer":"/1""#), "\(text)")
    await #expect(throws: TestFailure.self) {
      try await host.say("nothing", "{}", as: .user("alice"))
    }
    try await host.close()
  }

  @Test func `that others take are dispatched with whoever sent them`() async throws {
    let host = try await Probe.host()
    let socket = try await host.connect("peer", as: .user("carol"))
    try await socket.send("say {}")
    #expect(try await socket.messages(1).map(\.text) == ["nobody takes it"])
    try await host.take("other.thing") { message in
      let wish: [String: Int] = try message.decode()
      guard wish["n"] != 0 else { throw HostError(.limited) }
      return "\(message.principal.id) \(wish["n"] ?? -1)"
    }
    try await socket.send(#"say {"n":7}"#)
    #expect(try await socket.messages(2).last?.text == #""carol 7""#)
    try await socket.send(#"say {"n":0}"#)
    #expect(try await socket.messages(3).last?.text == "429 rate_limited")
    try await host.close()
  }
}
