import PluginKit
import PluginTesting
import Testing

@Suite struct SocketTests {
  @Test func `a connection keeps its number and gets its messages`() async throws {
    let host = try await Probe.host()
    let socket = try await host.connect("numbered", "/?n=7", as: .user("alice"))
    try await socket.send("hé")
    #expect(try await socket.messages(2).map(\.text) == ["welcome", "7:hé"])
    try await socket.close(code: 4000, reason: "bye")
    let line = try #require(host.log.first { $0.message == "closed" })
    #expect(line.fields?.text == #"{"code":4000,"context":7}"#)
    try await host.close()
  }

  @Test func `a handshake is refused with the problem thrown`() async throws {
    let host = try await Probe.host()
    let refused = await #expect(throws: TestRefused.self) { try await host.connect("numbered") }
    #expect(refused?.reply.status == 401)
    #expect(refused?.reply.problem?.detail == "who?")
    try await host.close()
  }

  @Test func `a credential is found in a first message, and who has none is told so`() async throws
  {
    let host = try await Probe.host()
    #expect(try await host.greet("numbered", "token abc") == .credential("abc"))
    #expect(try await host.greet("numbered", "nobody") == .credential(nil))
    #expect(try await host.greet("numbered", "hello") == .refused(.invalid))
    #expect(
      try await host.refusal("numbered", of: "hello", because: .expired)
        == TestFarewell(message: "5 -19", code: 3500, reason: "no"))
    #expect(
      try await host.refusal("numbered", of: nil, because: .deadline)
        == TestFarewell(message: nil, code: 3500, reason: "no"))
    try await host.close()
  }

  @Test(arguments: [
    ("a=1&t%20k=x%2By+z", "", TestFinding.found(.credential("x+y z"))),
    ("t+k=first&t+k=second", "", .found(.credential("first"))),
    ("app-of=shop&t+k=x", "", .found(.app("shop"))),
    ("t+k", "", .found(.credential(""))),
    ("t+k=%zz", "", .found(nil)),
    ("t+k=%ff", "", .found(nil)),
    ("t+k=%4", "", .found(nil)),
    ("", "token abc", .found(.credential("abc"))),
    ("", "", .found(nil)),
    ("", "something else", .refused(.notFound)),
  ])
  func `what leads to an app is found in a request's query and body`(
    _ query: String, _ body: String, _ finding: TestFinding
  ) async throws {
    let host = try await Probe.host()
    #expect(try await host.find("mismatch", query: query, body: body) == finding)
    #expect(try await host.find("mismatch") == .found(nil))
    await #expect(throws: TestFailure.self) { try await host.find("nothing") }
    try await host.close()
  }

  @Test func `a refused request is answered in the plugin's words where it has some`() async throws
  {
    let host = try await Probe.host()
    let reply = try #require(
      try await host.refusal("mismatch", query: "t+k=x", body: "12", because: .expired))
    #expect(reply.status == 200 && reply.contentType == "text/plain" && reply.text == "x 2")
    #expect(try await host.refusal("mismatch", because: .unauthenticated) == nil)
    try await host.close()
  }

  @Test func `a credential that comes later is identified`() async throws {
    let host = try await Probe.host()
    let socket = try await host.connect("peer")
    try await socket.send("who abc")
    #expect(try await socket.messages(1).map(\.text) == ["unavailable"])
    try await host.provide("sluice.authenticator/1", method: 1) { (query: [String: String]) in
      guard query["credential"] == "abc" else { throw HostError(.expired, "late") }
      return ["kind": "user", "id": "\(query["kind"] ?? "")-alice"]
    }
    try await socket.send("who abc")
    #expect(try await socket.messages(2).last?.text == "bearer-alice")
    try await socket.send("who x")
    #expect(try await socket.messages(3).last?.text == "expired")
    try await host.close()
  }

  @Test func `every connection has its own object`() async throws {
    let host = try await Probe.host()
    let a = try await host.connect("peer", "/?name=a")
    let b = try await host.connect("peer", "/?name=b")
    try await a.send("x")
    try await a.send("x")
    try await b.send("x")
    #expect(try await a.messages(2).map(\.text) == ["a 1", "a 2"])
    #expect(try await b.messages(1).map(\.text) == ["b 1"])
    try await host.close()
  }

  @Test func `a group reaches its members, and those that end leave it`() async throws {
    let host = try await Probe.host()
    let a = try await host.connect("peer", "/?name=a")
    let b = try await host.connect("peer", "/?name=b")
    try await a.send("all")
    #expect(try await b.messages(1).map(\.text) == ["from a"])
    try await b.close()
    try await a.send("count")
    #expect(try await a.messages(2).map(\.text) == ["from a", "1"])
    try await host.close()
  }

  @Test func `the plugin closes a connection with its code`() async throws {
    let host = try await Probe.host()
    let socket = try await host.connect("peer")
    try await socket.send("close")
    #expect(try await socket.closed() == CloseReason(code: 4001, text: "as you wish"))
    await #expect(throws: TestFailure.self) { try await socket.send("late") }
    try await host.close()
  }

  @Test func `a callback starts asynchronous work on the loop`() async throws {
    let host = try await Probe.host()
    let socket = try await host.connect("peer")
    try await socket.send("async")
    #expect(try await socket.messages(1).map(\.text) == ["42 on loop true"])
    try await host.close()
  }

  @Test func `a peer that does not read is closed as slow`() async throws {
    let host = try await Probe.host()
    let socket = try await host.connect("peer")
    try await socket.read(false)
    try await socket.send("flood")
    #expect(try await socket.closed().code == 3008)
    try await host.close()
  }
}

@Suite struct SlotTableTests {
  @Test func `a number finds its value and no later one`() {
    var table = SlotTable<String>()
    let a = table.insert("a")
    let b = table.insert("b")
    #expect(table[a] == "a")
    #expect(table.count == 2)
    #expect(table.remove(a) == "a")
    #expect(table.remove(a) == nil)
    let c = table.insert("c")
    #expect(c != a)
    #expect(table[a] == nil)
    table[a] = "late"
    #expect(table[c] == "c")
    table[b] = "changed"
    #expect(table[b] == "changed")
    table[b] = nil
    #expect(table.count == 1)
    #expect(table[0] == nil)
    #expect(table[.max] == nil)
  }
}
