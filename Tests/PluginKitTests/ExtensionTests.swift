import PluginKit
import PluginTesting
import Testing

@Suite struct ServiceTests {
  @Test func `a service answers at once, later, or in bytes`() async throws {
    let host = try await Probe.host()
    let question = ProbeShard.Question(a: 2, b: 3)
    #expect(try await host.call("probe.sum/1", method: 1, question, as: Int.self) == 5)
    #expect(try await host.call("probe.sum/1", method: 2, question, as: Int.self) == 5)
    let bytes = try await host.call("probe.sum/1", key: "k", method: 3, bytes: [1])
    #expect(bytes == [UInt8(ascii: "k"), 1])
    try await host.close()
  }

  @Test func `a service's error is a status with its words`() async throws {
    let host = try await Probe.host()
    let denied = await #expect(throws: HostError.self) {
      try await host.call(
        "probe.sum/1", method: 1, ProbeShard.Question(a: -1, b: 0), as: Int.self)
    }
    #expect(denied == HostError(.denied, "a is negative"))
    let malformed = await #expect(throws: HostError.self) {
      try await host.call("probe.sum/1", method: 1, bytes: Array("{".utf8))
    }
    #expect(malformed?.status == .invalid)
    let unknown = await #expect(throws: HostError.self) {
      try await host.call("probe.sum/1", method: 99, bytes: [])
    }
    #expect(unknown?.status == .unsupported)
    try await host.close()
  }

  @Test func `a plugin asks another, and hears when there is none`() async throws {
    let host = try await Probe.host()
    let alone = try await host.request("GET", "/", handler: "ask")
    #expect(alone.status == 404)
    try await host.provide("other.sum/1", key: "k", method: 1) {
      (question: ProbeShard.Question) in question.a * question.b
    }
    let reply = try await host.request("GET", "/", handler: "ask")
    #expect(reply.text == "6")
    try await host.close()
  }
}

@Suite struct BusTests {
  @Test func `a subscription brings ephemeral and durable publications until it ends`()
    async throws
  {
    let host = try await Probe.host()
    _ = try await host.request("GET", "/", handler: "subscribe")
    _ = try await host.request("POST", "/", handler: "insert", body: #"{"name":"n"}"#)
    try await host.publish("probe:other", data: "1")
    try await host.advance(milliseconds: 10)
    try await host.publish("probe:notes", data: "2")
    let heard: [String] = try await host.request("GET", "/", handler: "heard").json()
    #expect(
      heard == [
        #"first typing 0 {"a": 1}"#, #"first probe.note.created 1 {"name":"n"}"#,
      ])
    #expect(try await host.subscriptions.isEmpty)
    #expect(try await host.published.map(\.data.text) == [#"{"a": 1}"#])
    try await host.close()
  }
}

@Suite struct EventTests {
  @Test func `a listener's batch settles its event`() async throws {
    let host = try await Probe.host()
    #expect(try await host.deliver("other.thing.made", data: #"{"size":2}"#) == .ok)
    let notes: [Note] = try await host.request("GET", "/", handler: "notes").json()
    #expect(notes.map(\.size) == [.large])
    #expect(try await host.deliver("other.sync", data: "{}") == .ok)
    try await host.close()
  }

  @Test func `a listener that throws has the event again later`() async throws {
    let host = try await Probe.host()
    #expect(try await host.deliver("other.thing.made", data: "{}") == .internal)
    #expect(host.log.contains { $0.message == "a listener failed" })
    try await host.close()
  }

  @Test func `an event that nobody registered for is an error that is seen`() async throws {
    let host = try await Probe.host()
    #expect(try await host.deliver("other.unknown", data: "{}") == .unsupported)
    try await host.close()
  }
}

@Suite struct ExtensionTests {
  @Test func `timers fire in their order, again and again, until they are cancelled`()
    async throws
  {
    let host = try await Probe.host()
    _ = try await host.request("GET", "/", handler: "timers")
    try await host.advance(milliseconds: 99)
    #expect(try await host.request("GET", "/", handler: "heard").text == "[]")
    try await host.advance(milliseconds: 1_000)
    #expect(
      try await host.request("GET", "/", handler: "heard").json()
        == ["tick", "tick", "tick", "stop"])
    try await host.close()
  }

  @Test func `ids have a prefix, sort by time and differ`() async throws {
    let host = try await Probe.host()
    let early: [String] = try await host.request("GET", "/", handler: "ids").json()
    try await host.advance(milliseconds: 1)
    let late: [String] = try await host.request("GET", "/", handler: "ids").json()
    #expect(Set(early + late).count == 4)
    #expect(early.allSatisfy { $0.hasPrefix("msg_") && $0.utf8.count == 30 })
    #expect(early.allSatisfy { $0 < late[0] })
    try await host.close()
  }

  @Test func `secrets are put, kept from being overwritten, and removed`() async throws {
    let host = try await Probe.host()
    let reply = try await host.request("GET", "/", handler: "secrets")
    #expect(reply.text == "[1, 2, 3] true")
    #expect(try await host.secret("probe.key") == nil)
    try await host.close()
  }

  @Test func `metrics count, and a malformed name is an error`() async throws {
    let host = try await Probe.host()
    let reply = try await host.request("GET", "/", handler: "metrics")
    #expect(reply.status == 500)
    #expect(host.metric("sent_total") == 3)
    #expect(host.metric("open") == 3)
    try await host.close()
  }

  @Test func `tenants are made and changed`() async throws {
    let host = try await Probe.host()
    let reply = try await host.request("GET", "/", handler: "tenants")
    let chat = #"{"id":"chat","version":"0.0.0","enabled":true,"config":{"a":1},"revision":"1"}"#
    #expect(reply.text == "[\(chat)]")
    let shop = try #require(try await host.tenants.tenants["shop"])
    #expect(shop.credentials["key_1"]?.revokedAt == host.now.unixMilliseconds)
    #expect(shop.secrets == ["tenant.signing": [9]])
    #expect(shop.hosts == ["a.example", "b.example"])
    try await host.close()
  }
}
