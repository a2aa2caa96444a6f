import PluginKit
import PluginTesting
import Testing

@testable import ChatPlugin

extension TestHost {
  fileprivate func react(
    _ reaction: String, to id: String = "m1", _ body: String = "",
    as principal: Principal = .user("alice")
  ) async throws -> TestReply {
    try await request("PUT", "/v1/messages/\(id)/reactions/\(reaction)", body: body, as: principal)
  }

  fileprivate func unreact(
    _ reaction: String, to id: String = "m1", _ query: String = "",
    as principal: Principal = .user("alice")
  ) async throws -> TestReply {
    try await request("DELETE", "/v1/messages/\(id)/reactions/\(reaction)\(query)", as: principal)
  }

  fileprivate func reactions(_ id: String = "m1") async throws -> String? {
    struct View: Decodable { let reactions: RawJSON? }
    let reply = try await request("GET", "/v1/messages/\(id)", as: .user("bob"))
    return try reply.json(View.self).reactions?.text
  }
}

@Suite struct `Reacting to a message` {
  @Test func `is counted and published once, however often it is said`() async throws {
    try await withChat { host async throws in
      try await host.send("hello", id: "m1")
      #expect(try await host.reactions() == nil)
      let first = try await host.react("like")
      #expect(first.status == 200)
      #expect(
        first.text
          == #"{"message_id":"m1","channel":"messaging:general","user_id":"alice","reaction":"like","#
          + #""created_at":"2026-01-01T00:00:00.000Z"}"#)
      try await host.advance(milliseconds: 1_000)
      #expect(try await host.react("like").text == first.text)
      #expect(try await host.react("like", as: .user("carol")).status == 200)
      #expect(try await host.react("👍").status == 200)
      #expect(try await host.reactions() == #"{"like":2,"👍":1}"#)
      let types = try await host.events.map(\.type)
      #expect(types == ["chat.message.created"] + Array(repeating: "chat.reaction.added", count: 3))
      #expect(try await host.events[1].data.text == first.text)
      let page = try await host.list()
      #expect(page.text.contains(#""reactions":{"like":2,"👍":1}"#))
    }
  }

  @Test func `is taken back, and that once too`() async throws {
    try await withChat { host async throws in
      try await host.send("hello", id: "m1")
      #expect(try await host.react("like").status == 200)
      for _ in 0..<2 { #expect(try await host.unreact("like").status == 204) }
      #expect(try await host.reactions() == nil)
      #expect(try await host.events.map(\.type).last == "chat.reaction.removed")
      #expect(try await host.events.count == 3)
    }
  }

  @Test func `is for whoever may read it, under one's own name`() async throws {
    try await withChat { host async throws in
      try await host.create(#"{"type":"private","id":"p","members":["bob"]}"#)
      try await host.send("secret", id: "m2", to: "private/p")
      #expect(try await host.react("like", to: "m2").status == 404)
      #expect(try await host.unreact("like", to: "m2").status == 404)
      #expect(try await host.react("like", to: "none").status == 404)
      try await host.send("hello", id: "m1")
      #expect(try await host.react("like", #"{"user_id":"bob"}"#).status == 403)
      #expect(try await host.react("like", as: .key()).status == 400)
      #expect(try await host.unreact("like", as: .key()).status == 400)
      #expect(try await host.react("like", #"{"user_id":"bob"}"#, as: .key()).status == 200)
      #expect(try await host.unreact("like", "?user_id=alice", as: .user("bob")).status == 403)
      #expect(try await host.unreact("like", "?user_id=bob", as: .key()).status == 204)
      for name in ["a b", "\u{0}", "x\n", String(repeating: "x", count: 65)] {
        #expect(try await host.react(name).status == 400, "\(name)")
      }
    }
  }

  @Test func `has a bound for each user, and goes with the message`() async throws {
    try await withChat { host async throws in
      try await host.send("hello", id: "m1")
      for number in 0..<Reaction.limit { #expect(try await host.react("r\(number)").status == 200) }
      let refused = try await host.react("more")
      #expect(refused.status == 403 && refused.text.contains("quota_exceeded"))
      // What is there already, and another user's, are not over it.
      #expect(try await host.react("r0").status == 200)
      #expect(try await host.react("more", as: .user("carol")).status == 200)
      #expect(try await host.request("DELETE", "/v1/messages/m1", as: .user("bob")).status == 204)
      #expect(try await host.react("like").status == 404)
    }
  }
}
