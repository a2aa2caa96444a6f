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

  @Test func `shows users their own reactions`() async throws {
    try await withChat { host async throws in
      try await host.send("hello", id: "m1")
      for reaction in ["b", "a"] { #expect(try await host.react(reaction).status == 200) }
      let own = #""reactions":{"a":1,"b":1},"own_reactions":["a","b"]}"#
      #expect(try await host.message("m1").text.hasSuffix(own))
      #expect(try await host.list().text.contains(own))
      #expect(try await !host.message("m1", as: .user("bob")).text.contains("own_reactions"))
      #expect(try await !host.message("m1", as: .key()).text.contains("own_reactions"))
      // Nobody else's are told in events.
      #expect(try await host.change("m1", #"{"text":"x"}"#).status == 200)
      #expect(try await host.events.last?.data.text.contains("reactions") == false)
    }
  }

  @Test func `takes the place of the user's others where it is exclusive`() async throws {
    try await withChat { host async throws in
      try await host.send("hello", id: "m1")
      for number in 0..<Reaction.limit { #expect(try await host.react("r\(number)").status == 200) }
      #expect(try await host.react("other", as: .user("carol")).status == 200)
      let before = try await host.events.count
      let one = try await host.react("one?exclusive=true")
      #expect(one.status == 200 && one.text.contains(#""reaction":"one""#))
      #expect(try await host.reactions() == #"{"one":1,"other":1}"#)
      let events = try await host.events.dropFirst(before)
      #expect(events.filter { $0.type == "chat.reaction.removed" }.count == Reaction.limit)
      #expect(events.filter { $0.type == "chat.reaction.added" }.count == 1)
      // The same again changes nothing.
      #expect(try await host.react("one?exclusive=true").text == one.text)
      #expect(try await host.events.count == before + Reaction.limit + 1)
      // One that is there already leaves the others alone to go.
      #expect(try await host.react("two").status == 200)
      #expect(try await host.react("one?exclusive=true").text == one.text)
      #expect(try await host.reactions() == #"{"one":1,"other":1}"#)
    }
  }

  @Test func `in exclusive ways at once ends with one`() async throws {
    try await withChat { host async throws in
      for number in 1...10 {
        let id = "m\(number)"
        try await host.send("hello", id: id)
        var pending: [PendingReply] = []
        for name in ["a", "b", "c"] {
          pending.append(
            try await host.begin(
              "PUT", "/v1/messages/\(id)/reactions/\(name)?exclusive=true", as: .user("alice")))
        }
        for reply in pending { #expect(try await reply.reply().status == 200) }
        struct View: Decodable {
          let ownReactions: [String]
          private enum CodingKeys: String, CodingKey { case ownReactions = "own_reactions" }
        }
        #expect(try await host.message(id).json(View.self).ownReactions.count == 1)
      }
    }
  }

  @Test func `is listed with who has, in pages`() async throws {
    try await withChat { host async throws in
      try await host.send("hello", id: "m1")
      for user in ["u1", "ü-2:x", "u3"] {
        for name in ["👍", "like:it"] {
          #expect(try await host.react(name, as: .user(user)).status == 200)
        }
      }
      struct View: Decodable, Equatable {
        let userID: String
        let reaction: String

        private enum CodingKeys: String, CodingKey {
          case userID = "user_id"
          case reaction
        }
      }
      var listed: [View] = []
      var query = "?limit=2"
      for _ in 0..<3 {
        let page: ListPage<View> = try await host.request(
          "GET", "/v1/messages/m1/reactions\(query)", as: .user("alice")
        ).json()
        #expect(page.data.count == 2)
        listed += page.data
        query = "?limit=2&after=\(page.next ?? "")"
        #expect((page.next == nil) == (listed.count == 6))
      }
      #expect(listed.map(\.reaction) == Array(repeating: "like:it", count: 3) + ["👍", "👍", "👍"])
      #expect(listed.prefix(3).map(\.userID) == ["u1", "u3", "ü-2:x"])
      let some: ListPage<View> = try await host.request(
        "GET", "/v1/messages/m1/reactions?type=%F0%9F%91%8D", as: .user("alice")
      ).json()
      #expect(some.data == Array(listed.suffix(3)))
      for after in ["x", "0-0", "61", "ff-61"] {
        let refused = try await host.request(
          "GET", "/v1/messages/m1/reactions?after=\(after)", as: .user("alice"))
        #expect(refused.status == 400, "\(after)")
      }
      #expect(
        try await host.request("GET", "/v1/messages/none/reactions", as: .user("alice")).status
          == 404)
    }
  }
}
