import PluginKit
import Testing

@testable import PluginTesting
@testable import RealtimePlugin

/// Settings in which users may do everything in channels that they may listen to, without having subscribed.
private let open: RawJSON = #"""
  {"personal_channel":true,
   "without_namespace":{"publish_for_client":"users","history_for_client":"users","presence_for_client":"users"}}
  """#

@Suite struct `A user's own channel` {
  /// Ids whose channels read as lists of users if one reads them as such, and who would be in the list.
  static let ids = [
    ("x#bob", "bob"), ("alice,bob", "bob"), ("alice,bob", "alice"), ("#bob", "bob"),
  ]

  @Test(arguments: ids)
  func `is closed to everybody else, on every socket`(_ owner: String, _ other: String) async throws
  {
    try await withRealtime(open) { host async throws in
      let mine = try await host.client(as: .user(owner))
      let client = try await host.client(as: .user(other))
      let plain = try await host.plain(as: .user(other))
      let channel = "#\(owner)"
      #expect(mine.connected.subs?.keys.map { $0 } == [channel])
      #expect(try await client.subscribe(channel).error?.code == 103)
      #expect(try await plain.subscribe(channel).code == "forbidden")
      for request in ["history", "presence", "presence_stats"] {
        let refused = try await client.ask(3, #""\#(request)":{"channel":"\#(channel)"}"#)
        #expect(refused.error?.code == 103, "\(request)")
        let told = try await plain.ask(3, #""type":"\#(request)","channel":"\#(channel)""#)
        #expect(told.code == "forbidden", "\(request)")
      }
      #expect(try await client.publish("1", in: channel).error?.code == 103)
      #expect(try await plain.publish("1", in: channel).code == "forbidden")
      let sent = try await host.request(
        "POST", "/v1/publish", body: #"{"channel":"\#(channel)","data":"secret"}"#, as: .key())
      #expect(sent.status == 200)
      try await host.settle()
      #expect(try await mine.heard(in: channel) == [#""secret""#])
      #expect(try await client.heard(in: channel) == [])
      #expect(try await plain.events(in: channel) == [])
    }
  }

  @Test(arguments: ids)
  func `is closed to everybody else who asks for its history or listens one way`(
    _ owner: String, _ other: String
  ) async throws {
    try await withRealtime(open) { host async throws in
      let escaped = "#\(owner)".replacing("#", with: "%23").replacing(",", with: "%2C")
      for (user, status) in [(owner, 200), (other, 403)] {
        let reply = try await host.request(
          "GET", "/v1/history/\(escaped)", handler: "history", parameters: ["#\(owner)"],
          as: .user(user))
        #expect(reply.status == status, "\(user)")
      }
      guard !owner.contains(",") else { return }
      let socket = try await host.listen(escaped, as: .user(other))
      #expect(try await socket.closed().code == 3507)
      let stream = try await host.request(
        "GET", "/connection/uni_sse?channels=\(escaped)", as: .user(other))
      #expect(stream.status == 403)
      #expect(try await host.listen(escaped, as: .user(owner)).hello().type == "connected")
    }
  }

  @Test func `is not opened to another by a token that names it`() async throws {
    try await withRealtime(open) { host async throws in
      let client = try await host.client(as: .user("bob"))
      let refused = try await client.subscribe("#x#bob", ##","token":"bob #x#bob""##)
      #expect(refused.error?.code == 103)
    }
  }

  @Test func `leaves lists of users behind a name as they are`() async throws {
    try await withRealtime(open) { host async throws in
      for (user, isAllowed) in [("alice", true), ("bob", true), ("carol", false)] {
        let client = try await host.client(as: .user(user))
        #expect(try await (client.subscribe("room#alice,bob").error == nil) == isAllowed, "\(user)")
      }
    }
  }
}
