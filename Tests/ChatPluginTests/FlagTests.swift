import PluginKit
import PluginTesting
import Testing

@testable import ChatPlugin

/// `private:den` of bob, with alice and carol as members, and the message m1 of carol's.
private func withDen(
  _ config: RawJSON = bothTypes, _ body: (TestHost) async throws -> Void
) async throws {
  try await withChat(config) { host async throws in
    try await host.create(#"{"type":"private","id":"den","members":["alice","carol"]}"#)
    try await host.send("hello", id: "m1", to: "private/den", as: .user("carol"))
    try await body(host)
  }
}

private func flag(_ host: TestHost, _ body: String = "", as user: Principal = .user("alice"))
  async throws -> TestReply
{
  try await host.request("POST", "/v1/messages/m1/flag", body: body, as: user)
}

private func open(_ host: TestHost, _ query: String = "", as user: Principal = .key())
  async throws -> [Flag]
{
  try await host.request("GET", "/v1/flags\(query)", as: user).json(ListPage<Flag>.self).data
}

@Suite struct `A flag` {
  @Test func `waits for whoever settles it, and is one for each user`() async throws {
    try await withDen { host async throws in
      let made = try await flag(host, #"{"reason":"spam"}"#)
      #expect(made.status == 201)
      let again = try await flag(host, #"{"reason":"other"}"#)
      #expect(again.status == 200 && again.text == made.text)
      #expect(try await flag(host, as: .user("bob")).status == 201)
      #expect(try await flag(host, as: .user("eve")).status == 404)
      let event = try #require(try await host.events.last)
      #expect(event.type == "chat.flag.created" && event.channel == nil)
      let flags = try await open(host)
      #expect(flags.map(\.flaggedBy) == ["alice", "bob"])
      #expect(flags.map(\.reason) == ["spam", nil])
      #expect(flags.allSatisfy { $0.text == "hello" && $0.authorID == "carol" })
      let first = try await host.request("GET", "/v1/flags?limit=1", as: .key())
      let next = try #require(try first.json(ListPage<Flag>.self).next)
      #expect(try await open(host, "?after=\(next)").map(\.flaggedBy) == ["bob"])
    }
  }

  @Test func `is shown to the moderators of its channel and to the server alone`() async throws {
    try await withDen { host async throws in
      let id = try await flag(host).json(Flag.self).id
      #expect(try await open(host, "?channel=private:den", as: .user("bob")).count == 1)
      let refused = try await host.request(
        "GET", "/v1/flags?channel=private:den", as: .user("alice"))
      #expect(refused.status == 403)
      let all = try await host.request("GET", "/v1/flags", as: .user("bob"))
      #expect(all.problem?.errors?.map(\.pointer) == ["/query/channel"])
      let settled = try await host.request(
        "POST", "/v1/flags/\(id)/resolve", body: #"{"action":"dismiss"}"#, as: .user("alice"))
      #expect(settled.status == 404)
    }
  }

  @Test(arguments: ["dismiss", "delete_message", "ban_author"])
  func `is settled once, with the others of its message`(_ action: String) async throws {
    try await withDen { host async throws in
      let id = try await flag(host).json(Flag.self).id
      _ = try await flag(host, as: .user("bob"))
      func settle() async throws -> TestReply {
        try await host.request(
          "POST", "/v1/flags/\(id)/resolve", body: #"{"action":"\#(action)","seconds":60}"#,
          as: .user("bob"))
      }
      let settled = try await settle()
      #expect(settled.status == 200)
      let seen: Flag = try settled.json()
      #expect(seen.action?.rawValue == action && seen.resolvedBy == "bob")
      #expect(try await host.events.last?.type == "chat.flag.resolved")
      #expect(try await open(host).isEmpty)
      #expect(try await open(host, "?status=resolved").count == 2)
      #expect(try await settle().status == 409)
      let message = try await host.request("GET", "/v1/messages/m1", as: .user("alice"))
      #expect(message.status == (action == "delete_message" ? 404 : 200))
      let said = try await host.send("x", to: "private/den", as: .user("carol"))
      #expect(said.status == (action == "ban_author" ? 403 : 201))
    }
  }

  @Test func `of a message that is gone is settled all the same`() async throws {
    try await withDen { host async throws in
      let id = try await flag(host).json(Flag.self).id
      _ = try await host.request("DELETE", "/v1/messages/m1", as: .user("carol"))
      let settled = try await host.request(
        "POST", "/v1/flags/\(id)/resolve", body: #"{"action":"delete_message"}"#, as: .key())
      #expect(settled.status == 200)
      #expect(try settled.json(Flag.self).text == nil)
    }
  }

  @Test func `is one of ten thousand that wait at most`() async throws {
    try await withDen { host async throws in
      _ = try await host.execute(
        """
        INSERT INTO chat_flags (id, message, type, channel, author, flagged_by, created_at)
        WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000)
        SELECT 'f' || i, 'x' || i, 'private', 'other', 'eve', 'bob', 0 FROM n
        """)
      #expect(try await flag(host).problem?.code == "quota_exceeded")
      _ = try await host.execute("UPDATE chat_flags SET resolved_at = 1 WHERE id = 'f1'")
      #expect(try await flag(host).status == 201)
    }
  }
}
