import PluginKit
import Synchronization
import Testing

@testable import PluginTesting
@testable import RealtimePlugin

extension ProtocolClient {
  fileprivate func call(_ method: String, _ data: String, id: Int = 5) async throws -> Line {
    try await ask(id, #""rpc":{"method":"\#(method)","data":\#(data)}"#)
  }
}

@Suite struct `A call over the protocol` {
  @Test func `reaches whoever takes messages of its type, with the data byte for byte`()
    async throws
  {
    try await withRealtime { host async throws in
      try await host.take("notes.add") { message in
        [message.type, message.principal.id, message.data.text]
      }
      let client = try await host.client(as: .user("bob"))
      let data = #"{ "a" : 1.0 }"#
      #expect(
        try await client.call("notes.add", data).rpc?.data
          == RawJSON(encoding: ["notes.add", "bob", data]))
      // No data, as SDKs say it.
      #expect(
        try await client.call("notes.add", "null", id: 6).rpc?.data
          == RawJSON(encoding: ["notes.add", "bob", "{}"]))
    }
  }

  static let refusals: [(String, Status, String, Int, String)] = [
    (
      "what is wrong and where", .invalid, #","errors":[{"pointer":"/a","message":"too long"}]"#,
      107, "No. /a: too long"
    ),
    ("a missing scope", .denied, "", 103, "permission denied"),
    ("who is nobody", .unauthenticated, "", 101, "unauthorized"),
    ("a rate", .limited, "", 111, "too many requests"),
    ("a conflict", .conflict, "", 409, "No."),
    ("what is not there", .notFound, "", 404, "No."),
    ("a lost provider", .unavailable, "", 503, "No."),
    ("a deadline", .deadline, "", 504, "No."),
  ]

  @Test(arguments: refusals.indices) func `is refused with the protocol's words`(
    _ index: Int
  ) async throws {
    let (_, status, errors, code, words) = Self.refusals[index]
    try await withRealtime { host async throws in
      try await host.take("notes.add") { (_) -> String in
        throw HostError(status, #"{"code":"c","detail":"No."\#(errors)}"#)
      }
      let refused = try #require(try await host.client().call("notes.add", "{}").error)
      #expect(refused.code == code)
      #expect(refused.message == words)
      #expect((refused.temporary == true) == [111, 503, 504].contains(code))
    }
  }

  @Test func `and what is asked of the plugin itself is counted, and at last refused`()
    async throws
  {
    try await withRealtime { host async throws in
      try await host.take("notes.add") { _ in "ok" }
      let client = try await host.client()
      let before = try await host.countedMessages
      try await host.setAdmissible(1)
      #expect(try await client.ask(5, #""presence":{"channel":"room"}"#).error?.code != 111)
      #expect(try await client.ask(6, #""presence":{"channel":"room"}"#).error?.code == 111)
      #expect(try await client.ask(7, #""history":{"channel":"room"}"#).error?.code == 111)
      // The host counts by itself what it hands over, and a ping asks for nothing.
      #expect(try await client.call("notes.add", "{}", id: 8).error == nil)
      #expect(try await client.ask(9, #""ping":{}"#).error == nil)
      #expect(try await host.countedMessages == before)
    }
  }

  @Test func `of a type that nobody takes is refused, whatever it carries`() async throws {
    try await withRealtime { host async throws in
      let client = try await host.client()
      #expect(try await client.call("notes.none", "{}").error?.code == 104)
      #expect(try await client.ask(7, #""rpc":{}"#).error?.code == 104)
    }
  }

  @Test func `is one of a bounded number, beyond which others are refused and counted`()
    async throws
  {
    try await withRealtime { host async throws in
      try await host.take("notes.add") { _ in 1 }
      let client = try await host.client()
      let limit = Conversation<Channel>.commandLimit
      // In one message, so that none is answered before the last has come.
      let calls = (1...limit + 3).map { #"{"id":\#($0 + 10),"rpc":{"method":"notes.add"}}"# }
      let dropped = #"{"send":{"data":{"type":"notes.add"}}}"#
      try await client.socket.send((calls + [dropped]).joined(separator: "\n"))
      try await host.settle()
      let lines = try await client.lines
      #expect(lines.count { $0.rpc != nil } == limit)
      #expect(lines.count { $0.error?.code == 111 } == 3)
      #expect(host.metric("refused_commands_total") == 4)
    }
  }

  @Test func `without an answer is heard all the same`() async throws {
    try await withRealtime { host async throws in
      let heard = Heard()
      try await host.take("notes.add") { message in
        heard.add(message.data.text)
        return 1
      }
      let client = try await host.client()
      try await client.socket.clear()
      for data in [
        #"{"type":"notes.add","data":[1]}"#, #"{"type":"notes.add"}"#, #"{"type":"none.such"}"#,
        "1", "{}", #"{"type":7}"#,
      ] {
        try await client.socket.send(#"{"send":{"data":\#(data)}}"#)
      }
      try await host.settle()
      #expect(heard.all == ["[1]", "{}"])
      #expect(try await client.socket.received.isEmpty)
      #expect(try await client.ask(3, #""ping":{}"#).error == nil)
    }
  }
}

/// What a taker of messages has heard. Written on the host's loop and read after `settle`.
private final class Heard: Sendable {
  private let texts = Mutex<[String]>([])

  func add(_ text: String) { texts.withLock { $0.append(text) } }
  var all: [String] { texts.withLock { $0 } }
}
