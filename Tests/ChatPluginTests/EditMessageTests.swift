import PluginKit
import PluginTesting
import Testing

@testable import ChatPlugin

extension TestHost {
  fileprivate func edit(
    _ id: String, _ body: String, as principal: Principal = .user("bob")
  ) async throws -> TestReply {
    try await request("PATCH", "/v1/messages/\(id)", body: body, as: principal)
  }

  fileprivate func delete(
    _ id: String, _ query: String = "", as principal: Principal = .user("bob")
  ) async throws -> TestReply {
    try await request("DELETE", "/v1/messages/\(id)\(query)", as: principal)
  }
}

@Suite struct `Changing a message` {
  @Test func `answers it, keeps it and publishes it`() async throws {
    try await withChat { host async throws in
      try await host.send("helo", id: "m1")
      try await host.advance(milliseconds: 1_000)
      let edited = try await host.edit("m1", #"{"text":"hello","custom":{ "a":1 }}"#)
      #expect(edited.status == 200)
      #expect(
        edited.text
          == #"{"id":"m1","channel":"messaging:general","user_id":"bob","text":"hello","custom":{ "a":1 },"#
          + #""created_at":"2026-01-01T00:00:00.000Z","updated_at":"2026-01-01T00:00:01.000Z"}"#)
      let event = try #require(try await host.events.last)
      #expect(event.type == "chat.message.updated" && event.channel == "chat:messaging:general")
      #expect(event.data.text == edited.text)
      #expect(
        try await host.request("GET", "/v1/messages/m1", as: .user("alice")).text == edited.text)
      // The same again is no change.
      try await host.advance(milliseconds: 1_000)
      #expect(try await host.edit("m1", #"{"text":"hello"}"#).text == edited.text)
      #expect(try await host.events.count == 2)
    }
  }

  @Test func `in two ways at once keeps both, in the message and in its event`() async throws {
    try await withChat { host async throws in
      for number in 1...20 {
        let path = "/v1/messages/m\(number)"
        try await host.send("old", id: "m\(number)")
        let text = try await host.begin(
          "PATCH", path, body: #"{"text":"new"}"#, as: .user("bob"))
        let custom = try await host.begin(
          "PATCH", path, body: #"{"custom":{"a":1}}"#, as: .user("bob"))
        #expect(try await text.reply().status == 200)
        #expect(try await custom.reply().status == 200)
        let message = try await host.request("GET", path, as: .user("alice")).text
        #expect(message.contains(#""text":"new","custom":{"a":1}"#))
        try await host.settle()
        #expect(try await host.events.last?.data.text == message)
      }
    }
  }

  @Test func `takes the place of what its events have told in the channel's history`() async throws
  {
    try await withChat { host async throws in
      try await host.send("first words", id: "m1")
      try await host.send("others", id: "m2")
      // One that is named in another is not that one.
      try await host.send("m1", id: "m10")
      _ = try await host.request("PUT", "/v1/messages/m1/reactions/like", as: .user("alice"))
      let edited = try await host.edit("m1", #"{"text":"second words"}"#)
      var history = try await host.history(of: "chat:messaging:general")
      #expect(history.map(\.offset) == [1, 2, 3, 4, 5])
      let types = [
        "chat.message.updated", "chat.message.created", "chat.message.created",
        "chat.reaction.added", "chat.message.updated",
      ]
      #expect(history.map(\.type) == types)
      #expect(history[0].data.text.contains("second words") && edited.status == 200)
      #expect(history[0].data == history[4].data)
      #expect(history[1].data.text.contains("others"))
      #expect(history[2].data.text.contains(#""text":"m1""#))
      // It was told as it was then, and each event keeps its id.
      let told = try await host.events
      #expect(told[0].data.text.contains("first words"))
      #expect(told.map(\.id) == history.map(\.id))

      #expect(try await host.delete("m1").status == 204)
      history = try await host.history(of: "chat:messaging:general")
      #expect(history.map(\.offset) == [1, 2, 3, 4, 5, 6])
      #expect(!history.contains { $0.data.text.contains("words") })
      let deleted = [0, 4, 5].map { history[$0] }
      #expect(deleted.allSatisfy { $0.type == "chat.message.deleted" })
      #expect(Set(deleted.map(\.data.text)).count == 1)
      #expect(history[2].data.text.contains(#""text":"m1""#))
    }
  }

  @Test func `that is refused leaves the channel's history as it was`() async throws {
    try await withChat { host async throws in
      try await host.send("words", id: "m1")
      #expect(try await host.delete("m1", as: .user("alice")).status == 403)
      #expect(try await host.edit("m1", #"{"text":"x"}"#, as: .user("alice")).status == 403)
      let history = try await host.history(of: "chat:messaging:general")
      #expect(history.map(\.type) == ["chat.message.created"])
      #expect(history[0].data.text.contains("words"))
    }
  }

  @Test func `is for its author and the app's server`() async throws {
    try await withChat { host async throws in
      try await host.send("hello", id: "m1")
      let change = #"{"text":"x"}"#
      #expect(try await host.edit("m1", change, as: .user("alice")).status == 403)
      #expect(try await host.edit("m1", #"{"text":"x","user_id":"alice"}"#).status == 403)
      #expect(
        try await host.edit("m1", #"{"text":"x","user_id":"alice"}"#, as: .key()).status == 403)
      #expect(try await host.edit("m1", #"{"text":"y","user_id":"bob"}"#, as: .key()).status == 200)
      #expect(try await host.edit("m1", #"{"text":"z"}"#, as: .key()).status == 200)
      #expect(try await host.edit("m1", "{}").status == 400)
      #expect(try await host.edit("none", change).status == 404)
      try await host.create(#"{"type":"private","id":"p","members":["bob"]}"#)
      try await host.send("secret", id: "m2", to: "private/p")
      // Whoever may not read it is not told that it is there.
      #expect(try await host.edit("m2", change, as: .user("alice")).status == 404)
      #expect(try await host.delete("m2", as: .user("alice")).status == 404)
    }
  }

  @Test func `to nothing removes it from every list, and keeps its id`() async throws {
    try await withChat { host async throws in
      for number in 1...3 { try await host.send("\(number)", id: "m\(number)") }
      #expect(try await host.delete("m2", as: .user("alice")).status == 403)
      #expect(try await host.delete("m2").status == 204)
      #expect(try await host.delete("m2").status == 404)
      #expect(try await host.edit("m2", #"{"text":"x"}"#).status == 404)
      #expect(try await host.request("GET", "/v1/messages/m2", as: .user("bob")).status == 404)
      let page: ListPage<Said> = try await host.list().json()
      #expect(page.data.map(\.id) == ["m3", "m1"])
      let after: ListPage<Said> = try await host.list("?after=m2").json()
      #expect(after.data.map(\.id) == ["m3"])
      let event = try #require(try await host.events.last)
      #expect(event.type == "chat.message.deleted")
      #expect(
        event.data.text
          == #"{"id":"m2","channel":"messaging:general","user_id":"bob","deleted_at":"2026-01-01T00:00:00.000Z"}"#
      )
      #expect(try await host.send("2", id: "m2").status == 409)
      #expect(try await host.delete("m3", "?user_id=alice", as: .key()).status == 403)
      #expect(try await host.delete("m3", as: .key()).status == 204)
      #expect(try await host.events.count == 5)
    }
  }
}
