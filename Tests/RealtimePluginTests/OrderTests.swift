import PluginKit
import Testing

@testable import PluginTesting
@testable import RealtimePlugin

@Suite struct `Commands that are sent together` {
  /// Channels whose settings say who may, and one whose owner does.
  static let channels = ["room", "small:x", "chat:a:b"]

  @Test(arguments: channels)
  func `find the subscription that came before them, on the plain socket`(_ channel: String)
    async throws
  {
    try await withRealtime(everything) { host async throws in
      let client = try await host.plain()
      for (id, type) in [
        (2, "subscribe"), (3, "publish"), (4, "history"), (5, "unsubscribe"), (6, "publish"),
        (7, "subscribe"), (8, "subscribe"), (9, "history"),
      ] {
        let more = type == "publish" ? #","data":\#(id)"# : ""
        try await client.socket.send(
          #"{"id":\#(id),"type":"\#(type)","channel":"\#(channel)"\#(more)}"#)
      }
      try await host.settle()
      let answers = try await client.told.filter { $0.id != nil }
      let codes = Dictionary(
        uniqueKeysWithValues: answers.map { (Int($0.id?.text ?? "") ?? 0, $0.code ?? $0.type) })
      let mayAlways = channel != "room"
      #expect(codes[2] == "ack" && codes[3] == "ack" && codes[4] == "ack" && codes[5] == "ack")
      #expect(codes[6] == (mayAlways ? "ack" : "forbidden"))
      #expect(codes[7] == "ack" && codes[8] == "conflict" && codes[9] == "ack")
    }
  }

  @Test func `find the subscription that came before them, in the protocol`() async throws {
    try await withRealtime(everything) { host async throws in
      let client = try await host.client()
      try await client.socket.send(
        [
          #"{"id":2,"subscribe":{"channel":"room"}}"#,
          #"{"id":3,"publish":{"channel":"room","data":1}}"#,
          #"{"id":4,"presence":{"channel":"room"}}"#, #"{"id":5,"unsubscribe":{"channel":"room"}}"#,
          #"{"id":6,"presence_stats":{"channel":"room"}}"#,
        ].joined(separator: "\n"))
      try await host.settle()
      let lines = try await client.lines
      #expect(lines.first { $0.id == 2 }?.subscribe != nil)
      #expect(lines.first { $0.id == 3 }?.error == nil)
      #expect(lines.first { $0.id == 4 }?.presence?.presence?.count == 1)
      #expect(lines.first { $0.id == 6 }?.error?.code == 103)
      #expect(lines.compactMap(\.id).suffix(5).first == 2)
      #expect(try await host.channels == ["#alice"])
    }
  }

  @Test func `are refused when too many of them wait, and then go on`() async throws {
    try await withRealtime(everything) { host async throws in
      let client = try await host.plain()
      let limit = Conversation<Channel>.commandLimit
      let subscribe = #"{"id":0,"type":"subscribe","channel":"room"}"#
      // All of them in one turn of the loop, before it is known where the channel stands.
      try await client.socket.send(subscribe)
      for id in 1...limit {
        try await client.socket.send(#"{"id":\#(id),"type":"publish","channel":"room","data":1}"#)
      }
      try await host.settle()
      let told = try await client.told
      let refused = told.filter { $0.code == "rate_limited" }.count
      let done = told.filter { $0.type == "ack" && $0.id != "0" }.count
      #expect(done + refused == limit)
      #expect(try await host.events.count == done)
      #expect(host.metric("refused_commands_total") == Int64(refused))
      #expect(try await client.publish("2", in: "room", id: 900).type == "ack")
    }
  }
}
