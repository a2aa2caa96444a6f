import PluginKit
import PluginTesting
import Testing

@testable import ChatPlugin

extension TestHost {
  fileprivate func edits(
    _ id: String, _ query: String = "", as principal: Principal = .user("bob")
  ) async throws -> TestReply {
    try await request("GET", "/v1/messages/\(id)/edits\(query)", as: principal)
  }
}

private struct Version: Decodable {
  let version: Int
  let text: String
}

@Suite struct `The edits of a message` {
  @Test func `have what it said before, the latest first`() async throws {
    try await withChat { host async throws in
      let custom = #"{ "a":1.50 }"#
      try await host.post(#"{"id":"m1","text":"one","mentions":["alice"],"custom":\#(custom)}"#)
      #expect(try await host.edits("m1").text == #"{"data":[],"next":null}"#)
      try await host.advance(milliseconds: 1_000)
      #expect(try await host.change("m1", #"{"text":"two","mentions":[]}"#).status == 200)
      // What changes nothing is no edit.
      #expect(try await host.change("m1", #"{"text":"two"}"#).status == 200)
      try await host.advance(milliseconds: 1_000)
      #expect(try await host.change("m1", #"{"text":"three"}"#, as: .key()).status == 200)
      #expect(
        try await host.edits("m1").text
          == #"{"data":[{"version":2,"text":"two","custom":\#(custom),"#
          + #""said_at":"2026-01-01T00:00:01.000Z","replaced_at":"2026-01-01T00:00:02.000Z"},"#
          + #"{"version":1,"text":"one","mentions":["alice"],"custom":\#(custom),"#
          + #""said_at":"2026-01-01T00:00:00.000Z","replaced_at":"2026-01-01T00:00:01.000Z","replaced_by":"bob"}],"#
          + #""next":null}"#)
    }
  }

  @Test func `are kept up to a bound, and listed in pages`() async throws {
    try await withChat { host async throws in
      try await host.send("0", id: "m1")
      for number in 1...(EarlierVersion.limit + 3) {
        #expect(try await host.change("m1", #"{"text":"\#(number)"}"#).status == 200)
      }
      let first: ListPage<Version> = try await host.edits("m1", "?limit=30").json()
      let second: ListPage<Version> = try await host.edits(
        "m1", "?limit=30&after=\(try #require(first.next))"
      ).json()
      let all = first.data + second.data
      #expect(second.next == nil && all.count == EarlierVersion.limit)
      #expect(all.map(\.version) == (4...(EarlierVersion.limit + 3)).reversed())
      #expect(all.last?.text == "3")
      #expect(try await host.edits("m1", "?after=x").status == 400)
    }
  }

  @Test func `of changes at once are each kept once`() async throws {
    try await withChat { host async throws in
      try await host.send("0", id: "m1")
      var pending: [PendingReply] = []
      for number in 1...12 {
        pending.append(
          try await host.begin(
            "PATCH", "/v1/messages/m1", body: #"{"text":"\#(number)"}"#, as: .user("bob")))
      }
      for reply in pending { #expect(try await reply.reply().status == 200) }
      let page: ListPage<Version> = try await host.edits("m1", "?limit=100").json()
      let now: Said = try await host.message("m1").json()
      #expect(page.data.map(\.version) == (1...12).reversed())
      #expect(Set(page.data.map(\.text) + [now.text]) == Set((0...12).map { "\($0)" }))
    }
  }

  @Test func `are for its author, for who may delete it, and for the server`() async throws {
    try await withChat { host async throws in
      try await host.create(
        #"{"type":"private","id":"p","members":["alice","carol"]}"#, as: .user("bob"))
      try await host.send("secret", id: "m1", to: "private/p", as: .user("alice"))
      #expect(try await host.change("m1", #"{"text":"x"}"#, as: .user("alice")).status == 200)
      for principal in [Principal.user("alice"), .user("bob"), .key()] {
        #expect(try await host.edits("m1", as: principal).text.contains("secret"))
      }
      #expect(try await host.edits("m1", as: .user("carol")).status == 403)
      #expect(try await host.edits("m1", as: .user("eve")).status == 404)
      #expect(try await host.request("DELETE", "/v1/messages/m1", as: .user("alice")).status == 204)
      #expect(try await host.edits("m1", as: .key()).status == 404)
    }
  }
}

@Suite struct `Deleting a message for good` {
  private func purge(
    _ host: TestHost, _ id: String, as principal: Principal = .key()
  ) async throws -> TestReply {
    try await host.request("DELETE", "/v1/messages/\(id)?hard=true", as: principal)
  }

  @Test func `leaves nothing, and its id is free again`() async throws {
    try await withChat { host async throws in
      try await host.send("secret", id: "m1")
      try await host.send("kept", id: "m2")
      #expect(try await host.change("m1", #"{"text":"more secret"}"#).status == 200)
      _ = try await host.request("PUT", "/v1/messages/m1/reactions/like", as: .user("alice"))
      #expect(try await purge(host, "m1").status == 204)
      #expect(
        try await host.events.last?.data.text
          == #"{"id":"m1","channel":"messaging:general","user_id":"bob","hard":true,"deleted_at":"2026-01-01T00:00:00.000Z"}"#
      )
      #expect(
        try await host.history(of: "chat:messaging:general").allSatisfy {
          !$0.data.text.contains("secret")
        })
      #expect(try await purge(host, "m1").status == 404)
      #expect(try await host.list().json(ListPage<Said>.self).data.map(\.id) == ["m2"])
      let again = try await host.send("new", id: "m1")
      #expect(again.status == 201)
      #expect(try await host.message("m1").text == again.text)
      #expect(
        try await host.request("GET", "/v1/messages/m1/edits", as: .user("bob")).text
          == #"{"data":[],"next":null}"#)
    }
  }

  @Test func `is for who may delete others' messages`() async throws {
    try await withChat { host async throws in
      try await host.create(#"{"type":"private","id":"p","members":["alice"]}"#, as: .user("bob"))
      try await host.send("x", id: "m1", to: "private/p", as: .user("alice"))
      let refused = try await purge(host, "m1", as: .user("alice"))
      #expect(refused.status == 403 && refused.text.contains("delete_any_message"))
      #expect(try await purge(host, "m1", as: .user("eve")).status == 404)
      // What has been deleted already can go for good too.
      #expect(try await host.request("DELETE", "/v1/messages/m1", as: .user("alice")).status == 204)
      #expect(try await purge(host, "m1", as: .user("bob")).status == 204)
      #expect(try await host.send("y", id: "m1", to: "private/p").status == 201)
    }
  }

  @Test func `waits for its replies, and counts as one of them no more`() async throws {
    try await withChat { host async throws in
      try await host.send("topic", id: "m1")
      for number in 1...2 { try await host.reply("r\(number)") }
      let refused = try await purge(host, "m1")
      #expect(refused.status == 409 && refused.problem?.code == "conflict")
      #expect(try await host.request("DELETE", "/v1/messages/r1", as: .user("alice")).status == 204)
      #expect(try await host.message("m1").json(ThreadView.self).replyCount == 1)
      // It was taken out of the count when it was deleted.
      #expect(try await purge(host, "r1").status == 204)
      #expect(try await host.message("m1").json(ThreadView.self).replyCount == 1)
      #expect(try await purge(host, "r2").status == 204)
      #expect(try await host.message("m1").json(ThreadView.self).replyCount == nil)
      #expect(try await purge(host, "m1").status == 204)
    }
  }

  @Test func `and replying to it end well in either order`() async throws {
    try await withChat { host async throws in
      for number in 1...20 {
        let id = "m\(number)"
        try await host.send("topic", id: id)
        let reply = try await host.begin(
          "POST", "/v1/channels/messaging/general/messages",
          body: #"{"text":"x","id":"r\#(number)","parent_id":"\#(id)"}"#, as: .user("alice"))
        let purge = try await host.begin("DELETE", "/v1/messages/\(id)?hard=true", as: .key())
        let (sent, purged) = (try await reply.reply().status, try await purge.reply().status)
        #expect((sent == 201 && purged == 409) || (sent == 400 && purged == 204))
      }
    }
  }
}
