import PluginKit
import PluginTesting
import Testing

@testable import ChatPlugin

@Suite struct `Sending a message` {
  @Test func `answers it, and publishes it in its channel`() async throws {
    try await withChat { host async throws in
      let reply = try await host.send("hello", id: "m1")
      #expect(reply.status == 201)
      #expect(
        reply.text
          == #"{"id":"m1","channel":"messaging:general","user_id":"bob","text":"hello","#
          + #""created_at":"2026-01-01T00:00:00.000Z"}"#)
      let events = try await host.events
      #expect(events.map(\.type) == ["chat.message.created"])
      #expect(events.map(\.channel) == ["chat:messaging:general"])
      #expect(events.map(\.offset) == [1])
      #expect(events.map(\.data.text) == [reply.text])
    }
  }

  @Test func `makes up an id`() async throws {
    try await withChat { host async throws in
      let message: Said = try await host.send("hello").json()
      #expect(message.id.hasPrefix("msg_") && message.id.utf8.count == 30)
    }
  }

  @Test func `keeps custom data byte for byte`() async throws {
    try await withChat { host async throws in
      let custom = #"{ "b" : 1.50, "a":[ 18446744073709551616 ], "u":"\u00e9" }"#
      let reply = try await host.request(
        "POST", "/v1/channels/messaging/general/messages",
        body: #"{"text":"x","id":"m1","custom":\#(custom)}"#, as: .user("bob"))
      #expect(reply.text.contains(#""custom":\#(custom),"#))
      let read = try await host.request("GET", "/v1/messages/m1", as: .user("alice"))
      #expect(read.text == reply.text)
      #expect(try await host.events.first?.data.text == reply.text)
    }
  }

  @Test func `with the same id and content answers the first again`() async throws {
    try await withChat { host async throws in
      let first = try await host.send("hello", id: "m1")
      try await host.advance(milliseconds: 5_000)
      let second = try await host.send("hello", id: "m1")
      #expect(second.status == 200)
      #expect(second.text == first.text)
      #expect(try await host.events.count == 1)
    }
  }

  @Test func `with an id that is taken changes nothing`() async throws {
    try await withChat { host async throws in
      try await host.send("hello", id: "m1")
      let others = [
        try await host.send("other", id: "m1"),
        try await host.send("hello", id: "m1", as: .user("carol")),
        try await host.send("hello", id: "m1", to: "messaging/elsewhere"),
        try await host.request(
          "POST", "/v1/channels/messaging/general/messages",
          body: #"{"text":"hello","id":"m1","custom":{}}"#, as: .user("bob")),
      ]
      for reply in others {
        #expect(reply.status == 409)
        #expect(reply.problem?.code == "conflict")
      }
      #expect(try await host.events.count == 1)
      // The channel that would have come to be with the message has not.
      let elsewhere = try await host.request(
        "GET", "/v1/channels/messaging/elsewhere", as: .user("bob"))
      #expect(elsewhere.status == 404)
    }
  }

  @Test func `counts the messages of a channel without gaps, also when they come at once`()
    async throws
  {
    try await withChat { host async throws in
      try await withThrowingTaskGroup(of: Int.self) { group in
        for number in 0..<40 {
          group.addTask { try await host.send("\(number)", id: "m\(number)").status }
        }
        for try await status in group { #expect(status == 201) }
      }
      #expect(try await host.events.map(\.offset) == Array(1...40))
      let page: ListPage<Said> = try await host.list("?limit=100").json()
      let published = try await host.events.map { try $0.data.decode(Said.self) }
      #expect(page.data == published.reversed())
    }
  }

  @Test func `as another user is forbidden`() async throws {
    try await withChat { host async throws in
      let path = "/v1/channels/messaging/general/messages"
      let reply = try await host.request(
        "POST", path, body: #"{"text":"x","user_id":"alice"}"#, as: .user("bob"))
      #expect(reply.status == 403)
      let own = try await host.request(
        "POST", path, body: #"{"text":"x","user_id":"bob"}"#, as: .user("bob"))
      #expect(own.status == 201)
    }
  }

  @Test func `with a key needs the user`() async throws {
    try await withChat { host async throws in
      let path = "/v1/channels/messaging/general/messages"
      let nobody = try await host.request("POST", path, body: #"{"text":"x"}"#, as: .key())
      #expect(nobody.status == 400)
      #expect(nobody.problem?.errors?.map(\.pointer) == ["/user_id"])
      let carol = try await host.request(
        "POST", path, body: #"{"text":"x","user_id":"carol"}"#, as: .key())
      #expect(carol.status == 201)
      #expect(carol.text.contains(#""user_id":"carol""#))
    }
  }

  @Test func `to a type that is unknown names those that are known`() async throws {
    try await withChat { host async throws in
      let reply = try await host.send("x", to: "team/general")
      #expect(reply.status == 404)
      #expect(
        reply.problem?.detail
          == "There is no type of channel called \"team\". There are: messaging, private.")
    }
    try await withChat(#"{"types":{}}"#) { host async throws in
      #expect(
        try await host.send("x").problem?.detail == "This app has no types of channel.")
    }
  }

  @Test func `with an id that is none says what an id is`() async throws {
    try await withChat { host async throws in
      let message = try await host.send("x", id: "a:b")
      #expect(message.status == 400)
      #expect(message.problem?.errors?.map(\.pointer) == ["/id"])
      let channel = try await host.request(
        "POST", "/v1/channels/messaging/a:b/messages", body: #"{"text":"x"}"#, as: .user("bob"))
      #expect(channel.status == 404)
    }
  }

  @Test func `to a closed channel is for its members and the server`() async throws {
    try await withChat { host async throws in
      #expect(try await host.send("x", to: "private/den").status == 404)
      try await host.create(#"{"type":"private","id":"den","members":["alice"]}"#)
      #expect(try await host.send("x", to: "private/den").status == 201)
      #expect(try await host.send("x", to: "private/den", as: .user("alice")).status == 201)
      let stranger = try await host.send("x", to: "private/den", as: .user("eve"))
      #expect(stranger.status == 403)
      #expect(stranger.problem?.code == "forbidden")
      let server = try await host.request(
        "POST", "/v1/channels/private/den/messages", body: #"{"text":"x","user_id":"eve"}"#,
        as: .key())
      #expect(server.status == 201)
      let sent = try await host.events.filter { $0.type == "chat.message.created" }
      #expect(sent.map(\.offset) == [1, 2, 3])
    }
  }

  @Test func `without settings goes to messaging, which is open`() async throws {
    try await withChat("{}") { host async throws in
      #expect(try await host.send("x").status == 201)
    }
  }
}
