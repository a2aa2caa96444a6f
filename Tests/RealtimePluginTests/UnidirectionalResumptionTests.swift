import PluginKit
import Testing

@testable import PluginTesting
@testable import RealtimePlugin

@Suite struct `A unidirectional socket that comes back` {
  private struct Heard: Decodable {
    let type: String?
    let channel: String?
    let offset: UInt64?
  }

  /// What has come behind the first message: an event's channel and offset, or a message's type.
  private func told(_ socket: TestSocket) async throws -> [String] {
    try await socket.received.dropFirst().map { message in
      let seen = try message.json(Heard.self)
      return seen.offset.map { "\(seen.channel ?? ""):\($0)" } ?? seen.type ?? ""
    }
  }

  @Test func `gets what it missed in all its channels, then what follows`() async throws {
    try await withRealtime { host async throws in
      for number in 1...3 { try await host.emit(RawJSON(unchecked: Array("\(number)".utf8))) }
      try await host.emit("4", "chat:c:d")
      let epoch = try #require(try await host.events.first?.epoch)
      let channels = "chat:a:b,chat:c:d"
      let socket = try await host.listen(channels, after: "\(epoch):1,:0")
      try await host.settle()
      #expect(try await socket.hello().channels?.map(\.offset) == [1, 0])
      #expect(try await told(socket) == ["chat:a:b:2", "chat:a:b:3", "chat:c:d:1"])
      try await host.emit("5")
      #expect(try await told(socket).last == "chat:a:b:4")
      let again = try await host.listen("\(channels)&last_event_id=\(epoch):4,:1")
      try await host.settle()
      #expect(try await told(again) == [])
      try await host.emit("6", "chat:c:d")
      #expect(try await told(again) == ["chat:c:d:2"])
      #expect(try await told(socket).count == 5)
    }
  }

  @Test(arguments: ["nonsense", "e:1", "e:1,e:1,e:1", ":"])
  func `is told which channels it cannot resume, and goes on with them`(_ id: String) async throws {
    try await withRealtime { host async throws in
      try await host.emit("1")
      let socket = try await host.listen("chat:a:b,chat:c:d", after: id)
      try await host.settle()
      #expect(try await socket.hello().channels?.map(\.offset) == [1, 0])
      #expect(
        try await socket.messages(2)[1].text
          == #"{"type":"insufficient_state","channels":["chat:a:b","chat:c:d"]}"#)
      try await host.emit("2")
      #expect(try await told(socket) == ["insufficient_state", "chat:a:b:2"])
    }
  }

  @Test func `misses nothing that is published while it is let in`() async throws {
    try await withRealtime { host async throws in
      try await host.emit("0")
      let epoch = try #require(try await host.events.first?.epoch)
      let sockets = try await host.crowd(after: "\(epoch):1")
      #expect(sockets.count == 30)
      for socket in sockets {
        #expect(try await socket.offsets(61) == (2...61).map { Optional(UInt64($0)) })
        #expect(try await socket.received.count == 61)
      }
    }
  }

  @Test func `leaves nothing behind when it goes before it is let in`() async throws {
    try await withRealtime { host async throws in
      for number in 1...3 { try await host.emit(RawJSON(unchecked: Array("\(number)".utf8))) }
      let epoch = try #require(try await host.events.first?.epoch)
      for _ in 0..<20 {
        let socket = try await host.listen("chat:a:b,chat:c:d", after: "\(epoch):1,:0")
        try await socket.close()
      }
      try await host.settle()
      #expect(try await host.channels == [])
      #expect(host.metric("connections") == 0)
    }
  }
}
