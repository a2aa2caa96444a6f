import PluginKit
import PluginTesting
import Testing

@testable import ChatPlugin

private struct Person: Decodable, Equatable {
  let userID: String
  let role: String

  private enum CodingKeys: String, CodingKey {
    case userID = "user_id"
    case role
  }
}

private let path = "/v1/channels/private/den"

/// `private:den` of bob, with alice as a member and mona as a moderator.
private func withDen(
  _ config: RawJSON = bothTypes, _ body: (TestHost) async throws -> Void
) async throws {
  try await withChat(config) { host async throws in
    try await host.create(#"{"type":"private","id":"den","members":["alice","mona"]}"#)
    let role = try await host.request(
      "PATCH", path + "/members/mona", body: #"{"role":"moderator"}"#, as: .user("bob"))
    #expect(role.status == 200)
    try await body(host)
  }
}

private func remove(_ user: String, _ host: TestHost, as principal: Principal) async throws -> Int {
  try await host.request("DELETE", path + "/members?user_id=\(user)", as: principal).status
}

@Suite struct `Members of a channel` {
  @Test func `are listed with their roles, page by page`() async throws {
    try await withDen { host async throws in
      let first: ListPage<Person> = try await host.request(
        "GET", path + "/members?limit=2", as: .user("alice")
      ).json()
      #expect(
        first.data == [
          Person(userID: "alice", role: "member"), Person(userID: "bob", role: "owner"),
        ]
      )
      let second: ListPage<Person> = try await host.request(
        "GET", path + "/members?limit=2&after=\(try #require(first.next))", as: .key()
      ).json()
      #expect(second.data == [Person(userID: "mona", role: "moderator")] && second.next == nil)
      #expect(try await host.request("GET", path + "/members", as: .user("eve")).status == 403)
      let none = try await host.request(
        "GET", "/v1/channels/messaging/none/members", as: .user("eve"))
      #expect(none.status == 404)
    }
  }

  @Test func `who are added hear of it, and those who listen to the channel too`() async throws {
    try await withDen { host async throws in
      let before = try await host.events.count
      let body = #"{"members":["carol","alice"]}"#
      for _ in 0..<2 {
        let reply = try await host.request(
          "POST", path + "/members", body: body, as: .user("alice"))
        #expect(reply.status == 200)
      }
      let events = try await host.events.dropFirst(before)
      #expect(events.map(\.type) == ["chat.member.added"])
      #expect(
        try events.map { try $0.data.decode(Person.self) }
          == [Person(userID: "carol", role: "member")])
      #expect(try await host.told("carol") == ["chat.member.added"])
    }
  }

  @Test func `are no more than the type allows`() async throws {
    let config: RawJSON = #"{"types":{"private":{"max_members":3}}}"#
    try await withDen(config) { host async throws in
      let full = try await host.request(
        "POST", path + "/members", body: #"{"members":["carol"]}"#, as: .user("bob"))
      #expect(full.status == 403 && full.problem?.code == "quota_exceeded")
      let crowd = try await host.create(#"{"type":"private","members":["a","b","c"]}"#)
      #expect(crowd.problem?.code == "quota_exceeded")
      #expect(try await remove("alice", host, as: .user("bob")) == 204)
      let added = try await host.request(
        "POST", path + "/members", body: #"{"members":["carol"]}"#, as: .user("bob"))
      #expect(added.status == 200)
    }
  }

  @Test func `are removed by moderators, who do not remove each other`() async throws {
    try await withDen { host async throws in
      #expect(try await remove("mona", host, as: .user("alice")) == 403)
      #expect(try await remove("bob", host, as: .user("mona")) == 403)
      #expect(try await remove("eve", host, as: .user("mona")) == 404)
      #expect(try await remove("alice", host, as: .user("mona")) == 204)
      #expect(try await remove("mona", host, as: .user("bob")) == 204)
      #expect(try await remove("bob", host, as: .key()) == 204)
      #expect(try await host.execute("SELECT user_id FROM chat_members").isEmpty)
      let nobody = try await host.request("DELETE", path + "/members", as: .key())
      #expect(nobody.problem?.errors?.map(\.pointer) == ["/query/user_id"])
    }
  }

  @Test func `who are removed hear of it, and hear the channel no more`() async throws {
    try await withDen { host async throws in
      #expect(try await remove("alice", host, as: .user("mona")) == 204)
      let event = try #require(try await host.events.last)
      #expect(event.type == "chat.member.removed")
      #expect(
        event.data.text == #"{"channel":"private:den","user_id":"alice","removed_by":"mona"}"#)
      #expect(try await host.told("alice").last == "chat.member.removed")
      #expect(try await host.ended == [#"{"channel":"chat:private:den","user":"alice"}"#])
      #expect(try await host.send("x", to: "private/den", as: .user("alice")).status == 403)
    }
  }

  @Test func `may leave, and begin anew when they come back`() async throws {
    try await withDen { host async throws in
      try await host.send("one", id: "m1", to: "private/den")
      _ = try await host.request(
        "POST", path + "/read", body: #"{"message_id":"m1"}"#, as: .user("alice"))
      #expect(try await remove("alice", host, as: .user("alice")) == 204)
      try await host.send("two", to: "private/den")
      _ = try await host.request(
        "POST", path + "/members", body: #"{"members":["alice"]}"#, as: .user("bob"))
      let unread = try await host.request("GET", "/v1/unread", as: .user("alice"))
      #expect(unread.text == #"{"data":[],"next":null}"#)
      #expect(try await remove("eve", host, as: .user("eve")) == 403)
    }
  }

  @Test func `of an open channel who leave may go on listening`() async throws {
    try await withDen { host async throws in
      try await host.create(#"{"type":"messaging","id":"hall"}"#)
      let left = try await host.request(
        "DELETE", "/v1/channels/messaging/hall/members?user_id=bob", as: .user("bob"))
      #expect(left.status == 204)
      #expect(try await host.ended.isEmpty)
    }
  }

  @Test func `are given roles by an owner, and only those that there are`() async throws {
    let config: RawJSON = #"""
      {"types":{"private":{"grants":{"guest":[],"scribe":["read_channel","update_members"]}}}}
      """#
    try await withDen(config) { host async throws in
      func give(_ role: String, _ user: String, as giver: Principal) async throws -> TestReply {
        try await host.request(
          "PATCH", path + "/members/\(user)", body: #"{"role":"\#(role)"}"#, as: giver)
      }
      let unknown = try await give("boss", "alice", as: .user("bob"))
      #expect(unknown.status == 400)
      #expect(
        unknown.problem?.detail
          == "Channels of the type \"private\" have the roles: guest, member, moderator, owner, scribe."
      )
      #expect(try await give("user", "alice", as: .user("bob")).status == 400)
      #expect(try await give("scribe", "alice", as: .user("mona")).status == 403)
      let given = try await give("scribe", "alice", as: .user("bob"))
      #expect(try given.json(Person.self) == Person(userID: "alice", role: "scribe"))
      #expect(try await host.events.last?.type == "chat.member.updated")
      #expect(try await host.told("alice").last == "chat.member.updated")
      // Whoever may give roles does not thereby become an owner, nor unmake one.
      #expect(try await give("owner", "alice", as: .user("alice")).status == 403)
      #expect(try await give("member", "bob", as: .user("alice")).status == 403)
      #expect(try await give("guest", "eve", as: .user("bob")).status == 404)
      #expect(try await host.ended.isEmpty)
      #expect(try await give("guest", "alice", as: .user("bob")).status == 200)
      #expect(try await host.ended == [#"{"channel":"chat:private:den","user":"alice"}"#])
      host.interpose("UPDATE chat_members SET role = 'member' WHERE user_id = 'bob'")
      #expect(try await give("member", "alice", as: .user("bob")).status == 403)
    }
  }

  @Test func `are not removed by who has lost the right meanwhile`() async throws {
    try await withDen { host async throws in
      host.interpose("UPDATE chat_members SET role = 'member' WHERE user_id = 'mona'")
      #expect(try await remove("alice", host, as: .user("mona")) == 403)
      host.interpose("UPDATE chat_channels SET deleted_at = 1")
      let added = try await host.request(
        "POST", path + "/members", body: #"{"members":["carol"]}"#, as: .key())
      #expect(added.status == 404)
      #expect(try await host.execute("SELECT count(*) FROM chat_members") == [["3"]])
    }
  }
}

@Suite struct `Invitations` {
  private func invite(_ user: String, _ host: TestHost, as principal: Principal = .user("alice"))
    async throws -> TestReply
  {
    try await host.request(
      "POST", path + "/invitations", body: #"{"members":["\#(user)"]}"#, as: principal)
  }

  @Test func `make a member of who accepts, once`() async throws {
    try await withDen { host async throws in
      let reply = try await invite("carol", host)
      #expect(reply.status == 200)
      #expect(
        reply.text
          == #"{"data":[{"channel":"private:den","user_id":"carol","invited_by":"alice","#
          + #""created_at":"2026-01-01T00:00:00.000Z"}],"next":null}"#)
      #expect(try await host.told("carol") == ["chat.invitation.created"])
      #expect(try await invite("carol", host).text == #"{"data":[],"next":null}"#)
      #expect(try await invite("bob", host).text == #"{"data":[],"next":null}"#)
      let mine = try await host.request("GET", "/v1/invitations", as: .user("carol"))
      #expect(mine.text == reply.text)
      let open = try await host.request("GET", path + "/invitations", as: .user("alice"))
      #expect(open.text == reply.text)
      // Until then the channel is closed to him.
      #expect(try await host.list(of: "private/den", as: .user("carol")).status == 403)
      let accepted = try await host.request(
        "POST", path + "/invitations/accept", as: .user("carol"))
      #expect(accepted.status == 200)
      #expect(try accepted.json(ChannelView.self).members == ["alice", "bob", "carol", "mona"])
      #expect(try await host.events.last?.type == "chat.member.added")
      let again = try await host.request("POST", path + "/invitations/accept", as: .user("carol"))
      #expect(again.status == 404)
    }
  }

  @Test func `are for those who may invite, and can be turned down`() async throws {
    try await withDen { host async throws in
      #expect(try await invite("carol", host, as: .user("eve")).status == 403)
      #expect(try await host.request("GET", path + "/invitations", as: .user("eve")).status == 403)
      #expect(try await invite("carol", host, as: .key()).status == 200)
      let foreign = try await host.request(
        "GET", "/v1/invitations?user_id=carol", as: .user("eve"))
      #expect(foreign.status == 403)
      let rejected = try await host.request(
        "POST", path + "/invitations/reject", body: #"{"user_id":"carol"}"#, as: .key())
      #expect(rejected.status == 204)
      #expect(try await host.events.last?.type == "chat.invitation.rejected")
      #expect(
        try await host.request("POST", path + "/invitations/accept", as: .user("carol")).status
          == 404)
    }
  }

  @Test func `do not lead past a ban, a full channel or a deletion`() async throws {
    let config: RawJSON = #"{"types":{"private":{"max_members":3}}}"#
    try await withDen(config) { host async throws in
      #expect(try await invite("carol", host).status == 200)
      func accept() async throws -> TestReply {
        try await host.request("POST", path + "/invitations/accept", as: .user("carol"))
      }
      #expect(try await accept().problem?.code == "quota_exceeded")
      _ = try await host.execute(
        """
        INSERT INTO chat_bans (user_id, type, channel, shadow, created_at)
        VALUES ('carol', 'private', 'den', 0, 0)
        """)
      #expect(try await accept().problem?.code == "forbidden")
      _ = try await host.execute("DELETE FROM chat_bans")
      host.interpose("UPDATE chat_channels SET deleted_at = 1")
      #expect(try await accept().status == 404)
    }
  }
}

@Suite struct `A member's own list` {
  private struct Own: Decodable {
    struct Membership: Decodable {
      let hidden: Bool
      let pinnedAt: String?
      let archivedAt: String?

      private enum CodingKeys: String, CodingKey {
        case hidden
        case pinnedAt = "pinned_at"
        case archivedAt = "archived_at"
      }
    }
    let channel: String
    let membership: Membership?
  }

  private func list(_ query: String, _ host: TestHost, as user: String = "bob") async throws
    -> ListPage<Own>
  {
    try await host.request("GET", "/v1/channels\(query)", as: .user(user)).json()
  }

  private func set(_ body: String, of channel: String, _ host: TestHost) async throws -> TestReply {
    try await host.request(
      "PATCH", "/v1/channels/private/\(channel)/membership", body: body, as: .user("bob"))
  }

  @Test func `leaves out what he has hidden, until something is said there`() async throws {
    try await withChat { host async throws in
      for id in ["a", "b"] {
        try await host.create(#"{"type":"private","id":"\#(id)","members":["alice"]}"#)
      }
      let hidden = try await set(#"{"hidden":true}"#, of: "a", host)
      #expect(hidden.status == 200)
      #expect(try hidden.json(Own.Membership.self).hidden)
      #expect(try await host.told("bob").last == "chat.membership.updated")
      #expect(try await list("", host).data.map(\.channel) == ["private:b"])
      #expect(try await list("?hidden=true", host).data.map(\.channel) == ["private:a"])
      #expect(try await list("", host, as: "alice").data.count == 2)
      try await host.send("hello", to: "private/a", as: .user("alice"))
      #expect(try await list("", host).data.map(\.channel) == ["private:a", "private:b"])
      _ = try await set(#"{"hidden":true}"#, of: "a", host)
      #expect(try await set(#"{"hidden":false}"#, of: "a", host).status == 200)
      #expect(try await list("", host).data.count == 2)
    }
  }

  @Test func `knows what he has archived and pinned, and nobody else does`() async throws {
    try await withChat { host async throws in
      for id in ["a", "b"] {
        try await host.create(#"{"type":"private","id":"\#(id)","members":["alice"]}"#)
      }
      #expect(try await set(#"{"pinned":true}"#, of: "a", host).status == 200)
      #expect(try await set(#"{"archived":true}"#, of: "b", host).status == 200)
      // The one does not touch the other.
      #expect(try await set(#"{"archived":true}"#, of: "a", host).status == 200)
      let all = try await list("", host).data.map { $0.membership }
      #expect(all.map { $0?.pinnedAt != nil } == [true, false])
      #expect(all.map { $0?.archivedAt != nil } == [true, true])
      #expect(try await list("?pinned=true", host).data.map(\.channel) == ["private:a"])
      #expect(try await list("?archived=false", host).data.isEmpty)
      #expect(try await list("?pinned=true", host, as: "alice").data.isEmpty)
      #expect(try await set(#"{"pinned":false}"#, of: "a", host).status == 200)
      #expect(try await list("?pinned=true", host).data.isEmpty)
      #expect(try await set(#"{"pinned":true}"#, of: "c", host).status == 404)
      #expect(try await set("{}", of: "a", host).status == 400)
      let stranger = try await host.request(
        "PATCH", "/v1/channels/private/a/membership", body: #"{"pinned":true}"#, as: .user("eve"))
      #expect(stranger.status == 404)
      let server = try await host.request(
        "GET", "/v1/channels?pinned=true", as: .key())
      #expect(server.problem?.errors?.map(\.pointer) == ["/query/pinned"])
    }
  }

  @Test func `has no more pinned than there is room for`() async throws {
    try await withChat { host async throws in
      try await host.create(#"{"type":"private","id":"a"}"#)
      _ = try await host.execute(
        """
        INSERT INTO chat_members (type, channel, user_id, created_at, pinned_at)
        WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100)
        SELECT 'private', 'x' || i, 'bob', 0, 1 FROM n
        """)
      let reply = try await set(#"{"pinned":true}"#, of: "a", host)
      #expect(reply.status == 403 && reply.problem?.code == "quota_exceeded")
      #expect(try await set(#"{"archived":true}"#, of: "a", host).status == 200)
    }
  }

  @Test func `can have the channel with the newest message first, page by page`() async throws {
    try await withChat { host async throws in
      for id in ["a", "b", "c", "d"] { try await host.create(#"{"type":"private","id":"\#(id)"}"#) }
      for id in ["b", "d", "a"] {
        try await host.advance(milliseconds: 1_000)
        try await host.send("x", to: "private/\(id)")
      }
      let query = "?sort=last_message&limit=2"
      let first = try await list(query, host)
      #expect(first.data.map(\.channel) == ["private:a", "private:d"])
      // What is said meanwhile moves nothing of the pages that follow.
      try await host.send("x", to: "private/a")
      let second = try await list("\(query)&after=\(try #require(first.next))", host)
      #expect(second.data.map(\.channel) == ["private:b", "private:c"] && second.next == nil)
      for after in ["x", "1:private", "private:a"] {
        let broken = try await host.request(
          "GET", "/v1/channels\(query)&after=\(after)", as: .user("bob"))
        #expect(broken.problem?.errors?.map(\.pointer) == ["/query/after"], "\(after)")
      }
    }
  }

  @Test func `of channels that began together is in the order of their ids`() async throws {
    try await withChat { host async throws in
      for id in ["a", "b", "c"] { try await host.create(#"{"type":"private","id":"\#(id)"}"#) }
      let first = try await list("?sort=last_message&limit=1", host)
      let second = try await list(
        "?sort=last_message&limit=1&after=\(try #require(first.next))", host)
      let third = try await list(
        "?sort=last_message&limit=1&after=\(try #require(second.next))", host)
      #expect(
        [first, second, third].flatMap { $0.data.map(\.channel) }
          == ["private:a", "private:b", "private:c"])
      #expect(third.next == nil)
    }
  }
}
