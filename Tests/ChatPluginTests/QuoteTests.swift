import PluginKit
import PluginTesting
import Testing

@testable import ChatPlugin

@Suite struct `Quoting a message` {
  private let quoted =
    #""quoted_id":"m1","quoted":{"id":"m1","user_id":"alice","text":"first","created_at":"2026-01-01T00:00:00.000Z"}"#

  @Test func `shows it where the message is answered, and not in its event`() async throws {
    try await withChat { host async throws in
      try await host.send("first", id: "m1", as: .user("alice"))
      let body = #"{"text":"indeed","quoted_id":"m1","id":"m2"}"#
      let sent = try await host.post(body)
      #expect(sent.status == 201 && sent.text.contains(quoted))
      #expect(try await host.message("m2").text == sent.text)
      #expect(try await host.list("?limit=1").text.contains(quoted))
      let again = try await host.post(body)
      #expect(again.status == 200 && again.text == sent.text)
      let told = try #require(try await host.events.last).data.text
      #expect(told.contains(#""quoted_id":"m1""#) && !told.contains("first"))
    }
  }

  @Test func `shows what it says now, and nothing when it is deleted`() async throws {
    try await withChat { host async throws in
      try await host.send("first", id: "m1", as: .user("alice"))
      try await host.post(#"{"text":"indeed","quoted_id":"m1","id":"m2"}"#)
      #expect(
        try await host.change("m1", #"{"text":"second"}"#, as: .user("alice")).status == 200)
      #expect(try await host.message("m2").text.contains(#""text":"second""#))
      #expect(
        try await host.request("DELETE", "/v1/messages/m1", as: .user("alice")).status == 204)
      let deleted =
        #""quoted":{"id":"m1","user_id":"alice","created_at":"2026-01-01T00:00:00.000Z","deleted_at":"2026-01-01T00:00:00.000Z"}"#
      #expect(try await host.message("m2").text.contains(deleted))
      // A change of the quoting message neither tells it.
      #expect(try await host.change("m2", #"{"text":"well"}"#).text.contains(deleted))
      #expect(try await host.events.last?.data.text.contains(#""quoted":"#) == false)
    }
  }

  @Test func `needs one that is there, in the same channel`() async throws {
    try await withChat { host async throws in
      try await host.send("elsewhere", id: "m1", to: "messaging/other")
      try await host.send("gone", id: "m2")
      #expect(try await host.request("DELETE", "/v1/messages/m2", as: .user("bob")).status == 204)
      let before = try await host.events.count
      for id in ["none", "m1", "m2"] {
        let refused = try await host.post(#"{"text":"x","quoted_id":"\#(id)"}"#)
        #expect(refused.status == 400)
        #expect(refused.problem?.errors?.map(\.pointer) == ["/quoted_id"])
      }
      // Nothing was written, not even the place.
      #expect(try await host.events.count == before)
      #expect(try await host.list().text.hasPrefix(#"{"data":[],"next":null,"#))
    }
  }
}
