import PluginKit
import Testing

@testable import PluginTesting
@testable import RealtimePlugin

@Suite struct `The unidirectional socket` {
  @Test func `says where its channels stand, then what happens in them`() async throws {
    try await withRealtime { host async throws in
      try await host.emit("1")
      let socket = try await host.listen("chat:a:b,chat:c:d")
      let hello = try #require(try await socket.messages(1).first)
      #expect(hello.isText)
      let epoch = try #require(try await host.events.first?.epoch)
      let connected = try hello.json(Seen.self)
      #expect(connected.type == "connected")
      #expect(
        connected.channels == [
          Seen.Channel(channel: "chat:a:b", offset: 1, epoch: epoch),
          Seen.Channel(channel: "chat:c:d", offset: 0, epoch: epoch),
        ])
      #expect(hello.text.contains(#""user_id":"alice","app":"app","time":"2026-01-01T00:00:00.0"#))
      #expect(hello.text.contains(#""connection_id":"con_"#))

      try await host.emit(#"{ "b" : 1.0 }"#)
      let event = try await socket.messages(2)[1]
      #expect(
        event.text
          == #"{"type":"chat.message.created","id":"evt_{ \"b\" : 1.0 }","#
          + #""time":"2026-01-01T00:00:00.000Z","app":"app","channel":"chat:a:b","#
          + #""data":{ "b" : 1.0 },"offset":2,"epoch":"\#(epoch)"}"#)
    }
  }

  @Test func `passes on what is ephemeral, without an offset`() async throws {
    try await withRealtime { host async throws in
      let socket = try await host.listen("chat:a:b")
      _ = try await socket.hello()
      try await host.publish("chat:a:b", type: "typing", data: #"{"on":true}"#)
      try await host.publish("chat:a:b", data: "1")
      let messages = try await socket.messages(3)
      #expect(messages[1].text.hasPrefix(#"{"type":"typing","id":"evt_"#))
      #expect(
        messages[1].text.hasSuffix(#""app":"app","channel":"chat:a:b","data":{"on":true}}"#))
      #expect(messages[2].text.hasPrefix(#"{"id":"evt_"#))
    }
  }

  @Test func `has one subscription for a channel, and one encoding for a thousand listeners`()
    async throws
  {
    try await withRealtime { host async throws in
      var sockets: [TestSocket] = []
      for number in 0..<1000 {
        sockets.append(try await host.listen("chat:a:b", as: .user("u\(number)")))
      }
      try await host.settle()
      #expect(try await host.channels == ["chat:a:b"])
      let groups = try await host.onLoop { $0.groups.values.map(\.count) }
      #expect(groups == [1000])
      try await host.emit("1")
      for socket in sockets { #expect(try await socket.offsets(2) == [1]) }
      #expect(host.metric("publications_total") == 1)
      #expect(host.metric("connections") == 1000)
      #expect(host.metric("channels") == 1)
    }
  }

  @Test func `leaves a channel with its last listener`() async throws {
    try await withRealtime { host async throws in
      let (first, second) = (
        try await host.listen("chat:a:b,chat:c:d"), try await host.listen("chat:a:b")
      )
      _ = try await (first.hello(), second.hello())
      try await first.close()
      #expect(try await host.channels == ["chat:a:b"])
      try await second.close()
      #expect(try await host.channels == [])
      #expect(try await host.onLoop { $0.groups.count } == 0)
      #expect(host.metric("connections") == 0)
      #expect(host.metric("channels") == 0)
      let third = try await host.listen("chat:a:b")
      #expect(try await third.hello().type == "connected")
    }
  }

  @Test func `lets a listener in while others get events, without gap or repeat`() async throws {
    try await withRealtime { host async throws in
      let sockets = try await host.crowd()
      #expect(sockets.count == 30)
      for socket in sockets {
        let start = try #require(try await socket.hello().channels?.first?.offset)
        let rest = Array(start..<60).map { Optional($0 + 1) }
        #expect(try await socket.offsets(1 + rest.count) == rest)
        #expect(try await socket.received.count == 1 + rest.count)
      }
    }
  }

  @Test func `fills what the bus has lost from the history`() async throws {
    try await withRealtime { host async throws in
      let socket = try await host.listen("chat:a:b")
      _ = try await socket.hello()
      try await host.emit("1")
      for lost in ["2", "3"] {
        try await host.emit(RawJSON(stringLiteral: lost), isLost: true)
      }
      try await host.emit("4")
      let epoch = try #require(try await host.events.first?.epoch)
      try await host.deliver(offset: 3, epoch: epoch)
      #expect(try await socket.offsets(5) == [1, 2, 3, 4])
      #expect(host.metric("gaps_total") == 1)
      let events = try await socket.received
      #expect(events[2].text.contains(#""id":"evt_2""#))
      #expect(events.count == 5)
    }
  }

  @Test func `is closed as resumable when what it misses is in the history no more`()
    async throws
  {
    try await withRealtime { host async throws in
      let (socket, other) = (
        try await host.listen("chat:a:b"), try await host.listen("chat:c:d")
      )
      _ = try await other.hello()
      let epoch = try #require(try await socket.hello().channels?.first?.epoch)
      try await host.deliver(offset: 9, epoch: epoch)
      #expect(try await socket.closed() == CloseReason(code: 3010, text: "insufficient state"))
      #expect(host.metric("losses_total") == 1)
      #expect(try await other.received.count == 1)
      // Whoever comes back begins anew.
      let again = try await host.listen("chat:a:b")
      #expect(try await again.hello().channels?.first?.offset == 0)
      try await host.emit("1")
      #expect(try await again.offsets(2) == [1])
    }
  }

  @Test func `misses nothing that comes before it is known where the channel stands`()
    async throws
  {
    try await withRealtime { host async throws in
      try await host.emit("1", "chat:c:d")
      let epoch = try #require(try await host.events.first?.epoch)
      // The history will not know of this one, which is as if it had let go of it.
      try await host.onLoop { $0.deliverAtOnce(.made(2, epoch, "chat:a:b")) }
      let socket = try await host.listen("chat:a:b")
      #expect(try await socket.closed().code == 3010)
    }
  }

  @Test func `is closed when the history is another`() async throws {
    try await withRealtime { host async throws in
      let socket = try await host.listen("chat:a:b")
      _ = try await socket.hello()
      try await host.deliver(offset: 1, epoch: "another")
      #expect(try await socket.closed().code == 3010)
    }
  }

  @Test(arguments: ["chat:secret:x", "chat:a:b,chat:secret:x"])
  func `is closed for good when one channel is refused`(_ channels: String) async throws {
    try await withRealtime { host async throws in
      let socket = try await host.listen(channels)
      let why = try await socket.closed()
      #expect(why == CloseReason(code: 3507, text: "permission denied: chat:secret:x"))
      #expect(try await host.channels == [])
    }
  }

  @Test func `is closed for good when nobody owns the namespace`() async throws {
    try await withRealtime { host async throws in
      let socket = try await host.listen("none:\(String(repeating: "x", count: 120))")
      #expect(try await socket.closed() == CloseReason(code: 3507, text: "permission denied"))
    }
  }

  @Test func `is closed as resumable when the owner cannot answer`() async throws {
    try await withRealtime { host async throws in
      let socket = try await host.listen("chat:broken:x")
      #expect(try await socket.closed() == CloseReason(code: 3004, text: "internal server error"))
      #expect(host.log.contains { $0.level == .error })
    }
  }

  @Test(arguments: ["", "chat:", "chat:a:b,", "chat:a,chat:b,chat:c"])
  func `is refused before the handshake when the channels are no list`(_ channels: String)
    async throws
  {
    try await withRealtime(#"{"channels_per_connection":2}"#) { host async throws in
      do {
        _ = try await host.listen(channels)
        Issue.record("let in")
      } catch let refused as TestRefused {
        #expect(refused.reply.status == 400)
        #expect(refused.reply.problem?.errors?.map(\.pointer) == ["/query/channels"])
      }
    }
  }

  @Test func `ends with its token`() async throws {
    try await withRealtime { host async throws in
      func user(_ seconds: Int64) -> Principal {
        Principal(
          kind: .user, id: "alice", expiresAt: host.now.adding(milliseconds: seconds * 1000))
      }
      let late = try await host.listen("chat:a:b", as: user(7200))
      let soon = try await host.listen("chat:a:b", as: user(60))
      let gone = try await host.listen("chat:a:b", as: user(30))
      try await gone.close()
      try await host.advance(milliseconds: 59_000)
      #expect(try await host.onLoop { $0.connections.count } == 2)
      try await host.advance(milliseconds: 2_000)
      #expect(try await soon.closed() == CloseReason(code: 3005, text: "connection expired"))
      try await host.advance(milliseconds: 7_000_000)
      #expect(try await host.onLoop { $0.connections.count } == 1)
      try await host.advance(milliseconds: 140_000)
      #expect(try await late.closed().code == 3005)
    }
  }

  @Test func `ignores what the client says`() async throws {
    try await withRealtime { host async throws in
      let socket = try await host.listen("chat:a:b")
      _ = try await socket.hello()
      try await socket.send("hello?")
      try await host.settle()
      #expect(try await socket.received.count == 1)
    }
  }

  @Test func `that ends before it is let in leaves nothing behind`() async throws {
    try await withRealtime { host async throws in
      for _ in 0..<20 {
        let socket = try await host.listen("chat:a:b,chat:c:d")
        try await socket.close()
      }
      try await host.settle()
      #expect(try await host.channels == [])
      #expect(try await host.onLoop { $0.groups.count } == 0)
      #expect(host.metric("connections") == 0)
    }
  }
}
