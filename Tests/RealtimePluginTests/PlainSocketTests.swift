import PluginKit
import Testing

@testable import PluginTesting
@testable import RealtimePlugin

@Suite struct `The plain socket` {
  @Test func `begins by saying whose the connection is`() async throws {
    try await withRealtime { host async throws in
      let client = try await host.plain(as: .user("bob"))
      let first = try #require(try await client.socket.received.first).text
      #expect(first.hasPrefix(#"{"type":"handshake_validation","connection_id":"con_"#))
      #expect(
        first.hasSuffix(
          #"","user_id":"bob","app":"app","time":"2026-01-01T00:00:00.000Z"}"#), "\(first)")
      #expect(try await client.told.count == 1)
    }
  }

  @Test func `subscribes, publishes and tells of events with their offsets`() async throws {
    try await withRealtime(everything) { host async throws in
      let (alice, bob) = (try await host.plain(), try await host.plain(as: .user("bob")))
      let ack = try await alice.subscribe("room")
      #expect(ack.type == "ack" && ack.channel == "room" && ack.offset == 0)
      #expect(ack.epoch?.isEmpty == false && ack.recovered == nil)
      try await bob.subscribe("room")
      let published = try await bob.publish(#"{ "n" : 1.0 }"#, in: "room")
      #expect(published.type == "ack" && published.offset == 1 && published.epoch == ack.epoch)
      for client in [alice, bob] {
        let event = try #require(try await client.events(in: "room").last)
        #expect(event.type == "realtime.published" && event.data == #"{ "n" : 1.0 }"#)
        #expect(event.offset == 1 && event.epoch == ack.epoch)
      }
      let left = try await bob.ask(3, #""type":"unsubscribe","channel":"room""#)
      #expect(left.type == "ack" && left.channel == "room")
      _ = try await alice.publish("2", in: "room")
      #expect(try await bob.events(in: "room").count == 1)
      #expect(try await alice.events(in: "room").map(\.offset) == [1, 2])
      try await alice.socket.close()
      try await bob.socket.close()
      try await host.settle()
      #expect(try await host.channels == [])
      #expect(try await host.onLoop { $0.groups.count } == 0)
      #expect(host.metric("connections") == 0)
    }
  }

  @Test func `writes an event once for all who hear it`() async throws {
    try await withRealtime(everything) { host async throws in
      var clients: [PlainClient] = []
      for number in 0..<20 { clients.append(try await host.plain(as: .user("u\(number)"))) }
      for client in clients { try await client.subscribe("room") }
      _ = try await clients[0].publish("1", in: "room")
      _ = try await clients[0].publish("2", in: "room", id: 10)
      #expect(try await host.onLoop { $0.groups.count } == 1)
      let heard = try await clients.last?.socket.received.suffix(2).map(\.bytes)
      for client in clients {
        #expect(
          try await client.socket.received.filter { !$0.text.contains("ack") }.suffix(2).map(
            \.bytes)
            == heard)
      }
    }
  }

  @Test func `shows events under the names that their owners give them on sockets`() async throws {
    try await withRealtime { host async throws in
      try await host.call(eventsOf: "chat.message.created", "message_created")
      let client = try await host.plain()
      let listener = try await host.listen("chat:a:b")
      let sdk = try await host.client()
      try await client.subscribe("chat:a:b")
      try await sdk.subscribe("chat:a:b")
      try await host.emit(#"{"text":"hi"}"#)
      #expect(try await client.events(in: "chat:a:b").map(\.type) == ["message_created"])
      #expect(try await listener.messages(2).last?.json(Seen.self).type == "chat.message.created")
      #expect(try await sdk.heard(in: "chat:a:b").first?.contains("chat.message.created") == true)
      let page = try await client.ask(3, #""type":"history","channel":"chat:a:b""#)
      #expect(page.data?.text.contains("message_created") == true && page.offset == 1)
    }
  }

  @Test func `gives a client that comes back exactly what it missed, or says that it cannot`()
    async throws
  {
    try await withRealtime(everything) { host async throws in
      let alice = try await host.plain()
      let epoch = try #require(try await alice.subscribe("small:x").epoch)
      for number in 1...5 {
        _ = try await alice.publish("\(number)", in: "small:x", id: 10 + number)
      }
      func come(back more: String) async throws -> (Told, [String?]) {
        let bob = try await host.plain(as: .user("bob"))
        let ack = try await bob.subscribe("small:x", more)
        let told = try await bob.told
        let place = try #require(told.firstIndex(of: ack))
        return (ack, told[(place + 1)...].map(\.data?.text))
      }
      let (ack, missed) = try await come(back: #","offset":3,"epoch":"\#(epoch)""#)
      #expect(ack.recovered == true && ack.offset == 5 && missed == ["4", "5"])
      for lost in [
        #","offset":1,"epoch":"\#(epoch)""#, #","offset":4,"epoch":"o""#, #","offset":9"#,
      ] {
        let (ack, missed) = try await come(back: lost)
        #expect(ack.recovered == false && ack.offset == 5 && ack.epoch == epoch && missed == [])
      }
      let (current, nothing) = try await come(back: #","offset":5"#)
      #expect(current.recovered == true && nothing == [])
      // Where nothing is kept nothing can be given.
      let fleeting = try await alice.subscribe("fleeting:x", #","offset":1"#, id: 40)
      #expect(fleeting.type == "ack" && fleeting.recovered == false && fleeting.offset == nil)
    }
  }

  @Test func `hands messages to the plugins that take them`() async throws {
    try await withRealtime { host async throws in
      try await host.take("notes.add") { [$0.principal.id, $0.data.text] }
      let client = try await host.plain(as: .user("bob"))
      func answer(_ id: Int, _ members: String) async throws -> String? {
        try await client.ask(id, #""type":"notes.add""# + members).data?.text
      }
      func said(_ data: String) throws -> String {
        try RawJSON(encoding: ["bob", data]).text
      }
      #expect(try await answer(1, "") == said("{}"))
      #expect(try await answer(2, #","a":1,"b":[ 2 ]"#) == said(#"{"a":1,"b":[ 2 ]}"#))
      #expect(try await answer(3, #","data":{"a":1}"#) == said(#"{"a":1}"#))
      #expect(try await answer(4, #","data":{"a":1},"b":2"#) == said(#"{"data":{"a":1},"b":2}"#))
      #expect(try await answer(5, #","data":"text""#) == said(#""text""#))
      let named = try await client.ask(6, #""type":"notes.add""#)
      #expect(named.type == "ack")
    }
  }

  @Test func `tells what is wrong with a message of a plugin's, and where`() async throws {
    try await withRealtime { host async throws in
      try await host.take("notes.add") { (_) -> String in
        throw HostError(
          .invalid,
          #"{"code":"invalid_request","detail":"No.","errors":[{"pointer":"/a","message":"b"}]}"#)
      }
      try await host.take("notes.gone") { (_) -> String in
        throw HostError(.notFound, #"{"code":"not_found","detail":"Gone."}"#)
      }
      let client = try await host.plain()
      let refused = try await client.ask(1, #""type":"notes.add""#)
      #expect(
        refused.type == "error" && refused.code == "invalid_request" && refused.detail == "No.")
      #expect(refused.errors == [Told.Fault(pointer: "/a")])
      #expect(try await client.ask(2, #""type":"notes.gone""#).detail == "Gone.")
      let unknown = try await client.ask(3, #""type":"notes.none""#)
      #expect(unknown.type == "error" && unknown.code == "not_found")
      #expect(unknown.detail?.contains("notes.none") == true)
    }
  }

  static let refusals: [(String, String)] = [
    (#""type":"subscribe","channel":"unknown:x""#, "not_found"),
    (#""type":"subscribe","channel":"closed:x""#, "forbidden"),
    (#""type":"subscribe","channel":"chat:secret""#, "forbidden"),
    (#""type":"subscribe","channel":"$room""#, "forbidden"),
    (#""type":"subscribe","channel":"$room","token":"expired""#, "unauthenticated"),
    (##""type":"subscribe","channel":"#alice""##, "conflict"),
    (#""type":"publish","channel":"room","data":1"#, "forbidden"),
    (#""type":"history","channel":"fleeting:x""#, "not_found"),
    (#""type":"presence","channel":"small:x""#, "not_found"),
  ]

  @Test(arguments: refusals.indices) func `refuses with the code of a request`(_ index: Int)
    async throws
  {
    let (members, code) = Self.refusals[index]
    try await withRealtime(everything) { host async throws in
      let client = try await host.plain()
      let refused = try await client.ask(4, members)
      #expect(refused.type == "error" && refused.code == code, "\(refused)")
      #expect(refused.detail?.isEmpty == false)
      #expect(try await client.ask(5, #""type":"ping""#).type == "pong")
    }
  }

  @Test func `says who is there`() async throws {
    try await withRealtime(everything) { host async throws in
      let client = try await host.plain()
      try await client.subscribe("room")
      let members = try await client.ask(3, #""type":"presence","channel":"room""#)
      #expect(members.data?.text.contains(#""user":"alice""#) == true)
      try await client.socket.send(#"{"type":"presence_stats","id":"s","channel":"room"}"#)
      try await host.settle()
      #expect(
        try await client.socket.received.last?.text
          == #"{"type":"ack","id":"s","channel":"room","num_clients":1,"num_users":1}"#)
    }
  }

  @Test func `listens to the channels of its user and its token, and says so`() async throws {
    try await withRealtime(everything) { host async throws in
      let user = Principal(
        kind: .user, id: "42", claims: #"{"channels":["news","closed:x","chat:secret"]}"#)
      let client = try await host.plain(as: user)
      let told = try await client.told
      #expect(told.first?.type == "handshake_validation")
      #expect(
        told.filter { $0.code == "subscribed" }.compactMap(\.channel).sorted() == [
          "#42", "closed:x", "news",
        ])
      #expect(told.filter { $0.code == "not_subscribed" }.map(\.channel) == ["chat:secret"])
      #expect(try await client.publish("1", in: "#42").type == "ack")
      #expect(try await client.events(in: "#42").map(\.data) == ["1"])
    }
  }

  @Test func `cuts a page of history at the bytes of an answer, and recovers no more than that`()
    async throws
  {
    let settings: RawJSON =
      #"{"answer_bytes":4096,"without_namespace":{"publish_for_client":"users"}}"#
    try await withRealtime(settings) { host async throws in
      let client = try await host.plain()
      let epoch = try #require(try await client.subscribe("room").epoch)
      let long = "\"" + String(repeating: "x", count: 1_500) + "\""
      for number in 0..<5 { _ = try await client.publish(long, in: "room", id: 10 + number) }
      func page(_ more: String) async throws -> [UInt64?] {
        let page = try await client.ask(30, #""type":"history","channel":"room"\#(more)"#)
        #expect(page.offset == 5)
        return try #require(page.data).decode([Told].self).map(\.offset)
      }
      #expect(try await page("") == [1, 2])
      #expect(try await page(#","since":2"#) == [3, 4])
      #expect(try await page(#","since":4"#) == [5])
      #expect(try await page(#","reverse":true"#) == [5, 4])
      for (offset, isRecovered) in [(3, true), (2, false)] {
        let back = try await host.plain(as: .user("u\(offset)"))
        let ack = try await back.subscribe("room", #","offset":\#(offset),"epoch":"\#(epoch)""#)
        #expect(ack.recovered == isRecovered)
        #expect(try await back.events(in: "room").count == (isRecovered ? 2 : 0))
      }
      // One publication is more than an answer has, and comes all the same.
      let huge = "\"" + String(repeating: "x", count: 9_000) + "\""
      _ = try await client.publish(huge, in: "room", id: 20)
      let last = try await client.ask(31, #""type":"history","channel":"room","since":5"#)
      #expect(try #require(last.data).decode([Told].self).map(\.offset) == [6])
    }
  }
}
