import PluginKit
import Testing

@testable import PluginTesting
@testable import RealtimePlugin

@Suite struct `The unidirectional stream` {
  @Test
  func `says where its channels stand, then what happens in them, with where the client stands`()
    async throws
  {
    try await withRealtime { host async throws in
      try await host.emit("1")
      let epoch = try #require(try await host.events.first?.epoch)
      let reader = try await host.events("chat:a:b,chat:c:d")
      let hello = try #require(try await reader.events.first)
      #expect(hello.id == "\(epoch):1,:0")
      let connected = try JSON.decode(Seen.self, from: Array(hello.data.utf8))
      #expect(connected.type == "connected")
      #expect(connected.channels?.map(\.offset) == [1, 0])
      try await host.emit("2")
      try await host.emit("3", "chat:c:d")
      #expect(try await reader.events.dropFirst().map(\.id) == ["\(epoch):2,:0", "\(epoch):2,:1"])
      #expect(try await reader.seen().map(\.offset) == [2, 1])
      #expect(try await reader.answer.pieces().contentType == "text/event-stream; charset=utf-8")
      #expect(host.metric("connections") == 1)
    }
  }

  @Test func `goes on behind the last event that the client has seen, in all channels`()
    async throws
  {
    try await withRealtime { host async throws in
      let first = try await host.events("chat:a:b,chat:c:d")
      for number in 1...3 { try await host.emit(RawJSON(unchecked: Array("\(number)".utf8))) }
      try await host.emit("4", "chat:c:d")
      let id = try #require(try await first.events[2].id)
      try await first.answer.cancel()
      try await host.settle()
      #expect(host.metric("connections") == 0)
      try await host.emit("5")
      let second = try await host.events("chat:a:b,chat:c:d", after: id)
      #expect(
        try await second.seen().map { [$0.channel, $0.offset.map { "\($0)" }] } == [
          ["chat:a:b", "3"], ["chat:a:b", "4"], ["chat:c:d", "1"],
        ])
      try await host.emit("6", "chat:c:d")
      #expect(try await second.seen().last?.offset == 2)
      let end = try #require(try await second.events.last?.id)
      let third = try await host.events("chat:a:b,chat:c:d", after: end)
      #expect(try await third.seen().isEmpty)
      #expect(try await third.events.first?.id == end)
    }
  }

  @Test(arguments: ["nonsense", "e:1", "e:1,e:1,e:1", ":"])
  func `says which channels it cannot resume, and goes on with them`(_ id: String) async throws {
    try await withRealtime { host async throws in
      try await host.emit("1")
      let reader = try await host.events("chat:a:b,chat:c:d", after: id)
      let lost = try #require(try await reader.events.first { $0.name != nil })
      #expect(lost.name == "insufficient_state" && lost.id == nil)
      #expect(
        lost.data == #"{"type":"insufficient_state","channels":["chat:a:b","chat:c:d"]}"#)
      try await host.emit("2")
      #expect(try await reader.seen().map(\.offset) == [2])
    }
  }

  @Test func `resumes what it can where the history of another channel is gone`() async throws {
    try await withRealtime(everything) { host async throws in
      let client = try await host.client(as: .user("bob"))
      let first = try await host.events("small:a,small:b")
      let id = try #require(try await first.events.first?.id)
      try await first.answer.cancel()
      for number in 1...3 {
        _ = try await client.publish("\(number)", in: "small:a", id: number + 1)
      }
      _ = try await client.publish("4", in: "small:b", id: 9)
      let second = try await host.events("small:a,small:b", after: id)
      #expect(
        try await second.events.first { $0.name != nil }?.data
          == #"{"type":"insufficient_state","channels":["small:a"]}"#)
      #expect(try await second.seen().map(\.channel) == ["small:b"])
    }
  }

  @Test func `may be told by its query where to go on`() async throws {
    try await withRealtime { host async throws in
      try await host.emit("1")
      let epoch = try #require(try await host.events.first?.epoch)
      try await host.emit("2")
      let answer = try await host.begin(
        "GET", "/connection/uni_sse?channels=chat:a:b&last_event_id=\(epoch):1", as: .user("alice"))
      let pieces = try await answer.pieces { EventReader.events(in: $0.text).count == 2 }
      #expect(EventReader.events(in: pieces.text)[1].id == "\(epoch):2")
    }
  }

  @Test func `passes on what is ephemeral, without an id`() async throws {
    try await withRealtime(everything) { host async throws in
      let reader = try await host.events("fleeting:a,chat:a:b")
      #expect(try await reader.events.first?.id?.hasPrefix("-,") == true)
      try await host.publish("fleeting:a", type: "typing", data: "{\"on\":\n true}")
      let event = try #require(try await reader.events.last)
      #expect(event.id == nil && event.data.contains("\"data\":{\"on\":\n true}"))
    }
  }

  @Test func `is kept alive by comments`() async throws {
    try await withRealtime { host async throws in
      let reader = try await host.events("chat:a:b")
      for _ in 0..<51 { try await host.advance(milliseconds: 1_000) }
      #expect(try await reader.answer.pieces().text.hasSuffix("\n\n:\n\n:\n\n"))
      #expect(try await reader.events.count == 1)
    }
  }

  @Test func `does not outlive its token`() async throws {
    try await withRealtime { host async throws in
      let end = Timestamp(unixMilliseconds: host.now.unixMilliseconds + 5_000)
      let reader = try await host.events(
        "chat:a:b", as: Principal(kind: .user, id: "alice", expiresAt: end))
      try await host.advance(milliseconds: 6_000)
      let last = EventReader.events(in: try await reader.answer.reply().text).last
      #expect(last?.name == "disconnect" && last?.data.contains("3005") == true)
      #expect(try await host.channels == [])
    }
  }

  @Test func `is closed where events are missing that the history no longer has`() async throws {
    try await withRealtime(everything) { host async throws in
      let reader = try await host.events("small:a")
      let client = try await host.client(as: .user("bob"))
      _ = try await client.publish("1", in: "small:a", id: 2)
      let epoch = try #require(try await reader.seen().first?.epoch)
      try await host.deliver(offset: 9, epoch: epoch, "small:a")
      let last = EventReader.events(in: try await reader.answer.reply().text).last
      #expect(last?.name == "disconnect" && last?.data.contains("3010") == true)
    }
  }

  @Test func `leaves nothing behind when its client goes, at whatever moment`() async throws {
    try await withRealtime { host async throws in
      for turns in 0..<12 {
        let answer = try await host.begin(
          "GET", "/connection/uni_sse?channels=chat:a:b,chat:c:d", as: .user("alice"))
        for _ in 0..<turns { try await host.onLoop { _ in } }
        try await answer.cancel()
        try await host.settle()
        #expect(try await host.channels == [])
        #expect(host.metric("connections") == 0)
      }
    }
  }
}
