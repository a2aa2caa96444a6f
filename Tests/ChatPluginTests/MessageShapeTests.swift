import PluginKit
import PluginTesting
import Testing

@testable import ChatPlugin

extension TestHost {
  /// Sends what `body` says to `messaging:general` unless another channel is named.
  @discardableResult
  func post(
    _ body: String, to channel: String = "messaging/general", as principal: Principal = .user("bob")
  ) async throws -> TestReply {
    try await request("POST", "/v1/channels/\(channel)/messages", body: body, as: principal)
  }

  func message(_ id: String, as principal: Principal = .user("alice")) async throws -> TestReply {
    try await request("GET", "/v1/messages/\(id)", as: principal)
  }

  func change(
    _ id: String, _ body: String, as principal: Principal = .user("bob")
  ) async throws -> TestReply {
    try await request("PATCH", "/v1/messages/\(id)", body: body, as: principal)
  }
}

@Suite struct `Attachments` {
  private let photo =
    #"[ {"type":"image","url":"https://x.example/a.png","custom":{ "n":1.50 }} ]"#

  @Test func `are kept byte for byte, also without a text`() async throws {
    try await withChat { host async throws in
      let sent = try await host.post(#"{"id":"m1","attachments":\#(photo)}"#)
      #expect(sent.status == 201)
      #expect(
        sent.text
          == #"{"id":"m1","channel":"messaging:general","user_id":"bob","text":"","attachments":\#(photo),"#
          + #""created_at":"2026-01-01T00:00:00.000Z"}"#)
      #expect(try await host.message("m1").text == sent.text)
      #expect(try await host.events.map(\.data.text) == [sent.text])
      #expect(try await host.list().text.hasPrefix(#"{"data":[\#(sent.text)],"next":null,"#))
      // The same again is the first.
      let again = try await host.post(#"{"id":"m1","text":"","attachments":\#(photo)}"#)
      #expect(again.status == 200 && again.text == sent.text)
      #expect(try await host.post(#"{"id":"m1","text":"x"}"#).status == 409)
    }
  }

  @Test func `are changed and taken away beside a text`() async throws {
    try await withChat { host async throws in
      try await host.post(#"{"id":"m1","text":"look","attachments":\#(photo)}"#)
      let other = #"[{"type":"file"}]"#
      let changed = try await host.change("m1", #"{"attachments":\#(other)}"#)
      #expect(changed.status == 200 && changed.text.contains(#""attachments":\#(other)"#))
      #expect(try await host.change("m1", #"{"text":"","attachments":[]}"#).status == 400)
      let without = try await host.change("m1", #"{"attachments":[]}"#)
      #expect(without.status == 200 && !without.text.contains("attachments"))
      #expect(try await host.message("m1").text == without.text)
      #expect(try await host.events.last?.data.text == without.text)
      let nothing = try await host.change("m1", #"{"text":""}"#)
      #expect(nothing.status == 400)
      #expect(nothing.problem?.errors?.map(\.pointer) == ["/text"])
    }
  }

  @Test func `or a text is what a message needs`() async throws {
    try await withChat { host async throws in
      for body in ["{}", #"{"text":""}"#, #"{"attachments":[]}"#, #"{"custom":{"a":1}}"#] {
        let refused = try await host.post(body)
        #expect(refused.status == 400, "\(body)")
        #expect(refused.problem?.errors?.map(\.pointer) == ["/text"])
      }
      #expect(try await host.events.isEmpty)
    }
  }

  @Test func `changed while another changes the text are both kept`() async throws {
    try await withChat { host async throws in
      for number in 1...20 {
        let path = "/v1/messages/m\(number)"
        try await host.post(#"{"id":"m\#(number)","text":"old"}"#)
        let text = try await host.begin("PATCH", path, body: #"{"text":"new"}"#, as: .user("bob"))
        let files = try await host.begin(
          "PATCH", path, body: #"{"attachments":[{"type":"file"}]}"#, as: .user("bob"))
        #expect(try await text.reply().status == 200)
        #expect(try await files.reply().status == 200)
        let message = try await host.message("m\(number)").text
        #expect(message.contains(#""text":"new","attachments":[{"type":"file"}]"#))
      }
    }
  }
}

@Suite struct `A system message` {
  @Test func `is sent by the app's server alone`() async throws {
    try await withChat { host async throws in
      let body = #"{"text":"alice has come","kind":"system","user_id":"alice","id":"m1"}"#
      let refused = try await host.post(body, as: .user("alice"))
      #expect(refused.status == 403 && refused.problem?.code == "forbidden")
      let sent = try await host.post(body, as: .key())
      #expect(sent.status == 201 && sent.text.contains(#""kind":"system""#))
      #expect(try await host.message("m1").text == sent.text)
      #expect(
        try await host.post(#"{"text":"alice has come","user_id":"alice","id":"m1"}"#, as: .key())
          .status == 409)
    }
  }
}

@Suite struct `A silent message` {
  @Test func `is never unread, and nobody is told of it`() async throws {
    try await withChat { host async throws in
      try await host.create(#"{"type":"private","id":"p","members":["alice","bob"]}"#)
      let sent = try await host.post(
        #"{"text":"quiet","silent":true,"mentions":["alice"],"id":"m1"}"#, to: "private/p")
      #expect(sent.status == 201 && sent.text.contains(#""silent":true"#))
      try await host.settle()
      #expect(try await host.published.allSatisfy { $0.type == "chat.member.added" })
      let unread = try await host.request("GET", "/v1/unread", as: .user("alice"))
      #expect(unread.text == #"{"data":[],"next":null}"#)
      let loud = try await host.post(#"{"text":"loud","silent":false}"#, to: "private/p")
      #expect(loud.status == 201 && !loud.text.contains("silent"))
      let now = try await host.request("GET", "/v1/unread", as: .user("alice"))
      #expect(now.text == #"{"data":[{"channel":"private:p","unread":1}],"next":null}"#)
    }
  }
}
