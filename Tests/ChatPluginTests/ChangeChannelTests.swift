import PluginKit
import PluginTesting
import Testing

@testable import ChatPlugin

/// What of a channel the tests look at.
private struct Seen: Decodable {
  let data: RawJSON
  let frozen: Bool
  let revision: Int
  let channel: String
  let distinct: Bool
  let members: [String]?
}

extension TestHost {
  /// What was told to a user alone, beside how much he has not read.
  func told(_ user: String) async throws -> [String?] {
    try await published.filter { $0.channel == "#\(user)" }.map(\.type).filter {
      $0 != "chat.unread" && $0 != "chat.thread.unread"
    }
  }

  /// Whose subscriptions have ended.
  var ended: [String] {
    get async throws {
      try await published.filter { $0.channel == "@subscriptions" }.map(\.data.text)
    }
  }
}

@Suite struct `Changing a channel` {
  private let path = "/v1/channels/private/den"

  private func change(_ host: TestHost, _ body: String, as user: Principal = .user("bob"))
    async throws -> TestReply
  {
    try await host.request("PATCH", path, body: body, as: user)
  }

  @Test func `is for its owner, and told in the channel`() async throws {
    try await withChat { host async throws in
      try await host.create(#"{"type":"private","id":"den","members":["alice"]}"#)
      let refused = try await change(host, #"{"data":{}}"#, as: .user("alice"))
      #expect(refused.status == 403)
      #expect(refused.problem?.detail.contains("update_channel") == true)
      #expect(
        try await change(host, #"{"frozen":true}"#, as: .user("alice")).problem?.detail
          .contains("freeze_channel") == true)
      let changed = try await change(host, #"{"data":{ "n": 1 },"frozen":true}"#)
      #expect(changed.status == 200)
      let seen: Seen = try changed.json()
      #expect(seen.data.text == #"{ "n": 1 }"# && seen.frozen && seen.revision == 2)
      #expect(seen.members == ["alice", "bob"])
      let read = try await host.request("GET", path, as: .user("bob"))
      #expect(
        read.text.replacing(#""offset":1,"#, with: #""offset":0,"#) == changed.text)
      let event = try #require(try await host.events.last)
      #expect(event.type == "chat.channel.updated" && event.channel == "chat:private:den")
      let told: Seen = try event.data.decode()
      #expect(told.revision == 2 && told.members == nil && told.data.text == #"{ "n": 1 }"#)
      #expect(try await host.send("x", to: "private/den", as: .user("alice")).status == 403)
    }
  }

  @Test func `as it is already changes nothing, and without anything is refused`() async throws {
    try await withChat { host async throws in
      try await host.create(#"{"type":"private","id":"den"}"#)
      let same = try await change(host, #"{"data":{},"frozen":false}"#)
      #expect(same.status == 200)
      #expect(try same.json(Seen.self).revision == 1)
      #expect(try await change(host, #"{"revision":1}"#).status == 400)
      #expect(try await host.events.allSatisfy { $0.type != "chat.channel.updated" })
    }
  }

  @Test func `that others have changed meanwhile is refused to who has not seen that`()
    async throws
  {
    try await withChat { host async throws in
      try await host.create(#"{"type":"private","id":"den"}"#)
      #expect(try await change(host, #"{"data":{"a":1},"revision":1}"#).status == 200)
      let stale = try await change(host, #"{"data":{"a":2},"revision":1}"#)
      #expect(stale.status == 409)
      #expect(stale.problem?.detail.contains("revision 2, not 1") == true)
      // Between the look and the write.
      host.interpose(
        "UPDATE chat_channels SET data = '{\"b\":1}', revision = revision + 1 WHERE id = 'den'")
      let frozen = try await change(host, #"{"frozen":true}"#)
      #expect(frozen.status == 200)
      let seen: Seen = try frozen.json()
      #expect(seen.data.text == #"{"b":1}"# && seen.frozen && seen.revision == 4)
      host.interpose("UPDATE chat_channels SET revision = revision + 1 WHERE id = 'den'")
      #expect(try await change(host, #"{"frozen":false,"revision":4}"#).status == 409)
    }
  }

  @Test func `by who has lost the right meanwhile is refused`() async throws {
    try await withChat { host async throws in
      try await host.create(#"{"type":"private","id":"den"}"#)
      host.interpose("UPDATE chat_members SET role = 'member' WHERE user_id = 'bob'")
      #expect(try await change(host, #"{"frozen":true}"#).status == 403)
      host.interpose("UPDATE chat_channels SET deleted_at = 1")
      #expect(try await change(host, #"{"frozen":true}"#, as: .key()).status == 404)
      #expect(try await change(host, #"{"frozen":true}"#, as: .key()).status == 404)
    }
  }
}

@Suite struct `Deleting a channel` {
  private let path = "/v1/channels/private/den"

  @Test func `leaves nothing of it to anybody, and tells its members`() async throws {
    try await withChat { host async throws in
      try await host.create(#"{"type":"private","id":"den","members":["alice"]}"#)
      let message: Said = try await host.send("hello", to: "private/den").json()
      #expect(try await host.request("DELETE", path, as: .user("alice")).status == 403)
      #expect(try await host.request("DELETE", path + "?hard=true", as: .user("bob")).status == 403)
      #expect(try await host.request("DELETE", path, as: .user("bob")).status == 204)
      #expect(try await host.events.last?.type == "chat.channel.deleted")
      #expect(try await host.told("alice").last == "chat.channel.deleted")
      #expect(try await host.ended == [#"{"channel":"chat:private:den"}"#])
      for principal in [Principal.user("bob"), .key()] {
        for get in [path, path + "/members", path + "/messages", "/v1/messages/\(message.id)"] {
          #expect(try await host.request("GET", get, as: principal).status == 404, "\(get)")
        }
        #expect(try await host.request("DELETE", path, as: principal).status == 404)
      }
      let lists = [
        try await host.request("GET", "/v1/channels", as: .user("bob")),
        try await host.request("GET", "/v1/channels", as: .key()),
        try await host.request("GET", "/v1/unread", as: .user("alice")),
      ]
      for list in lists { #expect(list.text == #"{"data":[],"next":null}"#) }
      #expect(try await host.create(#"{"type":"private","id":"den"}"#).status == 409)
      // What was said is there until somebody removes it.
      #expect(try await host.execute("SELECT text FROM chat_messages") == [["hello"]])
    }
  }

  @Test func `hard removes what was said, and can be asked for again`() async throws {
    try await withChat { host async throws in
      try await host.create(#"{"type":"private","id":"den","members":["alice"],"data":{"n":1}}"#)
      try await host.send("elsewhere", id: "m0")
      for number in 1...205 {
        try await host.send("hello", id: "m\(number)", to: "private/den")
      }
      _ = try await host.request("PUT", "/v1/messages/m1/reactions/like", as: .user("alice"))
      _ = try await host.request("PUT", "/v1/messages/m0/reactions/like", as: .user("alice"))
      _ = try await host.request(
        "POST", path + "/read", body: #"{"message_id":"m1"}"#, as: .user("alice"))
      for _ in 0..<2 {
        #expect(try await host.request("DELETE", path + "?hard=true", as: .key()).status == 204)
      }
      #expect(try await host.execute("SELECT id FROM chat_messages") == [["m0"]])
      #expect(try await host.execute("SELECT message FROM chat_reactions") == [["m0"]])
      #expect(try await host.execute("SELECT user_id FROM chat_members").isEmpty)
      #expect(try await host.execute("SELECT user_id FROM chat_reads").isEmpty)
      let left = try await host.execute(
        "SELECT data FROM chat_channels WHERE id = 'den' AND created_by IS NULL")
      #expect(left == [["{}"]])
      #expect(try await host.create(#"{"type":"private","id":"den"}"#).status == 409)
      let unknown = try await host.request(
        "DELETE", "/v1/channels/private/none?hard=true", as: .key())
      #expect(unknown.status == 404)
    }
  }

  @Test func `after it was deleted removes what was left`() async throws {
    try await withChat { host async throws in
      try await host.create(#"{"type":"private","id":"den"}"#)
      try await host.send("hello", to: "private/den")
      #expect(try await host.request("DELETE", path, as: .key()).status == 204)
      #expect(try await host.request("DELETE", path + "?hard=true", as: .key()).status == 204)
      #expect(try await host.execute("SELECT id FROM chat_messages").isEmpty)
      #expect(try await host.events.filter { $0.type == "chat.channel.deleted" }.count == 1)
    }
  }
}

@Suite struct `The one channel of its members` {
  private func make(_ members: String, _ host: TestHost, as user: Principal = .user("bob"))
    async throws -> TestReply
  {
    try await host.create(
      #"{"type":"private","members":[\#(members)],"distinct":true}"#, as: user)
  }

  @Test func `is the same for the same members, whoever asks and however they are named`()
    async throws
  {
    try await withChat { host async throws in
      let made = try await make(#""alice""#, host)
      #expect(made.status == 201)
      let seen: Seen = try made.json()
      #expect(seen.distinct && seen.members == ["alice", "bob"])
      let again = try await make(#""bob","alice""#, host, as: .user("alice"))
      #expect(again.status == 200 && again.text == made.text)
      #expect(try await make(#""alice","bob""#, host, as: .key()).status == 200)
      #expect(try await make(#""alice","bob""#, host, as: .user("carol")).status == 201)
      // Ids that would read the same next to each other.
      #expect(try await make(#""a","1:b""#, host, as: .key()).status == 201)
      #expect(try await make(#""a1:","b""#, host, as: .key()).status == 201)
    }
  }

  @Test func `is one, also when many want it at once`() async throws {
    try await withChat { host async throws in
      let channels = try await withThrowingTaskGroup(of: String.self) { group in
        for number in 0..<16 {
          group.addTask {
            let (one, other) = number % 2 == 0 ? ("alice", "bob") : ("bob", "alice")
            let reply = try await host.create(
              #"{"type":"private","members":["\#(one)"],"distinct":true}"#, as: .user(other))
            return try reply.json(Seen.self).channel
          }
        }
        var channels: Set<String> = []
        for try await channel in group { channels.insert(channel) }
        return channels
      }
      #expect(channels.count == 1)
      #expect(try await host.execute("SELECT count(*) FROM chat_channels") == [["1"]])
      #expect(try await host.execute("SELECT count(*) FROM chat_members") == [["2"]])
    }
  }

  @Test func `keeps its members, and makes room for another when it is deleted`() async throws {
    try await withChat { host async throws in
      let channel = try await make(#""alice""#, host).json(Seen.self).channel
      let path = "/v1/channels/" + channel.split(separator: ":").joined(separator: "/")
      let changes = [
        try await host.request(
          "POST", path + "/members", body: #"{"members":["eve"]}"#, as: .user("bob")),
        try await host.request("DELETE", path + "/members?user_id=alice", as: .key()),
        try await host.request("DELETE", path + "/members?user_id=bob", as: .user("bob")),
        try await host.request(
          "POST", path + "/invitations", body: #"{"members":["eve"]}"#, as: .user("bob")),
      ]
      for reply in changes { #expect(reply.status == 409) }
      #expect(try await host.request("DELETE", path, as: .key()).status == 204)
      let next = try await make(#""alice""#, host)
      #expect(next.status == 201)
      #expect(try next.json(Seen.self).channel != channel)
    }
  }

  @Test func `has two to sixteen of them, and no id of its own`() async throws {
    try await withChat { host async throws in
      let alone = try await make(#""bob""#, host)
      #expect(alone.status == 400 && alone.problem?.errors?.map(\.pointer) == ["/members"])
      let crowd = (0..<17).map { #""u\#($0)""# }.joined(separator: ",")
      #expect(try await make(crowd, host).problem?.errors?.map(\.pointer) == ["/members"])
      let named = try await host.create(
        #"{"type":"private","id":"x","members":["alice"],"distinct":true}"#)
      #expect(named.problem?.errors?.map(\.pointer) == ["/id"])
    }
  }
}
