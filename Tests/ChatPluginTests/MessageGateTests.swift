import PluginKit
import PluginTesting
import Testing

@testable import ChatPlugin

@Suite struct `A blocklist` {
  private let config: RawJSON = #"""
    {"types":{"messaging":{"open":true,"blocklists":["rude","odd","sly"]},"free":{"open":true}},
     "blocklists":{"rude":{"words":["Darn","💩"],"action":"block"},"odd":{"words":["odd"],"action":"flag"},
       "sly":{"words":["sly"],"action":"shadow"}}}
    """#

  @Test(arguments: ["oh DARN!", "darn", "(darn)", "what a 💩"])
  func `refuses whole words in whatever case`(_ text: String) async throws {
    try await withChat(config) { host async throws in
      let refused = try await host.send(text)
      #expect(refused.status == 403)
      #expect(refused.problem?.detail == "The message has a word of the blocklist \"rude\".")
      #expect(try await host.send("darned", id: "m1").status == 201)
      #expect(try await host.send(text, to: "free/hall").status == 201)
      let edit = try await host.request(
        "PATCH", "/v1/messages/m1", body: #"{"text":"\#(text)"}"#, as: .user("bob"))
      #expect(edit.status == 403)
      let server = try await host.request(
        "POST", "/v1/channels/messaging/general/messages",
        body: #"{"text":"\#(text)","user_id":"bob"}"#, as: .key())
      #expect(server.status == 201)
    }
  }

  @Test func `has a message flagged that is sent all the same`() async throws {
    try await withChat(config) { host async throws in
      #expect(try await host.send("how odd", id: "m1").status == 201)
      #expect(
        Set(try await host.events.map(\.type)) == ["chat.flag.created", "chat.message.created"])
      let flags: ListPage<Flag> = try await host.request("GET", "/v1/flags", as: .key()).json()
      #expect(flags.data.map(\.reason) == ["blocklist: odd"])
      #expect(flags.data.map(\.flaggedBy) == [nil])
    }
  }

  @Test func `has a message reach its author alone`() async throws {
    try await withChat(config) { host async throws in
      #expect(try await host.send("sly", id: "m1").status == 201)
      #expect(try await host.events.isEmpty)
      #expect(try await host.request("GET", "/v1/messages/m1", as: .user("bob")).status == 200)
      #expect(try await host.request("GET", "/v1/messages/m1", as: .user("alice")).status == 404)
      try await host.send("fine", id: "m2")
      let edit = try await host.request(
        "PATCH", "/v1/messages/m2", body: #"{"text":"sly"}"#, as: .user("bob"))
      #expect(edit.status == 403)
    }
  }

  @Test func `that there is not is refused in the settings`() async throws {
    await #expect {
      try await withChat(#"{"types":{"team":{"blocklists":["rude"]}}}"#) { _ in }
    } throws: { ($0 as? ConfigurationError)?.pointer == "/types/team/blocklists/0" }
  }
}

@Suite struct `A plugin that looks at messages` {
  private struct Question: Decodable {
    struct Message: Decodable {
      let text: String
      let userID: String

      private enum CodingKeys: String, CodingKey {
        case text
        case userID = "user_id"
      }
    }
    let action: String
    let message: Message
  }

  private struct Answer: Encodable {
    let action: String
    var text: String?
    var reason: String?
  }

  private func withFilter(
    _ settings: String = "{}", _ body: (TestHost) async throws -> Void
  ) async throws {
    let config = RawJSON(
      stringLiteral: #"{"types":{"messaging":{"open":true,"message_filter":\#(settings)}}}"#)
    try await withChat(config) { host async throws in
      try await host.provide("sluice.message-filter/1", method: 1) {
        (question: Question) throws -> Answer in
        switch question.message.text {
        case "bad": return Answer(action: "refuse", reason: "Not here, \(question.message.userID).")
        case "long": return Answer(action: "rewrite", text: "short")
        case "empty": return Answer(action: "rewrite", text: "")
        case "odd": return Answer(action: "dance")
        case "broken": throw HostError(.unavailable, "broken")
        case "edit" where question.action == "edit": return Answer(action: "refuse")
        default: return Answer(action: "pass")
        }
      }
      try await body(host)
    }
  }

  @Test func `lets them pass, refuses them or says what they are to be`() async throws {
    try await withFilter { host async throws in
      #expect(try await host.send("fine", id: "m1").status == 201)
      let refused = try await host.send("bad")
      #expect(refused.status == 403 && refused.problem?.detail == "Not here, bob.")
      let rewritten = try await host.send("long", id: "m2")
      #expect(rewritten.status == 201 && rewritten.text.contains(#""text":"short""#))
      #expect(try await host.events.last?.data.text == rewritten.text)
      let again = try await host.send("long", id: "m2")
      #expect(again.status == 200 && again.text == rewritten.text)
      #expect(try await host.send("empty").status == 400)
      #expect(try await host.send("edit", id: "m3").status == 201)
      for (text, status) in [("bad", 403), ("edit", 403), ("long", 200)] {
        let edit = try await host.request(
          "PATCH", "/v1/messages/m1", body: #"{"text":"\#(text)"}"#, as: .user("bob"))
        #expect(edit.status == status)
      }
      let read = try await host.request("GET", "/v1/messages/m1", as: .user("alice"))
      #expect(read.text.contains(#""text":"short""#))
      let server = try await host.request(
        "POST", "/v1/channels/messaging/general/messages", body: #"{"text":"bad","user_id":"bob"}"#,
        as: .key())
      #expect(server.status == 201)
    }
  }

  @Test func `and does not answer as it should has them refused, or pass where that is wanted`()
    async throws
  {
    for text in ["odd", "broken"] {
      try await withFilter { host async throws in
        let refused = try await host.send(text)
        #expect(refused.status == 503 && refused.problem?.code == "plugin_unavailable")
        #expect(try await host.events.isEmpty)
      }
      try await withFilter(#"{"on_failure":"pass"}"#) { host async throws in
        #expect(try await host.send(text).status == 201)
      }
    }
  }

  @Test func `and is not there is the same`() async throws {
    for (settings, status) in [("{}", 503), (#"{"on_failure":"pass"}"#, 201)] {
      let config = RawJSON(
        stringLiteral: #"{"types":{"messaging":{"open":true,"message_filter":\#(settings)}}}"#)
      try await withChat(config) { host async throws in
        #expect(try await host.send("x").status == status)
      }
    }
  }

  @Test func `is not asked about what is refused all the same`() async throws {
    try await withFilter { host async throws in
      _ = try await host.execute(
        """
        INSERT INTO chat_bans (user_id, type, channel, shadow, created_at)
        VALUES ('bob', '', '', 0, 0)
        """)
      #expect(try await host.send("broken").status == 403)
    }
  }
}
