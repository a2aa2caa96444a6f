import PluginKit
import Testing

@testable import PluginTesting
@testable import RealtimePlugin

@Suite struct `A channel's owner who takes back that somebody listens` {
  private func end(_ channel: String, of user: String?, _ host: TestHost) async throws {
    let who = user.map { #","user":"\#($0)""# } ?? ""
    try await host.publish(
      "@subscriptions", data: RawJSON(stringLiteral: #"{"channel":"\#(channel)"\#(who)}"#))
    try await host.settle()
  }

  @Test func `ends the user's subscription, and no other`() async throws {
    try await withRealtime { host async throws in
      let alice = try await host.plain()
      let bob = try await host.plain(as: .user("bob"))
      for client in [alice, bob] {
        #expect(try await client.subscribe("chat:a:b", id: 1).type == "ack")
        #expect(try await client.subscribe("chat:a:c", id: 2).type == "ack")
      }
      try await end("chat:a:b", of: "alice", host)
      let told = try #require(try await alice.told.last)
      #expect(told.type == "system_message" && told.code == "unsubscribed")
      #expect(told.channel == "chat:a:b")
      try await host.emit("1")
      try await host.emit("2", "chat:a:c")
      #expect(try await alice.events(in: "chat:a:b").isEmpty)
      #expect(try await alice.events(in: "chat:a:c").count == 1)
      #expect(try await bob.events(in: "chat:a:b").count == 1)
      // Whoever asks again is answered anew.
      #expect(try await alice.subscribe("chat:a:b", id: 3).type == "ack")
    }
  }

  @Test func `ends everybody's where no user is named, in every way of listening`() async throws {
    try await withRealtime { host async throws in
      let client = try await host.client()
      #expect(try await client.subscribe("chat:a:b").subscribe != nil)
      let stream = try await host.stream(as: .user("bob"))
      #expect(try await stream.subscribe("chat:a:b").subscribe != nil)
      let socket = try await host.listen("chat:a:c,chat:a:b", as: .user("carol"))
      _ = try await socket.hello()
      let reader = try await host.events("chat:a:b", as: .user("dora"))
      let other = try await host.events("chat:a:c", as: .user("dora"))
      try await end("chat:a:b", of: nil, host)
      let push = try #require(try await client.lines.last?.push)
      #expect(push.channel == "chat:a:b" && push.unsubscribe?.code == 2000)
      #expect(try await stream.lines.last?.push?.unsubscribe?.code == 2000)
      #expect(try await socket.closed().code == 3507)
      #expect(try await reader.answer.reply().text.contains(#""code":3507"#))
      try await host.emit("1")
      try await host.emit("2", "chat:a:c")
      #expect(try await client.heard(in: "chat:a:b").isEmpty)
      #expect(try await other.seen().map(\.channel) == ["chat:a:c"])
      #expect(try await host.channels == ["chat:a:c"])
    }
  }

  @Test func `ends what is being made, however far it is`() async throws {
    for turns in 0..<6 {
      try await withRealtime { host async throws in
        let client = try await host.client()
        try await client.socket.send(#"{"id":2,"subscribe":{"channel":"chat:a:b"}}"#)
        // Lets the loop go on for a while, as far as it likes.
        for _ in 0..<turns { _ = try await host.subscriptions }
        try await end("chat:a:b", of: "alice", host)
        try await host.emit("1")
        #expect(try await client.heard(in: "chat:a:b").isEmpty)
        let reader = try await host.begin(
          "GET", "/connection/uni_sse?channels=chat:a:b", as: .user("alice"))
        for _ in 0..<turns { _ = try await host.subscriptions }
        try await end("chat:a:b", of: "alice", host)
        #expect([200, 403].contains(try await reader.reply().status))
        #expect(try await host.channels.isEmpty)
      }
    }
  }

  @Test func `is not heard when what is said is no ending`() async throws {
    try await withRealtime { host async throws in
      let client = try await host.client()
      try await client.subscribe("chat:a:b")
      for data: RawJSON in ["{}", "1", #"{"channel":1}"#, #"{"channel":"chat:a"}"#] {
        try await host.publish("@subscriptions", data: data)
      }
      try await host.emit("1")
      #expect(try await client.heard(in: "chat:a:b").count == 1)
    }
  }
}
