import PluginKit
import PluginTesting
import Testing

@testable import ChatPlugin

private struct Mark: Decodable {
  let messageID: String
  let unread: Int

  private enum CodingKeys: String, CodingKey {
    case messageID = "message_id"
    case unread
  }
}

extension TestHost {
  fileprivate func read(
    _ id: String, in channel: String = "messaging/general", _ more: String = "",
    as principal: Principal = .user("alice")
  ) async throws -> TestReply {
    try await request(
      "POST", "/v1/channels/\(channel)/read", body: #"{"message_id":"\#(id)"\#(more)}"#,
      as: principal)
  }

  fileprivate func unread(_ query: String = "", as principal: Principal = .user("alice"))
    async throws
    -> TestReply
  {
    try await request("GET", "/v1/unread\(query)", as: principal)
  }

  /// What users were told of what they have not read: the channel, and the data.
  fileprivate var told: [String] {
    get async throws {
      try await published.filter { $0.type == "chat.unread" }.map {
        "\($0.channel ?? "") \($0.data.text)"
      }
    }
  }
}

@Suite struct `Reading a channel` {
  @Test func `moves the mark on, and never back`() async throws {
    try await withChat { host async throws in
      for number in 1...4 { try await host.send("\(number)", id: "m\(number)") }
      let second = try await host.read("m2")
      #expect(second.status == 200)
      #expect(
        second.text
          == #"{"channel":"messaging:general","user_id":"alice","message_id":"m2","#
          + #""read_at":"2026-01-01T00:00:00.000Z","unread":2}"#)
      let event = try #require(
        try await host.published.first { $0.type == "chat.read" })
      #expect(event.channel == "chat:messaging:general")
      #expect(
        event.data.text
          == #"{"channel":"messaging:general","user_id":"alice","message_id":"m2","read_at":"2026-01-01T00:00:00.000Z"}"#
      )
      #expect(try await host.read("m1").text == second.text)
      #expect(try await host.read("m2").text == second.text)
      #expect(try await host.published.filter { $0.type == "chat.read" }.count == 1)
      // It takes no place in the channel's history.
      #expect(try await host.events.allSatisfy { $0.type == "chat.message.created" })
      #expect(try await host.read("m4").json(Mark.self).unread == 0)
      // What one has written oneself is not unread, and what is gone is not either.
      try await host.send("mine", id: "m5", as: .user("alice"))
      try await host.send("5", id: "m6")
      try await host.send("6", id: "m7")
      #expect(try await host.request("DELETE", "/v1/messages/m6", as: .user("bob")).status == 204)
      #expect(try await host.read("m4").json(Mark.self).unread == 1)
    }
  }

  @Test func `is refused for what is not there, and for others`() async throws {
    try await withChat { host async throws in
      try await host.send("1", id: "m1")
      try await host.create(#"{"type":"private","id":"p","members":["bob"]}"#)
      try await host.send("2", id: "m2", to: "private/p")
      let unknown = try await host.read("none")
      #expect(unknown.status == 400 && unknown.text.contains(#""pointer":"/message_id""#))
      #expect(try await host.read("m2").status == 400)
      #expect(try await host.read("m2", in: "private/p").status == 403)
      #expect(try await host.read("m2", in: "private/q").status == 404)
      #expect(try await host.read("m1", #","user_id":"bob""#).status == 403)
      #expect(try await host.read("m1", as: .key()).status == 400)
      #expect(try await host.read("m1", #","user_id":"carol""#, as: .key()).status == 200)
    }
  }

  @Test func `leaves members with counts, which they are told as messages come`() async throws {
    try await withChat { host async throws in
      try await host.create(#"{"type":"private","id":"p","members":["alice","carol"]}"#)
      try await host.send("1", id: "m1", to: "private/p")
      try await host.settle()
      #expect(
        try await host.told == [
          ##"#alice {"channel":"private:p","unread":1}"##,
          ##"#carol {"channel":"private:p","unread":1}"##,
        ])
      #expect(try await host.read("m1", in: "private/p").status == 200)
      #expect(
        try await host.told.last
          == ##"#alice {"channel":"private:p","unread":0,"message_id":"m1"}"##)
      for number in 2...3 { try await host.send("\(number)", id: "m\(number)", to: "private/p") }
      #expect(
        try await host.unread().text
          == #"{"data":[{"channel":"private:p","unread":2,"message_id":"m1"}],"next":null}"#)
      #expect(
        try await host.unread("?user_id=carol", as: .key()).text
          == #"{"data":[{"channel":"private:p","unread":3}],"next":null}"#)
      #expect(try await host.unread("?user_id=carol").status == 403)
      #expect(try await host.unread(as: .key()).status == 400)
      #expect(try await host.unread(as: .user("bob")).text == #"{"data":[],"next":null}"#)
    }
  }

  @Test func `begins for a new member with what comes after him`() async throws {
    try await withChat { host async throws in
      try await host.create(#"{"type":"private","id":"p","members":["bob"]}"#)
      for number in 1...3 { try await host.send("\(number)", id: "m\(number)", to: "private/p") }
      let added = try await host.request(
        "POST", "/v1/channels/private/p/members", body: #"{"members":["alice"]}"#, as: .user("bob"))
      #expect(added.status == 200)
      #expect(try await host.unread().text == #"{"data":[],"next":null}"#)
      try await host.send("4", id: "m4", to: "private/p")
      #expect(try await host.unread().text.contains(#""unread":1"#))
    }
  }

  @Test func `is told to every author among several, and with the last count`() async throws {
    try await withChat { host async throws in
      try await host.create(
        #"{"type":"private","id":"p","members":["alice","bob","carol"]}"#, as: .key())
      var pending: [PendingReply] = []
      for number in 1...20 {
        for user in ["alice", "carol"] {
          pending.append(
            try await host.begin(
              "POST", "/v1/channels/private/p/messages", body: #"{"text":"\#(number)"}"#,
              as: .user(user)))
        }
      }
      for reply in pending { #expect(try await reply.reply().status == 201) }
      try await host.breathe()
      let told = try await host.told
      for (user, unread) in [("alice", 20), ("bob", 40), ("carol", 20)] {
        #expect(
          told.last { $0.hasPrefix("#\(user) ") }
            == ##"#\##(user) {"channel":"private:p","unread":\##(unread)}"##)
      }
    }
  }

  @Test func `is told together where much is said at once`() async throws {
    try await withChat { host async throws in
      try await host.create(#"{"type":"private","id":"p","members":["alice"]}"#)
      for number in 1...20 { try await host.send("\(number)", to: "private/p") }
      try await host.breathe()
      let told = try await host.told
      #expect(told.count <= 2 && told.last == ##"#alice {"channel":"private:p","unread":20}"##)
    }
  }

  @Test func `is told with the mark when a role is changed`() async throws {
    try await withChat { host async throws in
      try await host.create(#"{"type":"private","id":"p","members":["alice"]}"#)
      try await host.send("1", id: "m1", to: "private/p")
      #expect(try await host.read("m1", in: "private/p").status == 200)
      try await host.breathe()
      let changed = try await host.request(
        "PATCH", "/v1/channels/private/p/members/alice", body: #"{"role":"moderator"}"#, as: .key())
      #expect(changed.status == 200)
      try await host.breathe()
      #expect(
        try await host.told.last
          == ##"#alice {"channel":"private:p","unread":0,"message_id":"m1"}"##)
    }
  }

  @Test func `begins for members from before there were marks with what comes after the upgrade`()
    async throws
  {
    var manifest = try TestManifest(file: "Plugins/chat/plugin.json")
    manifest.migrations.insert(
      TestManifest.Migration(
        name: "backlog",
        sql: """
          INSERT INTO chat_channels (type, id, data, created_at, last_seq)
          VALUES ('private', 'p', '{}', 1, 2);
          INSERT INTO chat_members (type, channel, user_id, created_at)
          VALUES ('private', 'p', 'alice', 1), ('private', 'p', 'bob', 1), ('private', 'lost', 'alice', 1);
          INSERT INTO chat_messages (id, type, channel, seq, user_id, text, created_at)
          VALUES ('m1', 'private', 'p', 1, 'bob', '1', 1), ('m2', 'private', 'p', 2, 'bob', '2', 1);
          """), at: 1)
    let host = try await TestHost(Chat.self, manifest, config: bothTypes)
    #expect(try await host.unread().text == #"{"data":[],"next":null}"#)
    try await host.send("3", id: "m3", to: "private/p")
    #expect(
      try await host.unread().text
        == #"{"data":[{"channel":"private:p","unread":1}],"next":null}"#)
    try await host.close()
  }

  @Test func `is listed in pages`() async throws {
    try await withChat { host async throws in
      for number in 1...5 {
        try await host.create(#"{"type":"private","id":"p\#(number)","members":["alice"]}"#)
        if number != 3 { try await host.send("x", to: "private/p\(number)") }
      }
      struct View: Decodable { let channel: String }
      let first: ListPage<View> = try await host.unread("?limit=2").json()
      #expect(first.data.map(\.channel) == ["private:p1", "private:p2"])
      let next = try #require(first.next)
      let second: ListPage<View> = try await host.unread("?limit=2&after=\(next)").json()
      #expect(second.data.map(\.channel) == ["private:p4", "private:p5"] && second.next == nil)
    }
  }

  @Test func `is told to nobody in a channel with very many members`() async throws {
    try await withChat { host async throws in
      let members = (0..<ChatShard.audience).map { "\"u\($0)\"" }.joined(separator: ",")
      try await host.create(#"{"type":"private","id":"p","members":[\#(members)]}"#, as: .key())
      try await host.send("1", to: "private/p", as: .user("u0"))
      try await host.breathe()
      #expect(try await host.told.count == ChatShard.audience - 1)
      _ = try await host.request(
        "POST", "/v1/channels/private/p/members", body: #"{"members":["more"]}"#, as: .user("u0"))
      try await host.send("2", to: "private/p", as: .user("u0"))
      try await host.breathe()
      #expect(try await host.told.count == ChatShard.audience - 1)
    }
  }
}
