import CSluice
import PluginKit
import Testing

@testable import PluginTesting
@testable import RealtimePlugin

@Suite struct `The protocol's streams` {
  static let transports = ["sse", "http_stream"]

  @Test(arguments: transports)
  func `say who the client is, and where it says what it has to say`(_ transport: String)
    async throws
  {
    try await withRealtime { host async throws in
      let client = try await host.stream(transport)
      #expect(client.connected.client.hasPrefix("con_"))
      #expect(client.connected.ping == 25 && client.connected.pong)
      #expect(client.connected.session?.utf8.count == 48)
      #expect(client.connected.node?.hasPrefix("app.shd_") == true)
      let pieces = try await client.answer.pieces()
      #expect(
        pieces.contentType
          == (transport == "sse" ? "text/event-stream; charset=utf-8" : "application/octet-stream"))
      #expect(pieces.headers.contains { $0 == ("x-accel-buffering", "no") })
      #expect(
        pieces.headers.contains { $0.name == "cache-control" && $0.value.contains("no-store") })
      #expect(host.metric("connections") == 1)
    }
  }

  @Test(arguments: [
    ("GET", "/connection/uni_sse?channels=chat:a:b", ""),
    ("POST", "/connection/sse", #"{"id":1,"connect":{}}"#),
    ("POST", "/connection/http_stream", #"{"id":1,"connect":{}}"#),
  ])
  func `leave nothing behind where the plan allows no more connections`(
    method: String, target: String, body: String
  ) async throws {
    try await withRealtime { host async throws in
      try await host.setConnectionRoom(false)
      let reply = try await host.request(method, target, body: body, as: .user("alice"))
      #expect(reply.status == 403 && reply.problem?.code == "quota_exceeded")
      try await host.settle()
      #expect(host.metric("connections") == 0)
      try await host.setConnectionRoom(true)
      let answer = try await host.begin(method, target, body: body, as: .user("alice"))
      #expect(try await answer.pieces().status == 200)
      #expect(host.metric("connections") == 1)
    }
  }

  @Test(arguments: transports)
  func `subscribe, publish and hear as sockets do`(_ transport: String) async throws {
    try await withRealtime(everything) { host async throws in
      let client = try await host.stream(transport)
      let socket = try await host.client(as: .user("bob"))
      let subscribed = try await client.subscribe("room").subscribe
      #expect(subscribed?.recoverable == true && subscribed?.positioned == true)
      try await socket.subscribe("room")
      #expect(try await client.ask(3, #""publish":{"channel":"room","data":{"a":1}}"#).error == nil)
      _ = try await socket.publish("2", in: "room")
      #expect(try await client.heard(in: "room") == [#"{"a":1}"#, "2"])
      #expect(try await socket.heard(in: "room") == [#"{"a":1}"#, "2"])
      let members = try await client.ask(4, #""presence":{"channel":"room"}"#).presence?.presence
      #expect(Set((members ?? [:]).values.map(\.user)) == ["alice", "bob"])
    }
  }

  @Test func `get one copy each of what is written once`() async throws {
    try await withRealtime(everything) { host async throws in
      let clients = [
        try await host.stream("sse"), try await host.stream("http_stream", as: .user("bob")),
        try await host.stream("http_stream", as: .user("carol")),
      ]
      for client in clients { try await client.subscribe("room") }
      _ = try await clients[0].ask(3, #""publish":{"channel":"room","data":1}"#)
      for client in clients { #expect(try await client.heard(in: "room") == ["1"]) }
      #expect(try await host.onLoop { $0.groups.count } == 0)
      try await clients[1].say(#"{"id":4,"unsubscribe":{"channel":"room"}}"#)
      _ = try await clients[0].ask(5, #""publish":{"channel":"room","data":2}"#)
      #expect(try await clients[1].heard(in: "room") == ["1"])
      #expect(try await clients[2].heard(in: "room") == ["1", "2"])
    }
  }

  @Test func `get differences where they ask for them, and hear who comes and goes`() async throws {
    try await withRealtime(everything) { host async throws in
      let client = try await host.stream("sse")
      #expect(
        try await client.subscribe("room", #","delta":"fossil""#).subscribe?.delta == true)
      let other = try await host.stream(as: .user("bob"))
      try await other.subscribe("room")
      let text = String(repeating: "the same and ", count: 20)
      for number in 1...2 {
        _ = try await other.ask(
          number + 2, #""publish":{"channel":"room","data":"\#(text)\#(number)"}"#)
      }
      let pushes = try await client.lines.compactMap(\.push)
      #expect(pushes.compactMap { $0.pub?.delta ?? false ? 1 : $0.pub.map { _ in 0 } } == [0, 1])
      #expect(pushes.contains { $0.join?.info.user == "bob" })
      try await other.answer.cancel()
      try await host.settle()
      #expect(try await client.lines.contains { $0.push?.leave?.info.user == "bob" })
    }
  }

  @Test func `resume where they were cut, with exactly what was missed`() async throws {
    try await withRealtime(everything) { host async throws in
      let other = try await host.client(as: .user("bob"))
      let first = try await host.stream()
      let position = try #require(try await first.subscribe("small:room").subscribe)
      try await first.answer.cancel()
      try await host.settle()
      for number in 1...2 {
        _ = try await other.publish("\(number)", in: "small:room", id: 10 + number)
      }
      let second = try await host.stream("sse")
      let again = try await second.subscribe(
        "small:room",
        #","recover":true,"offset":\#(position.offset ?? 0),"epoch":"\#(position.epoch ?? "")""#)
      #expect(again.subscribe?.recovered == true)
      #expect(again.subscribe?.publications?.map(\.data.text) == ["1", "2"])
      _ = try await other.publish("3", in: "small:room", id: 20)
      #expect(try await second.heard(in: "small:room") == ["3"])
    }
  }

  @Test func `carry out what comes behind connect when that is answered`() async throws {
    try await withRealtime(everything) { host async throws in
      let commands = [
        #"{"id":1,"connect":{}}"#, #"{"id":2,"subscribe":{"channel":"room"}}"#,
        #"{"id":3,"ping":{}}"#,
      ].joined(separator: "\n")
      let answer = try await host.ask(for: "http_stream", commands)
      try await host.settle()
      let lines = try StreamClient.lines(in: try await answer.pieces { !$0.body.isEmpty })
      #expect(lines.first?.connect != nil)
      #expect(Set(lines.compactMap(\.id)) == [1, 2, 3])
      #expect(lines.contains { $0.id == 2 && $0.subscribe != nil })
      // On sockets as well.
      let socket = try await host.open(as: .user("bob"))
      try await socket.send(commands)
      try await host.settle()
      let all = try await socket.received.flatMap { $0.text.split(separator: "\n") }
      #expect(all.count >= 3 && all.contains { $0.hasPrefix(#"{"id":2,"subscribe""#) })
    }
  }

  @Test func `hold no more than they may for the answer to connect`() async throws {
    try await withRealtime { host async throws in
      // The answer to "connect" waits for the channel's owner.
      let socket = try await host.open(
        as: .user("alice", claims: #"{"channels":["chat:a:b"]}"#))
      let long =
        #"{"id":2,"publish":{"channel":"a","data":"\#(String(repeating: "x", count: 40_000))"}}"#
      try await host.onLoop { world in
        // In one turn of the loop: nothing is answered in between.
        let peer = try #require(world.connections[socket.token])
        for message in [#"{"id":1,"connect":{}}"#, long, long] {
          world.handlers.websocket?.pointee.message(
            world.shard, peer.handler, peer.context, socket.token, SLUICE_MESSAGE_TEXT,
            world.lend(Array(message.utf8)))
        }
      }
      #expect(try await socket.closed().code == 3501)
    }
  }

  @Test(arguments: transports)
  func `are closed with a push that says why`(_ transport: String) async throws {
    try await withRealtime { host async throws in
      let client = try await host.stream(transport)
      #expect(try await client.say("nonsense").status == 204)
      #expect(try await client.disconnected() == .init(code: 3501, reason: "bad request"))
      let silent = try await host.stream(transport)
      for _ in 0..<40 { try await host.advance(milliseconds: 1_000) }
      #expect(try await silent.lines.contains { $0.id == nil && $0.push == nil })
      #expect(try await silent.disconnected() == .init(code: 3012, reason: "no pong"))
      let late = try await host.stream(
        transport,
        as: Principal(
          kind: .user, id: "alice",
          expiresAt: Timestamp(unixMilliseconds: host.now.unixMilliseconds + 5_000)))
      for _ in 0..<30 {
        try await host.advance(milliseconds: 1_000)
        try await late.say("{}")
      }
      #expect(try await late.disconnected() == .init(code: 3005, reason: "connection expired"))
      #expect(host.metric("connections") == 0)
      #expect(try await late.say("{}").status == 404)
    }
  }

  @Test func `answer pings beside the stream`() async throws {
    try await withRealtime { host async throws in
      let client = try await host.stream()
      for _ in 0..<60 {
        try await host.advance(milliseconds: 1_000)
        try await client.say("{}")
      }
      #expect(host.metric("connections") == 1)
      #expect(try await client.ask(7, #""ping":{}"#).error == nil)
    }
  }

  @Test(arguments: [
    ("POST", "/connection/http_stream", "", 400), ("POST", "/connection/http_stream", "{}", 400),
    ("POST", "/connection/http_stream", "nonsense", 400),
    ("POST", "/connection/http_stream", #"{"connect":{}}"#, 400),
    ("POST", "/connection/http_stream", #"{"id":1,"ping":{}}"#, 400),
    ("POST", "/connection/http_stream", #"{"id":1,"connect":5}"#, 400),
    ("POST", "/connection/sse", #"[{"id":1,"connect":{}}]"#, 400),
    ("GET", "/connection/sse?cf_connect=nonsense", "", 400),
    ("GET", "/connection/sse?cf_connect=%7B%22id%22:1%7D", "", 400),
    ("GET", "/connection/uni_sse", "", 400), ("GET", "/connection/uni_sse?channels=a,,b", "", 400),
    ("GET", "/connection/uni_sse?channels=@a", "", 400),
    ("GET", "/connection/uni_sse?channels=chat:secret", "", 403),
    ("GET", "/connection/uni_sse?channels=unknown:a", "", 403),
    ("POST", "/emulation", #"{"session":"x","node":"app.shd_1","data":"{}"}"#, 404),
    ("POST", "/emulation", #"{"session":"x","node":"other.shd_1","data":"{}"}"#, 404),
    ("POST", "/emulation", #"{"session":"x","node":"app","data":"{}"}"#, 404),
    ("POST", "/emulation", #"{"session":"x","node":".","data":"{}"}"#, 404),
    ("POST", "/emulation", #"{"session":1,"node":"app.x","data":"{}"}"#, 400),
    ("POST", "/emulation", "nonsense", 400),
  ])
  func `are refused with a problem`(
    _ method: String, _ target: String, _ body: String, _ status: Int
  ) async throws {
    try await withRealtime { host async throws in
      let reply = try await host.request(method, target, body: body, as: .user("alice"))
      #expect(reply.status == status && reply.problem != nil)
      #expect(host.metric("connections") == 0)
    }
  }

  @Test func `go on with a new token of the same user, and with no other`() async throws {
    try await withRealtime { host async throws in
      let client = try await host.stream()
      #expect(try await client.ask(2, #""refresh":{"token":"alice"}"#).error == nil)
      try await client.say(#"{"id":3,"refresh":{"token":"bob"}}"#)
      #expect(try await client.disconnected().code == 3500)
    }
  }

  @Test func `connect only once`() async throws {
    try await withRealtime { host async throws in
      let client = try await host.stream()
      try await client.say(#"{"id":2,"connect":{}}"#)
      #expect(try await client.disconnected().code == 3501)
    }
  }

  @Test func `are spoken for by whoever knows the session, and nobody else`() async throws {
    try await withRealtime(everything) { host async throws in
      let (alice, bob) = (try await host.stream(), try await host.stream(as: .user("bob")))
      #expect(alice.connected.session != bob.connected.session)
      let guess = String((alice.connected.session ?? "").reversed())
      #expect(try await alice.say("{}", session: guess).status == 404)
      #expect(
        try await alice.say("{}", session: guess, node: "app.shd_other").status == 404)
      #expect(
        try await alice.say(
          #"{"id":2,"subscribe":{"channel":"room"}}"#, session: bob.connected.session
        )
        .status == 204)
      #expect(try await bob.lines.contains { $0.subscribe != nil })
      let session = try #require(alice.connected.session)
      #expect(!host.log.contains { "\($0)".contains(session) })
      let long = String(repeating: " ", count: RealtimeShard.emulationBytes + 1)
      #expect(try await alice.say(long).status == 413)
    }
  }

  @Test(arguments: transports)
  func `whose clients do not read are closed for it, and hold no more than they may`(
    _ transport: String
  ) async throws {
    let settings: RawJSON = #"""
      {"stream_queue_bytes":4096,"without_namespace":{"publish_for_client":"users"}}
      """#
    try await withRealtime(settings) { host async throws in
      let slow = try await host.stream(transport)
      try await slow.subscribe("room")
      let other = try await host.stream(as: .user("bob"))
      try await slow.answer.setReading(false)
      let text = String(repeating: "x", count: 1_000)
      func publish(_ number: Int) async throws {
        _ = try await other.ask(number, #""publish":{"channel":"room","data":"\#(text)"}"#)
      }
      for number in 2...4 { try await publish(number) }
      try await slow.answer.setReading(true)
      try await host.settle()
      #expect(try await slow.heard(in: "room").count == 3)
      try await slow.answer.setReading(false)
      for number in 5...12 { try await publish(number) }
      #expect(host.metric("slow_streams_total") == 1)
      #expect(host.metric("connections") == 1)
      #expect(try await slow.say("{}").status == 404)
      #expect(try await slow.heard(in: "room").count == 4)
      try await slow.answer.setReading(true)
      #expect(try await slow.disconnected() == .init(code: 3008, reason: "slow"))
    }
  }

  @Test func `are seen by the app's server, which can close them`() async throws {
    try await withRealtime { host async throws in
      let client = try await host.stream("sse")
      let reader = try await host.events("chat:a:b")
      let list = try await host.request("GET", "/v1/connections", as: .key())
      #expect(list.text.contains(#""transport":"sse""#))
      #expect(list.text.contains(#""transport":"uni_sse""#))
      let closed = try await host.request(
        "POST", "/v1/disconnect", body: #"{"user":"alice"}"#, as: .key())
      #expect(closed.text == #"{"disconnected":2}"#)
      #expect(try await client.disconnected().code == 3503)
      let last = EventReader.events(in: try await reader.answer.reply().text).last
      #expect(last?.name == "disconnect")
      #expect(
        last?.data == #"{"type":"disconnect","code":3503,"reason":"force disconnect"}"#)
    }
  }

  @Test func `end for good when the plugin is switched off`() async throws {
    try await withRealtime { host async throws in
      let (client, reader) = (try await host.stream(), try await host.events("chat:a:b"))
      let plain = try await host.plain()
      try await host.drain(forGood: true)
      try await host.settle()
      #expect(try await client.disconnected() == .init(code: 3503, reason: "disabled"))
      let last = EventReader.events(in: try await reader.answer.reply().text).last
      #expect(last?.data == #"{"type":"disconnect","code":3503,"reason":"disabled"}"#)
      // Whoever is closed for good is not asked to come back.
      #expect(try await plain.told.allSatisfy { $0.code != "draining" })
    }
  }

  @Test func `end when their shard drains, and no more begin`() async throws {
    try await withRealtime { host async throws in
      let (client, reader) = (try await host.stream(), try await host.events("chat:a:b"))
      try await host.drain()
      try await host.settle()
      #expect(try await client.disconnected() == .init(code: 3001, reason: "shutdown"))
      let last = try await reader.answer.reply().text.split(separator: "\n").suffix(3)
      #expect(last.last?.contains(#""code":3001"#) == true)
      let pause = try #require(last.first { $0.hasPrefix("retry: ") })
      #expect((1_000..<10_000).contains(Int(pause.dropFirst(7)) ?? 0))
      let late = try await host.ask(for: "sse", #"{"id":1,"connect":{}}"#)
      #expect(try await late.reply().status == 503)
      try await host.settle()
      #expect(host.metric("connections") == 0)
    }
  }

  @Test func `are asked for with HEAD without beginning`() async throws {
    try await withRealtime { host async throws in
      for path in ["/connection/sse?cf_connect=x", "/connection/uni_sse?channels=a"] {
        let handler = path.contains("uni") ? "uni_sse" : "sse"
        let reply = try await host.request("HEAD", path, handler: handler, as: .user("alice"))
        #expect(reply.status == 200 && reply.body.isEmpty)
        #expect(reply.contentType == "text/event-stream; charset=utf-8")
      }
      #expect(host.metric("connections") == 0)
    }
  }

  @Test func `take the token out of connect, and the app out of the node`() async throws {
    try await withRealtime { host async throws in
      let connect = #"{"id":1,"connect":{"token":"abc"}}"#
      let escaped = "%7B%22id%22:1,%22connect%22:%7B%22token%22:%22a+c%22%7D%7D"
      #expect(try await host.find("http_stream", body: connect) == .found(.credential("abc")))
      #expect(
        try await host.find("sse", query: "x=y&cf_connect=\(escaped)") == .found(.credential("a c"))
      )
      #expect(try await host.find("sse", body: connect) == .found(.credential("abc")))
      #expect(
        try await host.find("http_stream", body: #"{"id":1,"connect":{"token":""}}"#) == .found(nil)
      )
      #expect(try await host.find("http_stream", body: "x") == .refused(.invalid))
      #expect(
        try await host.find("emulation", body: #"{"session":"s","node":"my.app.shd_1","data":""}"#)
          == .found(.app("my.app")))
      #expect(try await host.find("emulation", body: #"{"node":"x"}"#) == .refused(.notFound))
      #expect(try await host.find("emulation", body: "[]") == .refused(.invalid))
      let refusal = try #require(
        try await host.refusal("http_stream", body: connect, because: .expired))
      #expect(
        refusal.text
          == #"{"id":1,"error":{"code":109,"message":"token expired"}}"# + "\n"
          + #"{"push":{"disconnect":{"code":3005,"reason":"connection expired"}}}"# + "\n")
      #expect(try await host.refusal("sse", body: connect, because: .unauthenticated) == nil)
    }
  }
}
