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
  func `is closed when what comes first is not "connect"`(_ text: String, _ code: Int) async throws
  {
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
        kind: .user, id: "42", claims: #"{"channels":["news","closed:x"],"info":{"name":"A"}}"#)
      let client = try await host.client(as: user)
      #expect(client.connected.subs?.keys.sorted() == ["#42", "closed:x", "news"])
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

  @Test func `listens with a token of the channel where that is asked for`() async throws {
    try await withRealtime(everything) { host async throws in
      let client = try await host.client()
      func code(_ channel: String, _ token: String, id: Int) async throws -> Int? {
        try await client.subscribe(channel, #","token":"\#(token)""#, id: id).error?.code
      }
      #expect(try await code("$room", "invalid", id: 2) == 103)
      #expect(try await code("$room", "alice $other", id: 3) == 103)
      #expect(try await code("$room", "bob $room", id: 4) == 103)
      #expect(try await code("$room", "expired", id: 5) == 109)
      #expect(try await code("$room", "alice $room", id: 6) == nil)
      #expect(try await code("closed:x", "alice closed:x", id: 7) == nil)
      // A token that is not needed must be good all the same.
      #expect(try await code("room", "invalid", id: 8) == 103)
      let renewed = #""sub_refresh":{"channel":"$room","token":"alice $room"}"#
      #expect(try await client.ask(9, renewed).error == nil)
      #expect(
        try await client.ask(10, #""sub_refresh":{"channel":"$room","token":"invalid"}"#).error?
          .code
          == 103)
      #expect(
        try await client.ask(11, #""sub_refresh":{"channel":"room","token":"alice room"}"#).error?
          .code
          == 103)
      for _ in 0..<16 {
        try await host.advance(milliseconds: 7_000)
        try await client.socket.send("{}")
      }
      // Their tokens have run out.
      #expect(
        try await client.lines.compactMap { $0.push?.unsubscribe?.code } == [2501, 2501])
    }
  }

  @Test func `goes on with a new token, and ends with a wrong one`() async throws {
    try await withRealtime { host async throws in
      let user = Principal(
        kind: .user, id: "alice",
        expiresAt: Timestamp(unixMilliseconds: 1_767_225_600_000 + 20_000))
      let client = try await host.client(as: user)
      #expect(try await client.ask(2, #""refresh":{"token":"expired"}"#).error?.code == 109)
      #expect(try await client.ask(3, #""refresh":{"token":"alice"}"#).error == nil)
      for _ in 0..<6 {
        try await host.advance(milliseconds: 7_000)
        try await client.socket.send("{}")
      }
      try await client.socket.send(#"{"id":4,"refresh":{"token":"bob"}}"#)
      #expect(try await client.socket.closed() == CloseReason(code: 3500, text: "invalid token"))
    }
  }

  @Test func `finds its token in "connect", and says why a client is not let in`() async throws {
    try await withRealtime { host async throws in
      let connect = #"{"id":7,"connect":{"token":"e.y.J"}}"#
      #expect(try await host.greet("websocket", connect + "\n{}") == .credential("e.y.J"))
      #expect(try await host.greet("websocket", #"{"id":7,"connect":{}}"#) == .credential(nil))
      #expect(try await host.greet("websocket", #"{"id":7,"ping":{}}"#) == .refused(.invalid))
      #expect(try await host.greet("websocket", "nonsense") == .refused(.invalid))
      let told: [(Status, Int)] = [
        (.unauthenticated, 3500), (.notFound, 3500), (.denied, 3507), (.invalid, 3501),
        (.deadline, 3502), (.limited, 3013), (.unavailable, 3004), (.internal, 3004),
      ]
      for (why, code) in told {
        let farewell = try await host.refusal("websocket", of: connect, because: why)
        #expect(farewell.code == code)
        #expect(farewell.message == nil)
      }
      #expect(
        try await host.refusal("websocket", of: connect, because: .expired)
          == TestFarewell(
            message: #"{"id":7,"error":{"code":109,"message":"token expired"}}"#, code: 3005,
            reason: "connection expired"))
    }
  }

  @Test func `pings, and closes a connection that does not answer`() async throws {
    try await withRealtime { host async throws in
      let (quiet, alive) = (try await host.client(), try await host.client(as: .user("bob")))
      let fresh = try await host.open()
      try await host.advance(milliseconds: 3_000)
      #expect(try await alive.socket.received.last?.text == "{}")
      try await alive.socket.send("{}")
      try await host.advance(milliseconds: 8_000)
      #expect(try await quiet.socket.closed() == CloseReason(code: 3012, text: "no pong"))
      #expect(try await fresh.closed() == CloseReason(code: 3502, text: "stale"))
      #expect(host.metric("connections") == 1)
      try await host.advance(milliseconds: 16_000)
      #expect(try await alive.socket.received.filter { $0.text == "{}" }.count == 2)
    }
  }

  @Test func `ends with its token`() async throws {
    try await withRealtime { host async throws in
      let user = Principal(
        kind: .user, id: "alice",
        expiresAt: Timestamp(unixMilliseconds: 1_767_225_600_000 + 20_000))
      let client = try await host.client(as: user)
      for _ in 0..<4 {
        try await host.advance(milliseconds: 7_000)
        if try await host.onLoop({ !$0.connections.isEmpty }) {
          try? await client.socket.send("{}")
        }
      }
      #expect(
        try await client.socket.closed() == CloseReason(code: 3005, text: "connection expired"))
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

  @Test func `keeps users apart, in whatever order things happen`() async throws {
    var random = SplitMix(20_260_101)
    for _ in 0..<6 {
      try await withRealtime(everything) { host async throws in
        try await Bystanders(host: host).live(&random)
      }
    }
  }
}

/// Users who connect, subscribe, publish and leave in any order, and what each of them may have heard.
private struct Bystanders {
  let host: TestHost

  private struct Person {
    let client: ProtocolClient
    let user: String
    var channels: Set<String>
    var expected: [String] = []
  }

  func live(_ random: inout SplitMix) async throws {
    let names = ["a", "b", "c", "d"]
    let channels = ["room", "small:x", "fleeting:x", "#a", "pair#a,b", "pair#c,d", "closed:x"]
    var people: [Person] = []
    for step in 0..<120 {
      let who = people.indices.randomElement(using: &random)
      let channel = channels.randomElement(using: &random) ?? "room"
      switch Int.random(in: 0..<10, using: &random) {
      case 0, 1:
        guard people.count < 8, let user = names.randomElement(using: &random) else { continue }
        let client = try await host.client(as: .user(user))
        people.append(Person(client: client, user: user, channels: ["#\(user)"]))
      case 2, 3, 4:
        guard let who, !people[who].channels.contains(channel) else { continue }
        let reply = try await people[who].client.subscribe(channel, id: 1_000 + step)
        let users = channel.split(separator: "#", omittingEmptySubsequences: false).dropFirst()
          .last?
          .split(separator: ",")
        let isAllowed =
          channel != "closed:x" && (users.map { $0.contains { $0 == people[who].user } } ?? true)
        #expect((reply.error == nil) == isAllowed, "\(people[who].user) in \(channel)")
        if isAllowed { people[who].channels.insert(channel) }
      case 5:
        guard let who, people[who].channels.contains(channel) else { continue }
        _ = try await people[who].client.ask(
          1_000 + step, #""unsubscribe":{"channel":"\#(channel)"}"#)
        people[who].channels.remove(channel)
      case 6:
        guard let who else { continue }
        try await check(people[who])
        try await people[who].client.socket.close()
        people.remove(at: who)
      default:
        guard let who else { continue }
        let reply = try await people[who].client.publish(
          "\"\(channel) \(step)\"", in: channel, id: 1_000 + step)
        guard reply.error == nil else { continue }
        for index in people.indices where people[index].channels.contains(channel) {
          people[index].expected.append("\"\(channel) \(step)\"")
        }
      }
    }
    for person in people { try await check(person) }
  }

  private func check(_ person: Person) async throws {
    try await host.settle()
    let heard = try await person.client.lines.compactMap { $0.push?.pub?.data.text }
    #expect(heard == person.expected, "\(person.user)")
  }
}
