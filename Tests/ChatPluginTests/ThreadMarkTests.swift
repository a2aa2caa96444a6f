import PluginKit
import PluginTesting
import Testing

@testable import ChatPlugin

extension TestHost {
  fileprivate func threads(_ query: String = "", as principal: Principal = .user("alice"))
    async throws -> TestReply
  {
    try await request("GET", "/v1/threads\(query)", as: principal)
  }

  fileprivate func readThread(
    _ parent: String, _ body: String = "", as principal: Principal = .user("alice")
  ) async throws -> TestReply {
    try await request("POST", "/v1/messages/\(parent)/thread/read", body: body, as: principal)
  }

  fileprivate func unread(as user: String) async throws -> [String: Int] {
    let page: ListPage<Listed> = try await threads(as: .user(user)).json()
    return Dictionary(uniqueKeysWithValues: page.data.map { ($0.message.id, $0.unread) })
  }

  /// What users were told of threads that they have not read: the channel, and the data.
  fileprivate var told: [String] {
    get async throws {
      try await breathe()
      return try await published.filter { $0.type == "chat.thread.unread" }.map {
        "\($0.channel ?? "") \($0.data.text)"
      }
    }
  }
}

private struct Listed: Decodable {
  let message: Said
  let unread: Int
}

@Suite struct `The threads of a user` {
  @Test func `are those that he began, has replied to or is mentioned in`() async throws {
    try await withChat { host async throws in
      for number in 1...5 { try await host.send("topic", id: "m\(number)", as: .user("bob")) }
      try await host.post(#"{"text":"x","id":"m6","mentions":["dora"]}"#)
      try await host.reply("r1", to: "m1", as: .user("alice"))
      try await host.reply("r2", to: "m2", #","mentions":["carol"]"#, as: .user("alice"))
      try await host.reply("r3", to: "m6", as: .user("alice"))
      #expect(try await host.unread(as: "bob") == ["m1": 1, "m2": 1, "m6": 1])
      #expect(try await host.unread(as: "alice") == ["m1": 0, "m2": 0, "m6": 0])
      #expect(try await host.unread(as: "carol") == ["m2": 1])
      #expect(try await host.unread(as: "dora") == ["m6": 1])
      #expect(try await host.unread(as: "eve") == [:])
      #expect(try await host.threads("?user_id=carol", as: .key()).text.contains(#""unread":1"#))
      #expect(try await host.threads("?user_id=carol").status == 403)
      #expect(try await host.threads(as: .key()).status == 400)
      // A thread whose beginning is gone, or that has no replies left, is listed no more.
      #expect(try await host.request("DELETE", "/v1/messages/m1", as: .user("bob")).status == 204)
      #expect(
        try await host.request("DELETE", "/v1/messages/r2", as: .user("alice")).status == 204)
      #expect(try await host.unread(as: "bob") == ["m6": 1])
    }
  }

  @Test func `are only those of channels that he may read`() async throws {
    try await withChat { host async throws in
      try await host.create(#"{"type":"private","id":"p","members":["bob","alice"]}"#)
      try await host.send("topic", id: "m1", to: "private/p")
      try await host.reply("r1", to: "m1", #","mentions":["eve"]"#, in: "private/p")
      #expect(try await host.unread(as: "eve") == [:])
      #expect(try await host.unread(as: "bob") == ["m1": 1])
      let told = try await host.told
      #expect(told == [##"#bob {"parent_id":"m1","channel":"private:p","unread":1}"##])
    }
  }

  @Test func `are not those of channels that are gone, or closed to his role`() async throws {
    let types: RawJSON = #"""
      {"types":{"messaging":{"open":true},"private":{},
        "board":{"open":true,"grants":{"user":["send_message","send_reply","create_channel"]}}}}
      """#
    try await withChat(types) { host async throws in
      try await host.send("topic", id: "m1", to: "board/b", as: .user("bob"))
      #expect(
        try await host.post(
          #"{"text":"r1","parent_id":"m1","user_id":"bob"}"#, to: "board/b", as: .key()
        ).status == 201)
      #expect(try await host.unread(as: "bob") == [:])
      try await host.send("topic", id: "m2")
      try await host.reply("r2", to: "m2")
      #expect(try await host.unread(as: "bob") == ["m2": 1])
    }
  }

  @Test func `are not those of types that have replies no more`() async throws {
    var manifest = try TestManifest(file: "Plugins/chat/plugin.json")
    manifest.migrations.append(
      TestManifest.Migration(
        name: "backlog",
        sql: """
          INSERT INTO chat_messages (id, type, channel, seq, user_id, text, created_at, reply_count, latest_reply_at)
          VALUES ('m1', 'messaging', 'general', 1, 'alice', 'topic', 1, 1, 2),
            ('m2', 'quiet', 'general', 1, 'alice', 'topic', 1, 1, 2);
          INSERT INTO chat_thread_members (parent, user_id, replies, place, seen, follows, since)
          VALUES ('m1', 'alice', 0, 0, 1, 1, 2), ('m2', 'alice', 0, 0, 1, 1, 2);
          """))
    let host = try await TestHost(
      Chat.self, manifest,
      config:
        #"{"types":{"messaging":{"open":true},"quiet":{"open":true,"capabilities":{"replies":false}}}}"#
    )
    #expect(try await host.unread(as: "alice") == ["m1": 0])
    try await host.close()
  }

  @Test func `come with the latest reply first, in pages`() async throws {
    try await withChat { host async throws in
      for number in 1...5 { try await host.send("topic", id: "m\(number)") }
      for number in [3, 1, 5, 2, 4] {
        try await host.advance(milliseconds: 10)
        try await host.reply("r\(number)", to: "m\(number)")
      }
      let first: ListPage<Listed> = try await host.threads("?limit=2").json()
      #expect(first.data.map(\.message.id) == ["m4", "m2"])
      let second: ListPage<Listed> = try await host.threads(
        "?limit=2&after=\(try #require(first.next))"
      ).json()
      #expect(second.data.map(\.message.id) == ["m5", "m1"])
      let third: ListPage<Listed> = try await host.threads(
        "?limit=2&after=\(try #require(second.next))"
      ).json()
      #expect(third.data.map(\.message.id) == ["m3"] && third.next == nil)
      for query in ["?after=x", "?after=1:a%20b", "?limit=0"] {
        #expect(try await host.threads(query).status == 400)
      }
    }
  }
}

@Suite struct `A mark in a thread` {
  @Test func `moves on and never back, and is told on the user's own channel`() async throws {
    try await withChat { host async throws in
      try await host.send("topic", id: "m1", as: .user("alice"))
      for number in 1...3 { try await host.reply("r\(number)", as: .user("bob")) }
      #expect(try await host.unread(as: "alice") == ["m1": 3])
      let read = try await host.readThread("m1", #"{"message_id":"r2"}"#)
      #expect(read.status == 200)
      #expect(read.text == #"{"parent_id":"m1","channel":"messaging:general","unread":1}"#)
      #expect(try await host.told.last == "#alice \(read.text)")
      #expect(try await host.readThread("m1", #"{"message_id":"r1"}"#).text == read.text)
      #expect(try await host.unread(as: "alice") == ["m1": 1])
      #expect(try await host.readThread("m1").text.contains(#""unread":0"#))
      #expect(try await host.unread(as: "alice") == ["m1": 0])
      try await host.reply("r4", as: .user("bob"))
      #expect(
        try await host.told.last
          == ##"#alice {"parent_id":"m1","channel":"messaging:general","unread":1}"##)
      #expect(try await host.request("DELETE", "/v1/messages/r4", as: .user("bob")).status == 204)
      #expect(try await host.told.last?.contains(#""unread":0"#) == true)
    }
  }

  @Test func `is kept of who only reads it, and needs what is there`() async throws {
    try await withChat { host async throws in
      try await host.create(#"{"type":"private","id":"p","members":["bob","alice"]}"#)
      try await host.send("topic", id: "m1", to: "private/p")
      #expect(try await host.readThread("m1").text.contains(#""unread":0"#))
      try await host.reply("r1", in: "private/p", as: .user("bob"))
      #expect(try await host.readThread("m1").status == 200)
      // It makes nobody follow the thread; a reply of his own does, and the mark stays.
      #expect(try await host.unread(as: "alice") == [:])
      try await host.reply("r2", in: "private/p", as: .user("bob"))
      try await host.reply("r3", in: "private/p", as: .user("alice"))
      #expect(try await host.unread(as: "alice") == ["m1": 1])
      let unknown = try await host.readThread("m1", #"{"message_id":"m1"}"#)
      #expect(unknown.status == 400)
      #expect(unknown.problem?.errors?.map(\.pointer) == ["/message_id"])
      #expect(try await host.readThread("r1").status == 400)
      #expect(try await host.readThread("m1", as: .user("eve")).status == 404)
      #expect(try await host.readThread("m1", #"{"user_id":"bob"}"#).status == 403)
      #expect(try await host.readThread("m1", as: .key()).status == 400)
      #expect(try await host.readThread("m1", #"{"user_id":"alice"}"#, as: .key()).status == 200)
    }
  }

  @Test func `is apart from the channel's, which counts no replies that it does not show`()
    async throws
  {
    try await withChat { host async throws in
      try await host.create(#"{"type":"private","id":"p","members":["bob","alice"]}"#)
      try await host.send("topic", id: "m1", to: "private/p")
      let mark = try await host.request(
        "POST", "/v1/channels/private/p/read", body: #"{"message_id":"m1"}"#, as: .user("alice"))
      #expect(mark.text.contains(#""unread":0"#))
      try await host.reply("r1", in: "private/p", as: .user("bob"))
      try await host.breathe()
      let before = try await host.published.filter { $0.type == "chat.unread" }.count
      let none = try await host.request("GET", "/v1/unread", as: .user("alice"))
      #expect(none.text == #"{"data":[],"next":null}"#)
      let refused = try await host.request(
        "POST", "/v1/channels/private/p/read", body: #"{"message_id":"r1"}"#, as: .user("alice"))
      #expect(refused.status == 400)
      try await host.reply(
        "r2", to: "m1", #","show_in_channel":true"#, in: "private/p", as: .user("bob"))
      try await host.breathe()
      let unread = try await host.request("GET", "/v1/unread", as: .user("alice"))
      #expect(unread.text.contains(#""channel":"private:p","unread":1"#))
      #expect(try await host.published.filter { $0.type == "chat.unread" }.count == before + 1)
      let read = try await host.request(
        "POST", "/v1/channels/private/p/read", body: #"{"message_id":"r2"}"#, as: .user("alice"))
      #expect(read.text.contains(#""unread":0"#))
    }
  }
}
