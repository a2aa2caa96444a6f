import PluginKit
import PluginTesting
import Synchronization
import Testing

@testable import ChatPlugin

@Suite struct `A command` {
  private struct Question: Codable, Sendable {
    let command: String
    let args: String
  }

  private static let config: RawJSON = #"""
    {"types":{"messaging":{"open":true,"commands":{"do":{"args":"[what]"}},"blocklists":["rude"]}},
     "blocklists":{"rude":{"words":["darn"],"action":"block"}}}
    """#

  /// Runs `body` where another plugin answers the command `do`.
  private func commanded(
    _ answer: @escaping @Sendable (Question) throws -> RawJSON,
    _ body: (TestHost) async throws -> Void
  ) async throws {
    try await withChat(Self.config) { host async throws in
      try await host.provide("sluice.chat-command/1", key: "do", method: 1, answer)
      try await body(host)
    }
  }

  @Test(arguments: [
    ("/do", "do", ""), ("/do it", "do", "it"), ("/do  it\nnow ", "do", "it\nnow "),
    ("/do\tit", "do", "it"), ("/do-it_2 x", "do-it_2", "x"),
  ])
  func `is a word behind a slash`(text: String, name: String, args: String) throws {
    let words = try #require(ChatShard.words(of: text))
    #expect(words.name == name && words.args == args)
  }

  @Test(arguments: ["", "/", "/ do", "do", " /do", "//do", "/Do", "/dö", "/1"])
  func `is nothing else`(text: String) {
    #expect(ChatShard.words(of: text) == nil)
  }

  @Test func `becomes what another plugin says, and passes what messages pass`() async throws {
    try await commanded { question in
      #expect(question.command == "do")
      return RawJSON(
        unchecked: Array(#"{"action":"send","text":"\#(question.args)"}"#.utf8))
    } _: { host async throws in
      let sent = try await host.send("/do this")
      #expect(sent.status == 201 && sent.text.contains(#""text":"this""#))
      #expect(try await host.send("/do darn").status == 403)
      #expect(try await host.send("/do").status == 400)
      #expect(try await host.list().json(ListPage<Said>.self).data.map(\.text) == ["this"])
    }
  }

  @Test func `is run once for an id, and its message is the answer to every repeat`() async throws {
    let asked = Mutex(0)
    try await commanded { question in
      let number = asked.withLock { asked in
        asked += 1
        return asked
      }
      return RawJSON(
        unchecked: Array(#"{"action":"send","text":"\#(question.args) \#(number)"}"#.utf8))
    } _: { host async throws in
      let sent = try await host.send("/do this", id: "m1")
      #expect(sent.status == 201)
      for _ in 0..<2 {
        let again = try await host.send("/do this", id: "m1")
        #expect(again.status == 200 && again.text == sent.text)
      }
      #expect(asked.withLock(\.self) == 1)
      // Another's id, or one that is gone, is taken.
      #expect(try await host.send("/do this", id: "m1", as: .user("carol")).status == 409)
      #expect(try await host.request("DELETE", "/v1/messages/m1", as: .user("bob")).status == 204)
      #expect(try await host.send("/do this", id: "m1").status == 409)
      #expect(asked.withLock(\.self) == 1)
    }
  }

  @Test(arguments: ["send", "reply"])
  func `is as slow as any message`(action: String) async throws {
    let asked = Mutex(0)
    try await commanded { _ in
      asked.withLock { $0 += 1 }
      return RawJSON(unchecked: Array(#"{"action":"\#(action)","text":"x"}"#.utf8))
    } _: { host async throws in
      try await host.send("first", as: .user("alice"))
      let slow = try await host.request(
        "PATCH", "/v1/channels/messaging/general", body: #"{"slow_mode_seconds":10}"#, as: .key())
      #expect(slow.status == 200)
      let given = try await host.send("/do it", id: "m1")
      #expect(given.status == (action == "send" ? 201 : 202))
      #expect(try await host.send("/do it").status == 429)
      #expect(try await host.send("anything").status == 429)
      #expect(asked.withLock(\.self) == 1)
      // What was sent is answered however soon it is asked for again.
      #expect(try await host.send("/do it", id: "m1").status == (action == "send" ? 200 : 429))
      try await host.advance(milliseconds: 10_000)
      #expect(try await host.send("/do it").status == given.status)
      #expect(asked.withLock(\.self) == 2)
    }
  }

  @Test func `is answered to its user alone`() async throws {
    try await commanded { _ in
      #"{"action":"reply","text":"only you"}"#
    } _: { host async throws in
      let answer = try await host.send("/do it", id: "m1")
      #expect(answer.status == 202)
      let told = try await host.published
      #expect(told.map(\.type) == ["chat.command.replied"] && told.map(\.channel) == ["#bob"])
      #expect(told.first?.data.text == answer.text)
      #expect(try await host.events.isEmpty)
      #expect(try await host.list().json(ListPage<Said>.self).data.isEmpty)
    }
  }

  @Test(arguments: [
    #"{"action":"babble"}"#, #"{"action":"send","attachments":[{"url":"x"}]}"#,
    #"{"action":"send","attachments":{}}"#, #"{"action":"reply","custom":[]}"#, "[]",
  ])
  func `whose answer is none sends nothing`(answer: String) async throws {
    try await commanded { _ in
      RawJSON(unchecked: Array(answer.utf8))
    } _: { host async throws in
      #expect(try await host.send("/do it").status == 503)
      #expect(try await host.events.isEmpty)
      #expect(try await host.published.isEmpty)
    }
  }

  @Test func `is refused in the provider's words, and by nobody when there is none`() async throws {
    try await commanded { _ in
      #"{"action":"refuse","reason":"No."}"#
    } _: { host async throws in
      let refused = try await host.send("/do it")
      #expect(refused.status == 403 && refused.problem?.detail == "No.")
      // What the app's server says is no command.
      let said = try await host.request(
        "POST", "/v1/channels/messaging/general/messages",
        body: #"{"text":"/do it","user_id":"bob"}"#, as: .key())
      #expect(said.status == 201)
    }
    try await withChat(Self.config) { host async throws in
      #expect(try await host.send("/do it").status == 503)
    }
  }

  @Test func `has a name as types have`() async throws {
    await #expect(throws: ConfigurationError.self) {
      try await withChat(#"{"types":{"messaging":{"commands":{"Do":{}}}}}"#) { _ in }
    }
  }
}
