import PluginKit
import Testing

@testable import PluginTesting
@testable import RealtimePlugin

/// Clients are pinged rarely, and positions are looked at often.
private let watchful: RawJSON = #"{"ping_interval_seconds":600,"position_check_seconds":4}"#

extension TestHost {
  /// Passes two intervals: after the first it is known that the channel is quiet.
  fileprivate func wait() async throws {
    for _ in 0..<9 { try await advance(milliseconds: 1_000) }
    try await settle()
  }
}

@Suite struct `Where quiet channels stand` {
  @Test func `is looked at, so that what was lost as the last one is heard by all`() async throws {
    try await withRealtime(watchful) { host async throws in
      let (sdk, plain) = (try await host.client(), try await host.plain())
      let listener = try await host.listen("chat:a:b")
      try await sdk.subscribe("chat:a:b")
      try await plain.subscribe("chat:a:b")
      try await host.emit("1")
      try await host.emit("2", isLost: true)
      #expect(try await plain.events(in: "chat:a:b").map(\.offset) == [1])
      try await host.wait()
      #expect(try await plain.events(in: "chat:a:b").map(\.offset) == [1, 2])
      #expect(try await sdk.publications(in: "chat:a:b").map(\.offset) == [1, 2])
      #expect(try await listener.offsets(3) == [1, 2])
    }
  }

  @Test func `ends subscriptions to what the history does not know`() async throws {
    try await withRealtime(watchful) { host async throws in
      let (sdk, plain) = (try await host.client(), try await host.plain())
      try await host.emit("1")
      let epoch = try #require(try await sdk.subscribe("chat:a:b").subscribe?.epoch)
      try await plain.subscribe("chat:a:b")
      try await host.deliver(offset: 2, epoch: epoch)
      try await host.wait()
      #expect(try await sdk.lines.compactMap { $0.push?.unsubscribe?.code } == [2500])
      #expect(try await plain.told.last?.code == "insufficient_state")
      #expect(try await sdk.subscribe("chat:a:b", id: 3).subscribe?.offset == 1)
    }
  }

  @Test func `closes the connection where the server has subscribed it`() async throws {
    try await withRealtime(
      #"{"ping_interval_seconds":600,"position_check_seconds":4,"personal_channel":true}"#
    ) {
      host async throws in
      let client = try await host.client()
      let epoch = try #require(client.connected.subs?["#alice"]?.epoch)
      try await host.deliver(offset: 1, epoch: epoch, "#alice")
      try await host.wait()
      #expect(
        try await client.socket.closed() == CloseReason(code: 3010, text: "insufficient state"))
    }
  }

  @Test func `is read once for a channel, however many listen, and not while it speaks`()
    async throws
  {
    try await withRealtime(watchful) { host async throws in
      for number in 0..<10 {
        try await host.plain(as: .user("u\(number)")).subscribe("chat:a:b")
      }
      for number in 0..<8 {
        try await host.emit(RawJSON(encoding: number))
        try await host.advance(milliseconds: 1_000)
      }
      #expect(host.metric("verifications_total") == 0)
      for _ in 0..<12 { try await host.advance(milliseconds: 1_000) }
      try await host.settle()
      let reads = host.metric("verifications_total") ?? 0
      #expect((2...3).contains(reads), "\(reads)")
    }
  }
}
