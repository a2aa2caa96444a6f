import PluginKit
import PluginTesting
import Testing

@testable import ChatPlugin

private let path = "/v1/channels/private/den"

/// `private:den` of bob, with alice and carol as members and mona as a moderator.
private func withDen(
  _ config: RawJSON = bothTypes, _ body: (TestHost) async throws -> Void
) async throws {
  try await withChat(config) { host async throws in
    try await host.create(#"{"type":"private","id":"den","members":["alice","carol","mona"]}"#)
    _ = try await host.execute("UPDATE chat_members SET role = 'moderator' WHERE user_id = 'mona'")
    try await body(host)
  }
}

private func ban(
  _ user: String, _ body: String = "", _ host: TestHost, as principal: Principal = .user("mona")
) async throws -> TestReply {
  try await host.request("PUT", path + "/bans/\(user)", body: body, as: principal)
}

private func say(_ text: String, id: String? = nil, _ host: TestHost, as user: String)
  async throws -> TestReply
{
  try await host.send(text, id: id, to: "private/den", as: .user(user))
}

@Suite struct `A ban` {
  @Test func `is a moderator's to give, is told, listed, and taken back`() async throws {
    try await withDen { host async throws in
      #expect(try await ban("carol", "", host, as: .user("alice")).status == 403)
      let given = try await ban("carol", #"{"seconds":60,"reason":"spam"}"#, host)
      #expect(given.status == 200)
      #expect(
        given.text
          == #"{"channel":"private:den","user_id":"carol","shadow":false,"reason":"spam","#
          + #""banned_by":"mona","expires_at":"2026-01-01T00:01:00.000Z","#
          + #""created_at":"2026-01-01T00:00:00.000Z"}"#)
      let event = try #require(try await host.events.last)
      #expect(event.type == "chat.user.banned" && event.channel == "chat:private:den")
      #expect(event.data.text == given.text)
      #expect(try await host.told("carol").last == "chat.user.banned")
      #expect(try await say("x", host, as: "carol").status == 403)
      let listed = try await host.request("GET", path + "/bans", as: .user("mona"))
      #expect(listed.text == #"{"data":[\#(given.text)],"next":null}"#)
      #expect(try await host.request("GET", path + "/bans", as: .user("alice")).status == 403)
      for _ in 0..<2 {
        let ended = try await host.request("DELETE", path + "/bans/carol", as: .user("mona"))
        #expect(ended.status == 204)
      }
      #expect(try await host.events.filter { $0.type == "chat.user.unbanned" }.count == 1)
      #expect(try await say("x", host, as: "carol").status == 201)
    }
  }

  @Test func `is over with its time, and is then not listed`() async throws {
    try await withDen { host async throws in
      _ = try await ban("carol", #"{"seconds":60}"#, host)
      try await host.advance(milliseconds: 60_000)
      #expect(try await say("x", host, as: "carol").status == 201)
      let listed = try await host.request("GET", path + "/bans", as: .key())
      #expect(listed.text == #"{"data":[],"next":null}"#)
      _ = try await ban("eve", "", host)
      #expect(try await host.execute("SELECT user_id FROM chat_bans") == [["eve"]])
    }
  }

  @Test func `of a moderator is an owner's to give, and nobody's of himself`() async throws {
    try await withDen { host async throws in
      let refused = try await ban("bob", "", host)
      #expect(refused.status == 403)
      #expect(refused.problem?.detail.contains("by an owner") == true)
      #expect(try await ban("mona", "", host).status == 403)
      #expect(try await ban("mona", "", host, as: .user("bob")).status == 200)
      #expect(try await ban("bob", "", host, as: .key()).status == 200)
    }
  }

  @Test func `by who has lost the right meanwhile is none`() async throws {
    try await withDen { host async throws in
      host.interpose("UPDATE chat_members SET role = 'member' WHERE user_id = 'mona'")
      #expect(try await ban("carol", "", host).status == 403)
      #expect(try await host.execute("SELECT user_id FROM chat_bans").isEmpty)
    }
  }

  @Test func `of the whole app is the server's, and holds in every channel`() async throws {
    try await withDen { host async throws in
      let given = try await host.request("PUT", "/v1/bans/carol", as: .key())
      #expect(given.status == 200 && !given.text.contains("channel"))
      #expect(try await host.events.last?.channel == nil)
      #expect(try await say("x", host, as: "carol").status == 403)
      #expect(try await host.send("x", as: .user("carol")).status == 403)
      // Reading is no writing.
      #expect(try await host.list(of: "private/den", as: .user("carol")).status == 200)
      let listed = try await host.request("GET", "/v1/bans", as: .key())
      #expect(listed.text == #"{"data":[\#(given.text)],"next":null}"#)
      #expect(try await host.request("DELETE", "/v1/bans/carol", as: .key()).status == 204)
      #expect(try await say("x", host, as: "carol").status == 201)
    }
  }

  @Test func `is one of ten thousand in a channel at most`() async throws {
    try await withDen { host async throws in
      _ = try await host.execute(
        """
        INSERT INTO chat_bans (user_id, type, channel, shadow, created_at)
        WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000)
        SELECT 'u' || i, 'private', 'den', 0, 0 FROM n
        """)
      #expect(try await ban("carol", "", host).problem?.code == "quota_exceeded")
      #expect(try await ban("u1", "", host).status == 200)
    }
  }
}

@Suite struct `A ban that its user is not to know of` {
  @Test func `has his messages answered to him, and shown to nobody else`() async throws {
    try await withDen { host async throws in
      #expect(try await say("before", id: "m1", host, as: "carol").status == 201)
      let given = try await ban("carol", #"{"shadow":true}"#, host)
      #expect(given.status == 200)
      #expect(try await host.events.last?.channel == nil)
      #expect(try await host.told("carol").last != "chat.user.banned")
      let events = try await host.events.count
      let held = try await say("held", id: "m2", host, as: "carol")
      #expect(held.status == 201)
      #expect(try await say("held", id: "m2", host, as: "carol").text == held.text)
      #expect(try await say("other", id: "m2", host, as: "carol").status == 409)
      #expect(try await say("other", id: "m1", host, as: "carol").status == 409)
      #expect(try await host.events.count == events)
      #expect(try await host.told("carol").last == "chat.message.created")
      #expect(try await say("after", id: "m3", host, as: "bob").status == 201)
      func texts(_ user: Principal, _ query: String = "") async throws -> [String] {
        let page: ListPage<Said> = try await host.list(query, of: "private/den", as: user).json()
        return page.data.map(\.text)
      }
      #expect(try await texts(.user("carol")) == ["after", "held", "before"])
      #expect(try await texts(.user("carol"), "?after=m1") == ["held", "after"])
      #expect(try await texts(.user("carol"), "?before=m3&limit=1") == ["held"])
      for principal in [Principal.user("alice"), .user("mona"), .key()] {
        #expect(try await texts(principal) == ["after", "before"])
        #expect(try await host.request("GET", "/v1/messages/m2", as: principal).status == 404)
      }
      let own = try await host.request("GET", "/v1/messages/m2", as: .user("carol"))
      #expect(own.status == 200 && own.text == held.text)
      let unread = try await host.request("GET", "/v1/unread", as: .user("alice"))
      #expect(unread.text.contains(#""unread":2"#))
    }
  }

  @Test func `is paged through as if nothing were missing`() async throws {
    try await withDen { host async throws in
      _ = try await ban("carol", #"{"shadow":true}"#, host)
      for number in 1...9 {
        _ = try await say("\(number)", host, as: number % 3 == 0 ? "bob" : "carol")
      }
      var texts: [String] = []
      var query = "?limit=2"
      while true {
        let page: ListPage<Said> = try await host.list(
          query, of: "private/den", as: .user("carol")
        ).json()
        texts += page.data.map(\.text)
        guard let next = page.next else { break }
        query = "?limit=2&after=\(next)"
      }
      #expect(texts == (1...9).reversed().map { "\($0)" })
    }
  }

  @Test func `stops what would reach others otherwise`() async throws {
    try await withDen { host async throws in
      _ = try await say("hello", id: "m1", host, as: "carol")
      _ = try await ban("carol", #"{"shadow":true}"#, host)
      let edit = try await host.request(
        "PATCH", "/v1/messages/m1", body: #"{"text":"spam"}"#, as: .user("carol"))
      let reaction = try await host.request(
        "PUT", "/v1/messages/m1/reactions/like", as: .user("carol"))
      #expect([edit.status, reaction.status] == [403, 403])
      let typing = try await host.request("POST", path + "/typing", as: .user("carol"))
      #expect(typing.status == 204)
      #expect(try await host.published.allSatisfy { $0.type != "chat.typing" })
    }
  }

  @Test func `counts from the moment that it is committed`() async throws {
    try await withDen { host async throws in
      host.interpose(
        """
        INSERT INTO chat_bans (user_id, type, channel, shadow, created_at)
        VALUES ('carol', 'private', 'den', 1, 0)
        """)
      let events = try await host.events.count
      #expect(try await say("x", host, as: "carol").status == 201)
      #expect(try await host.events.count == events)
      #expect(try await host.execute("SELECT id FROM chat_messages").isEmpty)
    }
  }
}

@Suite struct `A user who mutes another` {
  @Test func `has nothing unread of him, and others have`() async throws {
    try await withDen { host async throws in
      let muted = try await host.request("PUT", "/v1/mutes/bob", as: .user("alice"))
      #expect(muted.status == 200)
      #expect(try await host.told("alice").last == "chat.user.muted")
      #expect(try await host.request("PUT", "/v1/mutes/bob", as: .user("alice")).text == muted.text)
      _ = try await say("hello", host, as: "bob")
      func unread(_ user: String) async throws -> String {
        try await host.request("GET", "/v1/unread", as: .user(user)).text
      }
      #expect(try await unread("alice") == #"{"data":[],"next":null}"#)
      #expect(try await unread("carol").contains(#""unread":1"#))
      let list = try await host.request("GET", "/v1/mutes", as: .user("alice"))
      #expect(list.text == #"{"data":[\#(muted.text)],"next":null}"#)
      for _ in 0..<2 {
        #expect(try await host.request("DELETE", "/v1/mutes/bob", as: .user("alice")).status == 204)
      }
      #expect(try await host.told("alice").filter { $0 == "chat.user.unmuted" }.count == 1)
      #expect(try await unread("alice").contains(#""unread":1"#))
      #expect(try await host.request("PUT", "/v1/mutes/alice", as: .user("alice")).status == 403)
      let foreign = try await host.request("GET", "/v1/mutes?user_id=bob", as: .user("alice"))
      #expect(foreign.status == 403)
    }
  }

  @Test func `mutes a thousand at most`() async throws {
    try await withDen { host async throws in
      _ = try await host.execute(
        """
        INSERT INTO chat_mutes (user_id, muted, created_at)
        WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000)
        SELECT 'alice', 'u' || i, 0 FROM n
        """)
      let reply = try await host.request("PUT", "/v1/mutes/bob", as: .user("alice"))
      #expect(reply.problem?.code == "quota_exceeded")
      #expect(try await host.request("PUT", "/v1/mutes/u1", as: .user("alice")).status == 200)
    }
  }
}

@Suite struct `Writing often` {
  @Test func `is held back in a slow channel, but not a moderator, and not in others`()
    async throws
  {
    try await withDen { host async throws in
      let slow = try await host.request(
        "PATCH", path, body: #"{"slow_mode_seconds":10}"#, as: .user("mona"))
      #expect(slow.status == 200 && slow.text.contains(#""slow_mode_seconds":10"#))
      #expect(try await say("1", id: "m1", host, as: "alice").status == 201)
      let refused = try await say("2", host, as: "alice")
      #expect(refused.status == 429 && refused.problem?.code == "rate_limited")
      #expect(
        refused.problem?.detail == "A user sends at most one message in 10 s to private:den.")
      // The same again is no other message, and another user's pace is his own.
      #expect(try await say("1", id: "m1", host, as: "alice").status == 200)
      #expect(try await say("1", host, as: "carol").status == 201)
      for _ in 0..<3 { #expect(try await say("x", host, as: "mona").status == 201) }
      for _ in 0..<2 { #expect(try await host.send("x", as: .user("alice")).status == 201) }
      try await host.advance(milliseconds: 9_999)
      #expect(try await say("3", host, as: "alice").status == 429)
      try await host.advance(milliseconds: 1)
      #expect(try await say("3", host, as: "alice").status == 201)
      _ = try await host.request(
        "PATCH", path, body: #"{"slow_mode_seconds":0}"#, as: .user("mona"))
      for _ in 0..<3 { #expect(try await say("x", host, as: "alice").status == 201) }
    }
  }

  @Test func `is held back where the type is slow, unless the channel says otherwise`()
    async throws
  {
    try await withDen(#"{"types":{"private":{"slow_mode_seconds":5}}}"#) { host async throws in
      #expect(try await say("1", host, as: "alice").status == 201)
      #expect(try await say("2", host, as: "alice").status == 429)
      _ = try await host.request(
        "PATCH", path, body: #"{"slow_mode_seconds":0}"#, as: .user("mona"))
      #expect(try await say("3", host, as: "alice").status == 201)
      let server = try await host.request(
        "POST", path + "/messages", body: #"{"text":"x","user_id":"alice"}"#, as: .key())
      #expect(server.status == 201)
    }
  }

  @Test func `is bounded by the type's rate, and by it again when the time is over`()
    async throws
  {
    let config: RawJSON = #"{"types":{"private":{"rate_limit":{"messages":3,"seconds":60}}}}"#
    try await withDen(config) { host async throws in
      for user in ["alice", "mona"] {
        for _ in 0..<3 { #expect(try await say("x", host, as: user).status == 201) }
        let refused = try await say("x", host, as: user)
        #expect(refused.status == 429)
        #expect(refused.problem?.detail == "A user sends at most 3 in 60 s to private:den.")
      }
      try await host.advance(milliseconds: 60_000)
      for _ in 0..<3 { #expect(try await say("x", host, as: "alice").status == 201) }
      #expect(try await say("x", host, as: "alice").status == 429)
    }
  }

  @Test func `is held back also when all comes at once`() async throws {
    let config: RawJSON = #"{"types":{"private":{"rate_limit":{"messages":3,"seconds":60}}}}"#
    try await withDen(config) { host async throws in
      let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
        for _ in 0..<12 {
          group.addTask { try await say("x", host, as: "alice").status }
        }
        return try await group.reduce(into: [:]) { $0[$1, default: 0] += 1 }
      }
      #expect(statuses == [201: 3, 429: 9])
    }
  }

  @Test func `goes on when the clock is set back`() async throws {
    try await withDen(#"{"types":{"private":{"slow_mode_seconds":5}}}"#) { host async throws in
      _ = try await say("1", host, as: "alice")
      _ = try await host.execute("UPDATE chat_pace SET sent_at = sent_at + 3600000")
      #expect(try await say("2", host, as: "alice").status == 201)
    }
  }
}
