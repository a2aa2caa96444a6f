import PluginKit
import Testing

@testable import PluginTesting
@testable import RealtimePlugin

private let server = Principal(kind: .key, id: "key_1", scopes: ["*"])

private struct Placed: Decodable, Equatable {
  let offset: UInt64
  let epoch: String
}

private struct Listed: Decodable {
  struct Entry: Decodable {
    let client: String
    let user: String
    let transport: String?
    let channels: Int?
  }

  let data: [Entry]
  let next: String?
}

extension TestHost {
  fileprivate func ask(_ path: String) async throws -> TestReply {
    try await request("GET", path, as: server)
  }

  fileprivate func send(
    _ path: String, _ body: String, under key: String? = nil, as principal: Principal = server
  ) async throws -> TestReply {
    try await request(
      "POST", path, headers: key.map { [("Idempotency-Key", $0)] } ?? [], body: body, as: principal)
  }

  fileprivate func publish(_ body: String) async throws -> Placed {
    try await send("/v1/publish", body).json()
  }
}

@Suite struct `The server's routes` {
  @Test func `publish to whoever listens, and say where it stands`() async throws {
    try await withRealtime(everything) { host async throws in
      let client = try await host.client()
      let epoch = try #require(try await client.subscribe("room").subscribe?.epoch)
      let first = try await host.publish(#"{"channel":"room","data":{ "a" : 1.0 }}"#)
      #expect(first == Placed(offset: 1, epoch: epoch))
      #expect(try await client.heard(in: "room") == [#"{ "a" : 1.0 }"#])
      #expect(try await client.publications(in: "room").first?.info == nil)
      let fleeting = try await host.publish(#"{"channel":"fleeting:x","data":1}"#)
      #expect(fleeting == Placed(offset: 0, epoch: ""))
    }
  }

  @Test func `publish once under one key, and answer alike`() async throws {
    try await withRealtime(everything) { host async throws in
      let body = #"{"channel":"room","data":1,"idempotency_key":"k"}"#
      let first = try await host.publish(body)
      #expect(try await host.publish(#"{"channel":"room","data":2}"#).offset == 2)
      #expect(try await host.publish(body) == first)
      // A key is its channel's.
      #expect(
        try await host.publish(#"{"channel":"small:x","data":1,"idempotency_key":"k"}"#).offset == 1
      )
      #expect(try await host.events.count == 3)
      let fleeting = #"{"channel":"fleeting:x","data":1,"idempotency_key":"k"}"#
      for _ in 0..<2 { #expect(try await host.publish(fleeting).offset == 0) }
      #expect(
        try await host.onLoop { $0.published.filter { $0.channel == "fleeting:x" }.count } == 1)
      try await host.advance(milliseconds: Int(RealtimeShard.keyLifetime) + 1)
      #expect(try await host.publish(body).offset == 3)
    }
  }

  @Test func `keep apart the keys of different servers, and those of a header and of a body`()
    async throws
  {
    try await withRealtime(everything) { host async throws in
      let other = Principal(kind: .key, id: "key_2", scopes: ["*"])
      let body = #"{"channels":["room","small:x"],"data":1}"#
      let keyed = #"{"channels":["room","small:x"],"data":1,"idempotency_key":"k"}"#
      var answers: Set<String> = []
      for (text, key, principal) in [
        (body, "k", server), (body, "k", other), (keyed, nil, server), (keyed, nil, other),
      ] {
        let first = try await host.send("/v1/broadcast", text, under: key, as: principal)
        let again = try await host.send("/v1/broadcast", text, under: key, as: principal)
        #expect(again.text == first.text)
        answers.insert(first.text)
      }
      #expect(answers.count == 4)
      #expect(try await host.events.count == 8)
      // What a publication was published under is the same wherever the body has it.
      let part = #"{"channel":"room","data":1,"idempotency_key":"k"}"#
      #expect(try await host.publish(part).offset == 3)
    }
  }

  @Test func `refuse a key that was used for something else, and publish nothing`() async throws {
    try await withRealtime(everything) { host async throws in
      let refused = [
        (
          "/v1/publish", #"{"channel":"room","data":2,"idempotency_key":"k"}"#, nil as String?
        ),
        (
          "/v1/publish", #"{"channel":"room","data":1,"tags":{"a":"b"},"idempotency_key":"k"}"#, nil
        ),
        ("/v1/publish", #"{"channel":"fleeting:x","data":2,"idempotency_key":"k"}"#, nil),
        (
          "/v1/broadcast", #"{"channels":["small:x","room"],"data":2,"idempotency_key":"k"}"#, nil
        ),
        ("/v1/broadcast", #"{"channels":["small:x","room"],"data":2}"#, "k"),
      ]
      _ = try await host.publish(#"{"channel":"room","data":1,"idempotency_key":"k"}"#)
      _ = try await host.publish(#"{"channel":"fleeting:x","data":1,"idempotency_key":"k"}"#)
      _ = try await host.send("/v1/broadcast", #"{"channels":["room"],"data":1}"#, under: "k")
      for (path, body, key) in refused {
        let reply = try await host.send(path, body, under: key)
        #expect(reply.status == 409 && reply.problem?.code == "idempotency_mismatch", "\(body)")
      }
      #expect(try await host.events.count == 2)
      // The key is forgotten with what was published under it.
      try await host.advance(milliseconds: Int(RealtimeShard.keyLifetime) + 1)
      for (path, body, key) in refused {
        #expect(try await host.send(path, body, under: key).status == 200, "\(body)")
        try await host.advance(milliseconds: Int(RealtimeShard.keyLifetime) + 1)
      }
    }
  }

  @Test func `broadcast, and say what became of it in each channel`() async throws {
    try await withRealtime(everything) { host async throws in
      let reply = try await host.send(
        "/v1/broadcast", #"{"channels":["room","unknown:x","chat:secret","small:x"],"data":1}"#)
      let epoch = try #require(try await host.events.first?.epoch)
      #expect(
        reply.text
          == #"{"data":[{"channel":"room","offset":1,"epoch":"\#(epoch)"},"#
          + #"{"channel":"unknown:x","error":{"code":"not_found","detail":"There are no channels in the namespace \"unknown\"."}},"#
          + #"{"channel":"chat:secret","error":{"code":"forbidden","detail":"It is a secret."}},"#
          + #"{"channel":"small:x","offset":1,"epoch":"\#(epoch)"}]}"#)
    }
  }

  @Test(arguments: [
    ("unknown:x", 404), ("chat:secret", 403), ("@realtime", 400), (":x", 400),
  ])
  func `refuse a channel with the reason`(_ channel: String, _ status: Int) async throws {
    try await withRealtime(everything) { host async throws in
      #expect(
        try await host.send("/v1/publish", #"{"channel":"\#(channel)","data":1}"#).status == status)
      #expect(try await host.ask("/v1/presence/\(channel)").status == status)
      #expect(try await host.ask("/v1/presence_stats/\(channel)").status == status)
    }
  }

  @Test func `say who is in a channel, in pages`() async throws {
    try await withRealtime(everything) { host async throws in
      for user in ["alice", "bob", "bob"] {
        try await host.client(as: .user(user)).subscribe("room")
      }
      let all: Listed = try await host.ask("/v1/presence/room").json()
      #expect(all.data.map(\.user).sorted() == ["alice", "bob", "bob"])
      #expect(all.next == nil)
      let first: Listed = try await host.ask("/v1/presence/room?limit=2").json()
      let next = try #require(first.next)
      let rest: Listed = try await host.ask("/v1/presence/room?limit=2&after=\(next)").json()
      #expect((first.data + rest.data).map(\.client) == all.data.map(\.client))
      #expect(
        try await host.ask("/v1/presence_stats/room").text == #"{"num_clients":3,"num_users":2}"#)
      #expect(try await host.ask("/v1/presence/small:x").status == 404)
    }
  }

  @Test func `name the connections and close those of a user`() async throws {
    try await withRealtime(everything) { host async throws in
      let alice = try await host.client()
      let (bob, listener) = (
        try await host.client(as: .user("bob")), try await host.listen("chat:a:b", as: .user("bob"))
      )
      _ = try await listener.hello()
      let all: Listed = try await host.ask("/v1/connections").json()
      #expect(all.data.map(\.user).sorted() == ["alice", "bob", "bob"])
      #expect(all.data.map(\.transport).contains("uni_websocket"))
      #expect(all.data.allSatisfy { $0.channels == 1 })
      let bobs: Listed = try await host.ask("/v1/connections?user=bob&limit=1").json()
      let next = try #require(bobs.next)
      let rest: Listed = try await host.ask("/v1/connections?user=bob&after=\(next)").json()
      #expect(rest.data.count == 1)
      let closed = try await host.send("/v1/disconnect", #"{"user":"bob"}"#)
      #expect(closed.text == #"{"disconnected":2}"#)
      #expect(try await bob.socket.closed() == CloseReason(code: 3503, text: "force disconnect"))
      #expect(try await listener.closed().code == 3503)
      let one = try await host.send(
        "/v1/disconnect", #"{"user":"alice","client":"con_other"}"#)
      #expect(one.text == #"{"disconnected":0}"#)
      #expect(try await alice.ask(5, #""ping":{}"#).id == 5)
    }
  }
}
