import PluginKit
import PluginTesting
import Testing

@testable import ChatPlugin

private struct Answer: Decodable {
  struct Channel: Decodable {
    let channel: String
    let state: String
    let events: [RawJSON]?
    let offset: UInt64?
    let epoch: String?
    let more: Bool?
    let unread: Int?
  }

  struct Joined: Decodable {
    let channel: ChannelView
    let offset: UInt64
    let unread: Int
  }

  let channels: [Channel]
  let more: Bool
  let joined: ListPage<Joined>
  let mentions: ListPage<Said>

  /// Each of them in a word or two.
  var told: [String] {
    channels.map {
      "\($0.channel) \($0.state) \($0.events?.count ?? 0)\($0.more == true ? " and more" : "")"
    }
  }
}

extension TestHost {
  fileprivate func sync(
    _ body: String = "{}", as principal: Principal = .user("alice")
  ) async throws -> Answer {
    let reply = try await request("POST", "/v1/sync", body: body, as: principal)
    #expect(reply.status == 200, "\(reply.text)")
    return try reply.json()
  }

  /// A channel of the client's, as a request names it.
  fileprivate func place(_ channel: String, _ offset: Int) async throws -> String {
    let epoch = try await sync(#"{"channels":[{"channel":"messaging:x","offset":9,"epoch":"-"}]}"#)
      .channels[0].epoch
    return #"{"channel":"\#(channel)","offset":\#(offset),"epoch":"\#(epoch ?? "")"}"#
  }
}

@Suite struct `Bringing a client up to date` {
  @Test func `tells in the order of the channels and ends where there is no more room`()
    async throws
  {
    try await withChat { host async throws in
      for channel in ["a", "b", "c"] {
        for number in 1...4 { try await host.send("\(number)", to: "messaging/\(channel)") }
      }
      let (a, b, c) = (
        try await host.place("messaging:a", 1), try await host.place("chat:messaging:b", 0),
        try await host.place("messaging:c", 4)
      )
      let all = try await host.sync(#"{"channels":[\#(c),\#(b),\#(a)]}"#)
      #expect(
        all.told == [
          "messaging:c recovered 0", "chat:messaging:b recovered 4", "messaging:a recovered 3",
        ])
      #expect(!all.more && all.channels.allSatisfy { $0.offset == 4 })
      let some = try await host.sync(#"{"channels":[\#(a),\#(b),\#(c)],"limit":4}"#)
      #expect(
        some.told == [
          "messaging:a recovered 3", "chat:messaging:b recovered 1 and more",
          "messaging:c recovered 0 and more",
        ])
      #expect(some.more && some.channels.map(\.offset) == [4, 1, 4])
    }
  }

  @Test func `says nothing of channels that are not for the user`() async throws {
    try await withChat { host async throws in
      try await host.create(#"{"type":"private","id":"p","members":["alice","bob"]}"#)
      try await host.create(#"{"type":"private","id":"d","members":["alice","bob"]}"#)
      try await host.send("a secret", to: "private/p")
      _ = try await host.request("DELETE", "/v1/channels/private/d", as: .user("bob"))
      var named: [String] = []
      for name in ["private:p", "private:d", "private:none", "none:x", "messaging:empty"] {
        named.append(try await host.place(name, 0))
      }
      let body = #"{"channels":[\#(named.joined(separator: ","))]}"#
      #expect(
        try await host.sync(body).told == [
          "private:p recovered 1", "private:d gone 0", "private:none gone 0", "none:x gone 0",
          "messaging:empty recovered 0",
        ])
      #expect(
        try await host.sync(body, as: .user("eve")).told.prefix(2) == [
          "private:p gone 0", "private:d gone 0",
        ])
      // A server acts for a user, and sees what that one may see.
      let asEve = body.dropLast() + #","user_id":"eve"}"#
      #expect(
        try await host.sync(String(asEve), as: .key()).told[0] == "private:p gone 0")
      #expect(try await host.request("POST", "/v1/sync", body: "{}", as: .key()).status == 400)
    }
  }

  @Test func `tells where the user has come to be a member, and from where to listen`() async throws
  {
    try await withChat { host async throws in
      try await host.create(#"{"type":"private","id":"p","members":["alice","bob"]}"#)
      try await host.send("1", to: "private/p")
      let joined = try await host.sync().joined
      #expect(joined.data.map(\.channel.channel) == ["private:p"] && joined.next == nil)
      #expect(joined.data[0].offset == 1 && joined.data[0].unread == 1)
      let p = try await host.place("private:p", 1)
      #expect(try await host.sync(#"{"channels":[\#(p)]}"#).joined.data.isEmpty)
      // What was noted shortly before is told again rather than never.
      try await host.advance(milliseconds: Int(ChatShard.margin) + 1_000)
      let since = #""since":"\#(host.now.rfc3339)""#
      #expect(try await host.sync("{\(since)}").joined.data.isEmpty)
      try await host.create(#"{"type":"private","id":"q","members":["alice","bob"]}"#)
      #expect(try await host.sync("{\(since)}").joined.data.map(\.channel.channel) == ["private:q"])
    }
  }

  @Test func `has pages of channels that were not named`() async throws {
    try await withChat { host async throws in
      for number in 100..<205 {
        try await host.create(#"{"type":"private","id":"c\#(number)","members":["alice"]}"#)
      }
      let first = try await host.sync().joined
      #expect(first.data.count == 100)
      let next = try #require(first.next)
      let second = try await host.sync(#"{"joined_after":"\#(next)"}"#).joined
      #expect(second.data.map(\.channel.channel) == (200..<205).map { "private:c\($0)" })
      #expect(second.next == nil)
    }
  }

  @Test func `tells who has mentioned him since, once and while it is there`() async throws {
    try await withChat { host async throws in
      func say(_ id: String, _ more: String = "", in channel: String = "messaging/general")
        async throws
      {
        let reply = try await host.request(
          "POST", "/v1/channels/\(channel)/messages",
          body: #"{"text":"\#(id)","id":"\#(id)","mentions":["alice"]\#(more)}"#, as: .user("bob"))
        #expect(reply.status == 201)
      }
      try await host.create(#"{"type":"private","id":"p"}"#)
      try await say("early")
      try await host.advance(milliseconds: Int(ChatShard.margin) + 1_000)
      let since = #""since":"\#(host.now.rfc3339)""#
      for id in ["z", "deleted", "a"] {
        try await say(id)
        try await host.advance(milliseconds: 5)
      }
      try await say("silent", #","silent":true"#)
      try await say("closed", in: "private/p")
      _ = try await host.request("DELETE", "/v1/messages/deleted", as: .user("bob"))
      // It has mentioned her before.
      _ = try await host.request(
        "PATCH", "/v1/messages/early", body: #"{"mentions":["carol","alice"]}"#, as: .user("bob"))
      #expect(try await host.sync("{\(since)}").mentions.data.map(\.id) == ["z", "a"])
      #expect(try await host.sync().mentions.data.isEmpty)
      #expect(
        try await host.sync("{\(since)}", as: .user("carol")).mentions.data.map(\.id) == ["early"])
      _ = try await host.request(
        "PATCH", "/v1/messages/z", body: #"{"mentions":[]}"#, as: .user("bob"))
      #expect(try await host.sync("{\(since)}").mentions.data.map(\.id) == ["a"])
    }
  }

  @Test func `tells what is missing as it is now`() async throws {
    try await withChat { host async throws in
      try await host.send("a secret", id: "m1")
      try await host.send("for all", id: "m2")
      _ = try await host.request("DELETE", "/v1/messages/m1", as: .user("bob"))
      let general = try await host.place("messaging:general", 0)
      let reply = try await host.request(
        "POST", "/v1/sync", body: #"{"channels":[\#(general)]}"#, as: .user("alice"))
      #expect(!reply.text.contains("secret") && reply.text.contains("for all"))
      _ = try await host.request(
        "PUT", "/v1/bans/bob", body: #"{"shadow":true}"#, as: .key())
      try await host.send("held")
      let again = try await host.request(
        "POST", "/v1/sync", body: #"{"channels":[\#(general)]}"#, as: .user("alice"))
      #expect(!again.text.contains("held"))
    }
  }
}
