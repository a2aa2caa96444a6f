import PluginKit
import PluginTesting
import Testing

@testable import ChatPlugin

@Suite struct `Channels` {
  @Test func `are made once and found afterwards`() async throws {
    try await withChat { host async throws in
      let body = #"{"type":"private","id":"den","members":["carol","bob"],"data":{ "n": 1 }}"#
      let made = try await host.create(body)
      #expect(made.status == 201)
      let channel: ChannelView = try made.json()
      #expect(channel.channel == "private:den")
      #expect(channel.createdBy == "bob")
      #expect(channel.data.text == #"{ "n": 1 }"#)
      #expect(channel.members == ["bob", "carol"])
      let again = try await host.create(
        #"{"type":"private","id":"den","members":["eve"],"data":{}}"#)
      #expect(again.status == 200)
      #expect(again.text == made.text)
      let read = try await host.request("GET", "/v1/channels/private/den", as: .user("carol"))
      #expect(read.text == made.text)
    }
  }

  @Test func `are made once, also when many want the same at once`() async throws {
    try await withChat { host async throws in
      var made = 0
      try await withThrowingTaskGroup(of: Int.self) { group in
        for _ in 0..<16 {
          group.addTask {
            try await host.create(#"{"type":"private","id":"den"}"#).status
          }
        }
        for try await status in group {
          #expect(status == 200 || status == 201)
          if status == 201 { made += 1 }
        }
      }
      #expect(made == 1)
    }
  }

  @Test func `get an id when they are given none`() async throws {
    try await withChat { host async throws in
      let reply = try await host.create(#"{"type":"messaging"}"#, as: .key())
      #expect(reply.status == 201)
      let channel: ChannelView = try reply.json()
      #expect(channel.channel.hasPrefix("messaging:chn_"))
      #expect(channel.createdBy == nil)
      #expect(channel.members == [])
    }
  }

  @Test func `of an unknown type, or with an id that is none, are refused`() async throws {
    try await withChat { host async throws in
      #expect(try await host.create(#"{"type":"team"}"#).status == 404)
      let reply = try await host.create(#"{"type":"messaging","id":"a b"}"#)
      #expect(reply.status == 400)
      #expect(reply.problem?.errors?.map(\.pointer) == ["/id"])
    }
  }

  @Test func `that are closed are shown to members alone`() async throws {
    try await withChat { host async throws in
      let body = #"{"type":"private","id":"den"}"#
      try await host.create(body)
      #expect(try await host.create(body, as: .user("eve")).status == 403)
      let path = "/v1/channels/private/den"
      #expect(try await host.request("GET", path, as: .user("eve")).status == 403)
      #expect(try await host.request("GET", path, as: .key()).status == 200)
      #expect(
        try await host.request("GET", "/v1/channels/private/other", as: .user("eve")).status == 404)
    }
  }

  @Test func `take members from members, and users who come by themselves if they are open`()
    async throws
  {
    try await withChat { host async throws in
      func add(_ user: String, to channel: String, as principal: Principal) async throws
        -> TestReply
      {
        try await host.request(
          "POST", "/v1/channels/\(channel)/members", body: #"{"members":["\#(user)"]}"#,
          as: principal)
      }
      try await host.create(#"{"type":"private","id":"den"}"#)
      try await host.create(#"{"type":"messaging","id":"hall"}"#, as: .key())
      #expect(try await add("eve", to: "private/den", as: .user("eve")).status == 403)
      let added = try await add("carol", to: "private/den", as: .user("bob"))
      #expect(added.status == 200)
      #expect(try added.json(ChannelView.self).members == ["bob", "carol"])
      #expect(try await add("carol", to: "private/den", as: .user("bob")).text == added.text)
      #expect(try await add("eve", to: "messaging/hall", as: .user("bob")).status == 403)
      #expect(try await add("bob", to: "messaging/hall", as: .user("bob")).status == 200)
      #expect(try await add("eve", to: "messaging/hall", as: .user("bob")).status == 200)
      #expect(try await add("dave", to: "messaging/hall", as: .key()).status == 200)
      #expect(try await add("bob", to: "messaging/none", as: .user("bob")).status == 404)
    }
  }

  @Test func `are listed page by page`() async throws {
    try await withChat { host async throws in
      for id in ["a", "b", "c", "d"] {
        try await host.create(#"{"type":"messaging","id":"\#(id)","members":["bob"]}"#, as: .key())
      }
      try await host.create(#"{"type":"private","id":"x"}"#, as: .user("alice"))
      func list(_ query: String, _ principal: Principal) async throws -> ListPage<ChannelView> {
        try await host.request("GET", "/v1/channels\(query)", as: principal).json()
      }
      let all = try await list("", .key())
      #expect(
        all.data.map(\.channel)
          == ["messaging:a", "messaging:b", "messaging:c", "messaging:d", "private:x"])
      #expect(all.data.allSatisfy { $0.members == nil && $0.memberCount == 1 })
      let first = try await list("?limit=3", .user("bob"))
      #expect(first.data.map(\.channel) == ["messaging:a", "messaging:b", "messaging:c"])
      let second = try await list("?limit=3&after=\(try #require(first.next))", .user("bob"))
      #expect(second.data.map(\.channel) == ["messaging:d"])
      #expect(second.next == nil)
      #expect(try await list("?member=alice", .key()).data.map(\.channel) == ["private:x"])
      #expect(try await list("?member=alice", .user("alice")).data.count == 1)
      let foreign = try await host.request("GET", "/v1/channels?member=alice", as: .user("bob"))
      #expect(foreign.status == 403)
      let broken = try await host.request("GET", "/v1/channels?after=x", as: .key())
      #expect(broken.problem?.errors?.map(\.pointer) == ["/query/after"])
    }
  }
}

@Suite struct `The settings of chat` {
  @Test func `refuse a name that is no type's`() async throws {
    await #expect {
      try await withChat(#"{"types":{"Team":{"open":true}}}"#) { _ in }
    } throws: { ($0 as? ConfigurationError)?.pointer == "/types/Team" }
  }

  @Test func `close a type unless they open it`() async throws {
    try await withChat(#"{"types":{"team":{}}}"#) { host async throws in
      #expect(try await host.send("x", to: "team/a").status == 404)
    }
  }
}

@Suite struct `The place of a channel's events` {
  private struct Place: Decodable, Equatable {
    let offset: UInt64
    let epoch: String
  }

  private struct Listed: Decodable {
    let channel: String
    let lastMessage: Said?

    enum CodingKeys: String, CodingKey {
      case channel
      case lastMessage = "last_message"
    }
  }

  @Test func `is told with it, and with each page of its messages`() async throws {
    try await withChat { host async throws in
      let made = try await host.create(#"{"type":"messaging","id":"general"}"#)
      #expect(try made.json(Place.self).offset == 0)
      try await host.send("one", id: "m1")
      try await host.reply("two", to: "m1", as: .user("alice"))
      let place = Place(offset: 2, epoch: try made.json(Place.self).epoch)
      for path in [
        "/v1/channels/messaging/general", "/v1/channels/messaging/general/messages?limit=1",
        "/v1/channels/messaging/general/messages?around=m1", "/v1/messages/m1/replies",
      ] {
        let answer = try await host.request("GET", path, as: .user("alice"))
        #expect(try answer.json(Place.self) == place, "\(path)")
      }
    }
  }

  @Test func `is not that of the newest message, which lists have`() async throws {
    try await withChat { host async throws in
      for id in ["a", "b"] {
        try await host.create(#"{"type":"private","id":"\#(id)","members":["alice"]}"#)
      }
      try await host.send("one", id: "m1", to: "private/a")
      try await host.send("two", id: "m2", to: "private/a")
      try await host.reply("three", to: "m1", in: "private/a", as: .user("alice"))
      let alice = Principal(
        kind: .user, id: "alice", scopes: ["channels.read", "messages.read"])
      for principal in [alice, .key()] {
        let listed = try await host.request("GET", "/v1/channels", as: principal)
          .json(ListPage<Listed>.self).data
        #expect(listed.map(\.channel) == ["private:a", "private:b"])
        #expect(listed.map(\.lastMessage?.id) == ["m2", nil])
      }
      _ = try await host.request("DELETE", "/v1/messages/m2", as: .user("bob"))
      let listed = try await host.request("GET", "/v1/channels", as: alice)
        .json(ListPage<Listed>.self).data
      #expect(listed.map(\.lastMessage?.id) == ["m1", nil])
      // Who may not read messages is not shown them here either.
      for principal in [
        Principal(kind: .user, id: "alice", scopes: ["channels.read"]),
        .key(scopes: ["channels.read"]),
      ] {
        let listed = try await host.request("GET", "/v1/channels", as: principal)
          .json(ListPage<Listed>.self).data
        #expect(listed.map(\.lastMessage?.id) == [nil, nil])
      }
    }
  }
}
