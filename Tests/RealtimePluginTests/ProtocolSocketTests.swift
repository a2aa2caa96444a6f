import PluginKit
import Testing

@testable import PluginTesting
@testable import RealtimePlugin

@Suite struct `The protocol's socket` {
  @Test func `says who the client is and how it is kept alive`() async throws {
    try await withRealtime { host async throws in
      let user = Principal(
        kind: .user, id: "alice",
        expiresAt: Timestamp(unixMilliseconds: 1_767_225_600_000 + 60_000))
      let client = try await host.client(as: user)
      #expect(client.name.hasPrefix("con_"))
      #expect(client.connected.version == "sluice")
      #expect(client.connected.ping == 25)
      #expect(client.connected.pong)
      #expect(client.connected.ttl == 60)
      #expect(client.connected.subs == nil)
    }
  }

  @Test(arguments: [
    ("nonsense", 3501), (#"{"id":1,"ping":{}}"#, 3501), (#"{"connect":{}}"#, 3501),
    (#"{"id":1}"#, 3501), ("", 3501),
  ])
  func `is closed when what comes first is not connect`(_ text: String, _ code: Int) async throws {
    try await withRealtime { host async throws in
      let socket = try await host.open()
      try await socket.send(text)
      #expect(try await socket.closed().code == code)
    }
  }

  @Test func `answers several commands of one message together, each by its number`() async throws {
    try await withRealtime(everything) { host async throws in
      let client = try await host.client()
      try await client.socket.clear()
      try await client.socket.send(
        #"{"id":2,"ping":{}}"# + "\n" + #"{"id":3,"unsubscribe":{"channel":"none"}}"# + "\n"
          + #"{"id":4,"subscribe":{"channel":"room"}}"# + "\n" + #"{"id":5,"ping":{}}"#)
      try await host.settle()
      let messages = try await client.socket.received
      #expect(
        messages.first?.text
          == #"{"id":2,"ping":{}}"# + "\n" + #"{"id":3,"unsubscribe":{}}"# + "\n"
          + #"{"id":5,"ping":{}}"#)
      #expect(try await client.lines.contains { $0.id == 4 && $0.subscribe != nil })
    }
  }

  @Test func `answers in one message what is known at once of commands that came together`()
    async throws
  {
    try await withRealtime(everything) { host async throws in
      let client = try await host.client()
      _ = try await client.subscribe("room", id: 2)
      let before = try await client.socket.received.count
      try await client.socket.send(
        (3..<13).map { #"{"id":\#($0),"presence":{"channel":"room"}}"# }
          .joined(separator: "\n"))
      try await host.settle()
      #expect(try await client.lines.compactMap(\.id).suffix(10).sorted() == Array(3..<13))
      #expect(try await client.socket.received.count < before + 10)
    }
  }

  @Test func `publishes to those who listen, and keeps it`() async throws {
    try await withRealtime(everything) { host async throws in
      let (alice, bob) = (
        try await host.client(), try await host.client(as: .user("bob"))
      )
      try await alice.subscribe("room")
      let subscribed = try await bob.subscribe("room").subscribe
      #expect(subscribed?.recoverable == true)
      #expect(subscribed?.positioned == true)
      #expect(try await alice.publish(#"{"n":1}"#, in: "room").error == nil)
      #expect(try await bob.heard(in: "room") == [#"{"n":1}"#])
      let seen = try #require(try await bob.publications(in: "room").first)
      #expect(seen.offset == 1)
      #expect(seen.info == Line.Info(user: "alice", client: alice.name))
      _ = try await alice.publish("2", in: "room")
      let page = try await bob.ask(3, #""history":{"channel":"room","limit":-1}"#).history
      #expect(page?.publications?.map(\.data.text) == [#"{"n":1}"#, "2"])
      #expect(page?.offset == 2)
      #expect(page?.epoch == subscribed?.epoch)
    }
  }

  @Test func `reads the history in pages, both ways, and its position alone`() async throws {
    try await withRealtime(everything) { host async throws in
      let client = try await host.client()
      try await client.subscribe("room")
      for number in 1...5 { _ = try await client.publish("\(number)", in: "room") }
      func offsets(_ more: String) async throws -> [UInt64]? {
        let reply = try await client.ask(5, #""history":{"channel":"room"\#(more)}"#)
        return reply.history?.publications?.compactMap(\.offset)
      }
      let epoch = try #require(
        try await client.ask(4, #""history":{"channel":"room"}"#).history?.epoch)
      #expect(try await offsets("") == [])
      #expect(try await offsets(#","limit":2"#) == [1, 2])
      #expect(try await offsets(#","limit":2,"since":{"offset":2,"epoch":"\#(epoch)"}"#) == [3, 4])
      #expect(try await offsets(#","limit":-1,"reverse":true"#) == [5, 4, 3, 2, 1])
      #expect(
        try await offsets(#","limit":2,"reverse":true,"since":{"offset":3,"epoch":"\#(epoch)"}"#)
          == [2, 1])
      let lost = try await client.ask(
        6, #""history":{"channel":"room","limit":1,"since":{"offset":1,"epoch":"other"}}"#)
      #expect(lost.error?.code == 112)
    }
  }

  @Test func `leaves a channel, and hears nothing more of it`() async throws {
    try await withRealtime(everything) { host async throws in
      let (alice, bob) = (
        try await host.client(), try await host.client(as: .user("bob"))
      )
      try await alice.subscribe("room")
      try await bob.subscribe("room")
      #expect(try await bob.subscribe("room", id: 3).error?.code == 105)
      _ = try await bob.ask(4, #""unsubscribe":{"channel":"room"}"#)
      _ = try await alice.publish("1", in: "room")
      #expect(try await bob.heard(in: "room") == [])
      #expect(try await bob.publish("2", in: "room").error?.code == 103)
      try await alice.socket.close()
      try await bob.socket.close()
      try await host.settle()
      #expect(try await host.channels == [])
      #expect(try await host.onLoop { $0.groups.count } == 0)
      #expect(try await host.onLoop { $0.members.keys.filter { $0 != "@realtime" }.count } == 0)
      #expect(host.metric("connections") == 0)
      #expect(host.metric("channels") == 0)
    }
  }

  @Test func `says who is there, and who comes and goes`() async throws {
    try await withRealtime(everything) { host async throws in
      let alice = try await host.client()
      try await alice.subscribe("room")
      // One hears of oneself too.
      #expect(try await alice.lines.compactMap { $0.push?.join?.info.client }.last == alice.name)
      let bob = try await host.client(as: .user("bob"))
      try await bob.subscribe("room")
      let members = try await alice.ask(5, #""presence":{"channel":"room"}"#).presence?.presence
      #expect(
        members == [
          alice.name: Line.Info(user: "alice", client: alice.name),
          bob.name: Line.Info(user: "bob", client: bob.name),
        ])
      let again = try await host.client(as: .user("bob"))
      try await again.subscribe("room")
      let stats = try await alice.ask(6, #""presence_stats":{"channel":"room"}"#).stats
      #expect(stats?.clients == 3)
      #expect(stats?.users == 2)
      try await bob.socket.close()
      try await host.settle()
      #expect(try await alice.lines.compactMap { $0.push?.leave?.info.client } == [bob.name])
    }
  }

  @Test func `gives a client that comes back exactly what it missed`() async throws {
    try await withRealtime(everything) { host async throws in
      let (alice, bob) = (
        try await host.client(), try await host.client(as: .user("bob"))
      )
      try await alice.subscribe("room")
      let epoch = try #require(try await bob.subscribe("room").subscribe?.epoch)
      _ = try await alice.publish("1", in: "room")
      try await bob.socket.close()
      for number in 2...4 { _ = try await alice.publish("\(number)", in: "room") }
      let back = try await host.client(as: .user("bob"))
      let resumed = try await back.subscribe(
        "room", #","recover":true,"offset":1,"epoch":"\#(epoch)""#
      ).subscribe
      #expect(resumed?.recovered == true)
      #expect(resumed?.wasRecovering == true)
      #expect(resumed?.offset == 4)
      #expect(resumed?.publications?.map(\.data.text) == ["2", "3", "4"])
      _ = try await alice.publish("5", in: "room")
      #expect(try await back.heard(in: "room") == ["5"])
    }
  }

  @Test func `tells a client that cannot be given what it missed`() async throws {
    try await withRealtime(everything) { host async throws in
      let client = try await host.client()
      let epoch = try #require(try await client.subscribe("small:x").subscribe?.epoch)
      for number in 1...5 { _ = try await client.publish("\(number)", in: "small:x") }
      func resume(_ more: String) async throws -> Line {
        _ = try await client.ask(3, #""unsubscribe":{"channel":"small:x"}"#)
        return try await client.subscribe("small:x", #","recover":true\#(more)"#, id: 4)
      }
      for position in [
        #","offset":1,"epoch":"\#(epoch)""#, #","offset":4,"epoch":"another""#,
        #","offset":9,"epoch":"\#(epoch)""#,
      ] {
        let lost = try await resume(position).subscribe
        #expect(lost?.recovered == nil)
        #expect(lost?.wasRecovering == true)
        #expect(lost?.publications == nil)
        #expect(lost?.offset == 5)
      }
      let refused = try await resume(#","offset":1,"epoch":"\#(epoch)","flag":3"#)
      #expect(refused.error?.code == 112)
      let enough = try await resume(#","offset":3,"epoch":"\#(epoch)""#).subscribe
      #expect(enough?.publications?.map(\.data.text) == ["4", "5"])
    }
  }

  @Test func `gives the newest publication alone where that is what a channel is for`() async throws
  {
    try await withRealtime(everything) { host async throws in
      let client = try await host.client()
      let first = try await client.subscribe("cache:x", #","recover":true"#).subscribe
      #expect(first?.recovered == nil)
      for number in 1...3 { _ = try await client.publish("\(number)", in: "cache:x") }
      _ = try await client.ask(3, #""unsubscribe":{"channel":"cache:x"}"#)
      let cached = try await client.subscribe("cache:x", #","recover":true"#, id: 4).subscribe
      #expect(cached?.recovered == true)
      #expect(cached?.publications?.map(\.data.text) == ["3"])
      _ = try await client.ask(5, #""unsubscribe":{"channel":"cache:x"}"#)
      let epoch = try #require(cached?.epoch)
      let same = try await client.subscribe(
        "cache:x", #","recover":true,"offset":3,"epoch":"\#(epoch)""#, id: 6
      ).subscribe
      #expect(same?.recovered == true)
      #expect(same?.publications == nil)
    }
  }

  @Test func `loses and repeats nothing for clients that come back while others publish`()
    async throws
  {
    try await withRealtime(everything) { host async throws in
      let publisher = try await host.client()
      let epoch = try #require(try await publisher.subscribe("room").subscribe?.epoch)
      let clients = try await withThrowingTaskGroup(of: (ProtocolClient, Line.Subscribed?)?.self) {
        group in
        group.addTask {
          for number in 1...60 { _ = try await publisher.publish("\(number)", in: "room") }
          return nil
        }
        for number in 0..<20 {
          group.addTask {
            let client = try await host.client(as: .user("u\(number)"))
            return (
              client,
              try await client.subscribe(
                "room", #","recover":true,"offset":0,"epoch":"\#(epoch)""#
              ).subscribe
            )
          }
        }
        var clients: [(ProtocolClient, Line.Subscribed?)] = []
        for try await client in group { if let client { clients.append(client) } }
        return clients
      }
      try await host.settle()
      for (client, subscribed) in clients {
        let missed = subscribed?.publications?.compactMap(\.offset) ?? []
        let heard = try await client.publications(in: "room").compactMap(\.offset)
        #expect(missed + heard == Array(1...60))
      }
    }
  }

  @Test func `sends differences to clients that ask for them, after one whole publication`()
    async throws
  {
    try await withRealtime(everything) { host async throws in
      let (alice, bob) = (
        try await host.client(), try await host.client(as: .user("bob"))
      )
      try await alice.subscribe("room")
      #expect(try await bob.subscribe("room", #","delta":"fossil""#).subscribe?.delta == true)
      let long = #"{"text":"a publication that is long enough for a difference to be shorter"}"#
      for _ in 0..<2 { _ = try await alice.publish(long, in: "room") }
      _ = try await alice.publish("1", in: "room")
      let heard = try await bob.publications(in: "room")
      #expect(heard.map(\.delta) == [nil, true, nil])
      #expect(try heard[0].data.decode(String.self) == long)
      #expect(try heard[1].data.decode(String.self).count < long.count)
      #expect(try heard[2].data.decode(String.self) == "1")
      // Those who did not ask get what was published.
      #expect(try await alice.heard(in: "room") == [long, long, "1"])
      #expect(
        try await bob.subscribe("small:x", #","delta":"fossil""#, id: 5).subscribe?.delta == nil)
    }
  }

  @Test func `subscribes a client to its own channel, and to those that its token names`()
    async throws
  {
    try await withRealtime(everything) { host async throws in
      let user = Principal(
        kind: .user, id: "42",
        claims:
          #"{"channels":["news","closed:x"],"subs":{"news":{},"sport":{"info":1}},"info":{"name":"A"}}"#
      )
      let client = try await host.client(as: user)
      #expect(client.connected.subs?.keys.sorted() == ["#42", "closed:x", "news", "sport"])
      try await client.ask(9, #""presence":{"channel":"sport"}"#)
      #expect(try await client.socket.received.last?.text.contains(#""chan_info":1"#) == true)
      #expect(try await client.publish(#"{"n":1}"#, in: "#42").error == nil)
      #expect(try await client.heard(in: "#42") == [#"{"n":1}"#])
      let epoch = try #require(client.connected.subs?["#42"]?.epoch)
      try await client.socket.close()
      let back = try await host.client(
        as: user, ##"{"subs":{"#42":{"recover":true,"offset":0,"epoch":"\##(epoch)"}}}"##)
      #expect(back.connected.subs?["#42"]?.publications?.map(\.data.text) == [#"{"n":1}"#])
      let other = try await host.client(as: .user("43"))
      #expect(try await other.subscribe("#42").error?.code == 103)
    }
  }

  @Test(arguments: [
    ("unknown:x", 102), ("closed:x", 103), ("$room", 103), ("chat:secret", 103), ("@x", 107),
    ("dialog#bob,carol", 103), ("Bad:x", 107),
  ])
  func `refuses a channel with the reason`(_ channel: String, _ code: Int) async throws {
    try await withRealtime(everything) { host async throws in
      let client = try await host.client()
      #expect(try await client.subscribe(channel).error?.code == code)
      // Nothing of it is left: the same again has the same answer.
      #expect(try await client.subscribe(channel, id: 3).error?.code == code)
      #expect(try await host.channels == ["#alice"])
    }
  }

  @Test func `gives the events of another plugin's channel with their type`() async throws {
    try await withRealtime { host async throws in
      let client = try await host.client()
      #expect(try await client.subscribe("chat:a:b").subscribe?.recoverable == true)
      try await host.emit(#"{"text":"hi"}"#)
      let heard = try #require(try await client.heard(in: "chat:a:b").first)
      #expect(heard.hasPrefix(#"{"type":"chat.message.created","id":"evt_"#))
      #expect(heard.hasSuffix(#""channel":"chat:a:b","data":{"text":"hi"}}"#))
    }
  }

  @Test func `answers what it does not offer with an error`() async throws {
    try await withRealtime(everything) { host async throws in
      let client = try await host.client()
      try await client.subscribe("small:x")
      try await client.subscribe("fleeting:x", id: 3)
      #expect(try await client.ask(4, #""rpc":{"method":"m"}"#).error?.code == 104)
      #expect(try await client.ask(5, #""presence":{"channel":"small:x"}"#).error?.code == 108)
      #expect(try await client.ask(6, #""history":{"channel":"fleeting:x"}"#).error?.code == 108)
      #expect(try await client.ask(9, #""publish":{"channel":"@","data":1}"#).error?.code == 107)
      #expect(try await client.publish("1", in: "fleeting:x", id: 10).error == nil)
      #expect(try await client.heard(in: "fleeting:x") == ["1"])
      #expect(try await client.publications(in: "fleeting:x").first?.offset == nil)
    }
  }

  @Test func `ends a subscription whose history has let go of what was missed`() async throws {
    try await withRealtime { host async throws in
      let client = try await host.client()
      try await client.subscribe("chat:a:b")
      try await host.emit("1")
      try await host.deliver(offset: 7, epoch: "another")
      let code = try await client.lines.compactMap { $0.push?.unsubscribe?.code }
      #expect(code == [2500])
      // The client comes back by itself.
      #expect(try await client.subscribe("chat:a:b", id: 3).subscribe?.offset == 1)
    }
  }
}
