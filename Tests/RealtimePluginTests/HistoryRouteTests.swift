import PluginKit
import Testing

@testable import PluginTesting
@testable import RealtimePlugin

@Suite struct `The history of a channel` {
  private struct Page: Decodable {
    let data: [Seen]
    let next: String?
    let offset: UInt64
    let epoch: String
  }

  private func read(
    _ host: TestHost, _ channel: String = "chat:a:b", _ query: String = ""
  ) async throws -> TestReply {
    try await host.request("GET", "/v1/history/\(channel)\(query)", as: .user("alice"))
  }

  @Test func `is read from an offset on, oldest first`() async throws {
    try await withRealtime { host async throws in
      for number in 1...5 { try await host.emit(RawJSON(stringLiteral: "\(number)")) }
      let first: Page = try await read(host, "chat:a:b", "?limit=2").json()
      #expect(first.data.map(\.offset) == [1, 2])
      #expect(first.offset == 5 && first.next == "2")
      let second: Page = try await read(host, "chat:a:b", "?limit=2&after=2").json()
      #expect(second.data.map(\.offset) == [3, 4] && second.next == "4")
      let third: Page = try await read(host, "chat:a:b", "?limit=2&after=4").json()
      #expect(third.data.map(\.offset) == [5] && third.next == nil)
      let rest: Page = try await read(host, "chat:a:b", "?since=2").json()
      #expect(rest.data.map(\.offset) == [3, 4, 5])
      #expect(rest.data.allSatisfy { $0.channel == "chat:a:b" && $0.epoch == rest.epoch })
      let end: Page = try await read(host, "chat:a:b", "?since=5").json()
      #expect(end.data.isEmpty && end.offset == 5)
    }
  }

  @Test func `shows an event as the socket does`() async throws {
    try await withRealtime { host async throws in
      let socket = try await host.listen("chat:a:b")
      _ = try await socket.hello()
      try await host.emit(#"{ "a": 1 }"#)
      let event = try await socket.messages(2)[1].text
      #expect(try await read(host).text.hasPrefix(#"{"data":[\#(event)],"next":null,"offset":1,"#))
    }
  }

  @Test func `of a channel without events is empty`() async throws {
    try await withRealtime { host async throws in
      #expect(try await read(host).text.hasPrefix(#"{"data":[],"next":null,"offset":0,"epoch":""#))
    }
  }

  @Test(arguments: [
    ("chat:secret:x", "", 403), ("none:x", "", 404), ("chat:broken:x", "", 503),
    (":general", "", 400), ("chat:a:b", "?since=-1", 400), ("chat:a:b", "?since=x", 400),
    ("chat:a:b", "?limit=0", 400), ("chat:a:b", "?limit=101", 400),
    ("chat:a:b", "?since=9223372036854775808", 400),
  ])
  func `is refused with what is wrong`(
    _ channel: String, _ query: String, _ status: Int
  ) async throws {
    try await withRealtime { host async throws in
      let reply = try await read(host, channel, query)
      #expect(reply.status == status)
      if status == 403 { #expect(reply.problem?.detail == "It is a secret.") }
      if status == 400 { #expect(reply.problem?.errors?.count == 1) }
    }
  }
}
