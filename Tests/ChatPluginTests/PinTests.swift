import PluginKit
import PluginTesting
import Testing

@testable import ChatPlugin

extension TestHost {
  fileprivate func pin(
    _ id: String, _ body: String = "", as principal: Principal = .user("bob")
  ) async throws -> TestReply {
    try await request("PUT", "/v1/messages/\(id)/pin", body: body, as: principal)
  }

  fileprivate func unpin(_ id: String, as principal: Principal = .user("bob")) async throws
    -> TestReply
  {
    try await request("DELETE", "/v1/messages/\(id)/pin", as: principal)
  }

  fileprivate func pins(
    _ query: String = "", of channel: String = "private/p",
    as principal: Principal = .user("alice")
  ) async throws -> TestReply {
    try await request("GET", "/v1/channels/\(channel)/pins\(query)", as: principal)
  }

  /// A channel that bob owns, and alice is a member of.
  fileprivate func makeChannel() async throws {
    try await create(#"{"type":"private","id":"p","members":["alice"]}"#, as: .user("bob"))
  }
}

@Suite struct `Pinning a message` {
  @Test func `is shown with it, listed and published once`() async throws {
    try await withChat { host async throws in
      try await host.makeChannel()
      for number in 1...3 { try await host.send("\(number)", id: "m\(number)", to: "private/p") }
      let pinned = try await host.pin("m2")
      #expect(pinned.status == 200)
      #expect(
        pinned.text.hasSuffix(#""pinned_at":"2026-01-01T00:00:00.000Z","pinned_by":"bob"}"#))
      #expect(try await host.message("m2").text == pinned.text)
      try await host.advance(milliseconds: 10)
      #expect(try await host.pin("m2").text == pinned.text)
      #expect(try await host.pin("m1", as: .key()).text.contains("pinned_by") == false)
      try await host.advance(milliseconds: 10)
      #expect(try await host.pin("m3", #"{"user_id":"alice"}"#, as: .key()).status == 200)
      let first: ListPage<Said> = try await host.pins("?limit=2").json()
      #expect(first.data.map(\.id) == ["m3", "m1"])
      let second: ListPage<Said> = try await host.pins(
        "?limit=2&after=\(try #require(first.next))"
      ).json()
      #expect(second.data.map(\.id) == ["m2"] && second.next == nil)
      let events = try await host.events.suffix(3)
      #expect(events.allSatisfy { $0.type == "chat.message.pinned" })
      #expect(
        events.first?.data.text
          == #"{"message_id":"m2","channel":"private:p","user_id":"bob","created_at":"2026-01-01T00:00:00.000Z"}"#
      )
      // A change of what it says has no word of it.
      #expect(try await host.change("m2", #"{"text":"x"}"#).text.contains("pinned_at"))
      #expect(try await host.events.last?.data.text.contains("pinned") == false)
    }
  }

  @Test func `ends when it is taken away or the message is deleted`() async throws {
    try await withChat { host async throws in
      try await host.makeChannel()
      for number in 1...2 {
        try await host.send("\(number)", id: "m\(number)", to: "private/p")
        #expect(try await host.pin("m\(number)").status == 200)
      }
      #expect(try await host.unpin("m1").status == 204)
      #expect(try await host.events.last?.type == "chat.message.unpinned")
      let count = try await host.events.count
      #expect(try await host.unpin("m1").status == 204)
      #expect(try await host.events.count == count)
      #expect(try await !host.message("m1").text.contains("pinned"))
      #expect(try await host.request("DELETE", "/v1/messages/m2", as: .user("bob")).status == 204)
      #expect(try await host.pins().text == #"{"data":[],"next":null}"#)
    }
  }

  @Test func `is for who may, and where there are pins`() async throws {
    try await withChat { host async throws in
      try await host.makeChannel()
      try await host.send("1", id: "m1", to: "private/p")
      let refused = try await host.pin("m1", as: .user("alice"))
      #expect(refused.status == 403 && refused.text.contains("pin_message"))
      #expect(try await host.unpin("m1", as: .user("alice")).status == 403)
      #expect(try await host.pin("m1", as: .user("eve")).status == 404)
      #expect(try await host.pin("none").status == 404)
      #expect(try await host.pin("m1", #"{"user_id":"alice"}"#).status == 403)
      #expect(try await host.pins(as: .user("eve")).status == 403)
      #expect(try await host.pins("?after=x").status == 400)
    }
    try await withChat(#"{"types":{"private":{"capabilities":{"pins":false}}}}"#) {
      host async throws in
      try await host.makeChannel()
      try await host.send("1", id: "m1", to: "private/p")
      #expect(try await host.pin("m1").status == 403)
      #expect(try await host.pins().status == 403)
    }
  }

  @Test func `has a bound for a channel`() async throws {
    try await withChat { host async throws in
      try await host.makeChannel()
      for number in 0...ChatShard.pins {
        try await host.send("x", id: "m\(number)", to: "private/p")
        let reply = try await host.pin("m\(number)")
        #expect(reply.status == (number < ChatShard.pins ? 200 : 403))
        if number == ChatShard.pins { #expect(reply.problem?.code == "quota_exceeded") }
      }
      #expect(try await host.pin("m0").status == 200)
      #expect(try await host.unpin("m0").status == 204)
      #expect(try await host.pin("m\(ChatShard.pins)").status == 200)
    }
  }
}
