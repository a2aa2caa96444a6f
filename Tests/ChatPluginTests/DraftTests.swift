import PluginKit
import PluginTesting
import Testing

@testable import ChatPlugin

extension TestHost {
  fileprivate func draft(
    _ method: String, _ body: String = "", _ query: String = "",
    in channel: String = "messaging/general", as principal: Principal = .user("alice")
  ) async throws -> TestReply {
    try await request(method, "/v1/channels/\(channel)/draft\(query)", body: body, as: principal)
  }

  fileprivate func drafts(
    _ query: String = "", as principal: Principal = .user("alice")
  ) async throws -> TestReply {
    try await request("GET", "/v1/drafts\(query)", as: principal)
  }
}

private struct Begun: Decodable {
  let channel: String
  let text: String
}

@Suite struct `A draft` {
  @Test func `is kept for its user alone, one for each channel and thread`() async throws {
    try await withChat { host async throws in
      try await host.send("topic", id: "m1")
      let body =
        #"{"text":"I th","attachments":[ {"type":"file"} ],"mentions":["bob"],"quoted_id":"m1","custom":{ "a":1.50 }}"#
      let kept = try await host.draft("PUT", body)
      #expect(kept.status == 200)
      #expect(
        kept.text
          == #"{"channel":"messaging:general","text":"I th","attachments":[ {"type":"file"} ],"mentions":["bob"],"#
          + #""quoted_id":"m1","custom":{ "a":1.50 },"updated_at":"2026-01-01T00:00:00.000Z"}"#)
      #expect(try await host.draft("GET").text == kept.text)
      #expect(try await host.draft("GET", as: .user("bob")).status == 404)
      let other = try await host.draft("PUT", #"{"text":"reply"}"#, "?parent_id=m1")
      #expect(other.status == 200 && other.text.contains(#""parent_id":"m1""#))
      #expect(try await host.draft("GET", "", "?parent_id=m1").text == other.text)
      // Another one takes its place.
      try await host.advance(milliseconds: 1_000)
      let later = try await host.draft("PUT", #"{"text":"I think"}"#)
      #expect(try await host.draft("GET").text == later.text && !later.text.contains("custom"))
      let told = try await host.published.filter { $0.type?.hasPrefix("chat.draft") == true }
      #expect(told.map(\.channel) == ["#alice", "#alice", "#alice"])
      #expect(told.last?.data.text == later.text)
      // Nobody hears of it in the channel.
      #expect(try await host.events.map(\.type) == ["chat.message.created"])
    }
  }

  @Test func `is forgotten once, and that is told`() async throws {
    try await withChat { host async throws in
      #expect(try await host.draft("PUT", #"{"text":"x"}"#).status == 200)
      for _ in 0..<2 { #expect(try await host.draft("DELETE").status == 204) }
      #expect(try await host.draft("GET").status == 404)
      let told = try await host.published.map {
        "\($0.type ?? "") \($0.channel ?? "") \($0.data.text)"
      }
      #expect(told.count == 2)
      #expect(told.last == ##"chat.draft.deleted #alice {"channel":"messaging:general"}"##)
    }
  }

  @Test func `is listed with the latest first, in pages, where he may read`() async throws {
    try await withChat { host async throws in
      try await host.create(#"{"type":"private","id":"p","members":["alice"]}"#, as: .key())
      for channel in ["messaging/a", "private/p", "messaging/b"] {
        let kept = try await host.draft("PUT", #"{"text":"\#(channel)"}"#, in: channel)
        #expect(kept.status == 200)
        try await host.advance(milliseconds: 10)
      }
      let first: ListPage<Begun> = try await host.drafts("?limit=2").json()
      #expect(first.data.map(\.channel) == ["messaging:b", "private:p"])
      let second: ListPage<Begun> = try await host.drafts(
        "?limit=2&after=\(try #require(first.next))"
      ).json()
      #expect(second.data.map(\.channel) == ["messaging:a"] && second.next == nil)
      let removed = try await host.request(
        "DELETE", "/v1/channels/private/p", as: .key())
      #expect(removed.status == 204)
      #expect(
        try await host.drafts().json(ListPage<Begun>.self).data.map(\.channel)
          == ["messaging:b", "messaging:a"])
      #expect(try await host.drafts(as: .user("bob")).text == #"{"data":[],"next":null}"#)
      #expect(try await host.drafts("?user_id=bob").status == 403)
      #expect(try await host.drafts("?user_id=alice", as: .key()).text.contains("messaging:a"))
      for after in ["x", "1:a:b", "1:messaging:a%20b:", "x:messaging:a:"] {
        #expect(try await host.drafts("?after=\(after)").status == 400, "\(after)")
      }
    }
  }

  @Test func `needs something in it, a channel to read and a thread that is there`() async throws {
    try await withChat { host async throws in
      try await host.create(#"{"type":"private","id":"p","members":["bob"]}"#)
      try await host.send("topic", id: "m1")
      try await host.reply("r1")
      #expect(try await host.draft("PUT", "{}").problem?.errors?.map(\.pointer) == ["/text"])
      let long = String(repeating: "x", count: ChannelType.longestMessage + 1)
      #expect(try await host.draft("PUT", #"{"text":"\#(long)"}"#).status == 400)
      for method in ["PUT", "GET", "DELETE"] {
        let body = method == "PUT" ? #"{"text":"x"}"# : ""
        #expect(try await host.draft(method, body, in: "private/p").status == 403)
        #expect(try await host.draft(method, body, in: "private/none").status == 404)
      }
      for parent in ["none", "r1"] {
        let refused = try await host.draft("PUT", #"{"text":"x"}"#, "?parent_id=\(parent)")
        #expect(refused.status == 400)
        #expect(refused.problem?.errors?.map(\.pointer) == ["/query/parent_id"])
      }
      #expect(try await host.draft("PUT", #"{"text":"x","user_id":"bob"}"#).status == 403)
      #expect(try await host.draft("PUT", #"{"text":"x"}"#, as: .key()).status == 400)
      #expect(
        try await host.draft("PUT", #"{"text":"x","user_id":"alice"}"#, as: .key()).status == 200)
    }
    try await withChat(#"{"types":{"messaging":{"open":true,"capabilities":{"drafts":false}}}}"#) {
      host async throws in
      #expect(try await host.draft("PUT", #"{"text":"x"}"#).status == 403)
    }
  }

  @Test func `has a bound for each user`() async throws {
    try await withChat { host async throws in
      for number in 0..<SavedDraft.limit {
        let kept = try await host.draft("PUT", #"{"text":"x"}"#, in: "messaging/c\(number)")
        #expect(kept.status == 200)
      }
      let refused = try await host.draft("PUT", #"{"text":"x"}"#, in: "messaging/more")
      #expect(refused.status == 403 && refused.problem?.code == "quota_exceeded")
      #expect(try await host.draft("PUT", #"{"text":"y"}"#, in: "messaging/c0").status == 200)
      #expect(
        try await host.draft("PUT", #"{"text":"x"}"#, in: "messaging/more", as: .user("bob")).status
          == 200)
    }
  }
}
