import PluginKit
import Testing

@testable import PluginTesting
@testable import RealtimePlugin

@Suite struct `The protocol's tokens and pings` {
  @Test func `listens with a token of the channel where that is asked for`() async throws {
    try await withRealtime(everything) { host async throws in
      let client = try await host.client()
      func code(_ channel: String, _ token: String, id: Int) async throws -> Int? {
        try await client.subscribe(channel, #","token":"\#(token)""#, id: id).error?.code
      }
      #expect(try await code("$room", "invalid", id: 2) == 103)
      #expect(try await code("$room", "alice $other", id: 3) == 103)
      #expect(try await code("$room", "bob $room", id: 4) == 103)
      #expect(try await code("$room", "expired", id: 5) == 109)
      #expect(try await code("$room", "alice $room", id: 6) == nil)
      #expect(try await code("closed:x", "alice closed:x", id: 7) == nil)
      // A token that is not needed must be good all the same.
      #expect(try await code("room", "invalid", id: 8) == 103)
      let late = try await client.ask(
        12, #""sub_refresh":{"channel":"$room","token":"expired"}"#)
      // The subscription is there still, and the client asks for a new token.
      #expect(late.error?.code == 109 && late.error?.temporary == true)
      #expect(
        try await client.ask(13, #""sub_refresh":{"channel":"$room"}"#).error?.code == 107)
      let renewed = #""sub_refresh":{"channel":"$room","token":"alice $room"}"#
      #expect(try await client.ask(9, renewed).error == nil)
      #expect(
        try await client.ask(10, #""sub_refresh":{"channel":"$room","token":"invalid"}"#).error?
          .code
          == 103)
      #expect(
        try await client.ask(11, #""sub_refresh":{"channel":"room","token":"alice room"}"#).error?
          .code
          == 103)
      for _ in 0..<16 {
        try await host.advance(milliseconds: 7_000)
        try await client.socket.send("{}")
      }
      // Their tokens have run out.
      #expect(
        try await client.lines.compactMap { $0.push?.unsubscribe?.code } == [2501, 2501])
    }
  }

  @Test func `goes on with a new token, and ends with a wrong one`() async throws {
    try await withRealtime { host async throws in
      let user = Principal(
        kind: .user, id: "alice",
        expiresAt: Timestamp(unixMilliseconds: 1_767_225_600_000 + 20_000))
      let client = try await host.client(as: user)
      #expect(try await client.ask(3, #""refresh":{"token":"alice"}"#).error == nil)
      for _ in 0..<6 {
        try await host.advance(milliseconds: 7_000)
        try await client.socket.send("{}")
      }
      try await client.socket.send(#"{"id":4,"refresh":{"token":"bob"}}"#)
      #expect(try await client.socket.closed() == CloseReason(code: 3500, text: "invalid token"))
    }
  }

  @Test(arguments: [
    ("expired", CloseReason(code: 3005, text: "connection expired")),
    ("", CloseReason(code: 3501, text: "bad request")),
    ("nonsense", CloseReason(code: 3500, text: "invalid token")),
  ])
  func `is sent away with a token that will not do`(token: String, reason: CloseReason)
    async throws
  {
    try await withRealtime { host async throws in
      let client = try await host.client()
      try await client.socket.send(#"{"id":2,"refresh":{"token":"\#(token)"}}"#)
      #expect(try await client.socket.closed() == reason)
    }
  }

  @Test func `finds its token in connect, and says why a client is not let in`() async throws {
    try await withRealtime { host async throws in
      let connect = #"{"id":7,"connect":{"token":"e.y.J"}}"#
      #expect(try await host.greet("websocket", connect + "\n{}") == .credential("e.y.J"))
      #expect(try await host.greet("websocket", #"{"id":7,"connect":{}}"#) == .credential(nil))
      #expect(try await host.greet("websocket", #"{"id":7,"ping":{}}"#) == .refused(.invalid))
      #expect(try await host.greet("websocket", "nonsense") == .refused(.invalid))
      let told: [(Status, Int)] = [
        (.unauthenticated, 3500), (.notFound, 3503), (.denied, 3507), (.invalid, 3501),
        (.deadline, 3502), (.limited, 3013), (.unavailable, 3004), (.internal, 3004),
      ]
      for (why, code) in told {
        let farewell = try await host.refusal("websocket", of: connect, because: why)
        #expect(farewell.code == code)
        #expect(farewell.message == nil)
      }
      #expect(
        try await host.refusal("websocket", of: connect, because: .expired)
          == TestFarewell(
            message: #"{"id":7,"error":{"code":109,"message":"token expired"}}"#, code: 3005,
            reason: "connection expired"))
    }
  }

  @Test func `pings, and closes a connection that does not answer`() async throws {
    try await withRealtime { host async throws in
      let (quiet, alive) = (try await host.client(), try await host.client(as: .user("bob")))
      let fresh = try await host.open()
      try await host.advance(milliseconds: 3_000)
      #expect(try await alive.socket.received.last?.text == "{}")
      try await alive.socket.send("{}")
      try await host.advance(milliseconds: 8_000)
      #expect(try await quiet.socket.closed() == CloseReason(code: 3012, text: "no pong"))
      #expect(try await fresh.closed() == CloseReason(code: 3502, text: "stale"))
      #expect(host.metric("connections") == 1)
      try await host.advance(milliseconds: 16_000)
      #expect(try await alive.socket.received.filter { $0.text == "{}" }.count == 2)
    }
  }

  @Test func `ends with its token`() async throws {
    try await withRealtime { host async throws in
      let user = Principal(
        kind: .user, id: "alice",
        expiresAt: Timestamp(unixMilliseconds: 1_767_225_600_000 + 20_000))
      let client = try await host.client(as: user)
      for _ in 0..<4 {
        try await host.advance(milliseconds: 7_000)
        if try await host.onLoop({ !$0.connections.isEmpty }) {
          try? await client.socket.send("{}")
        }
      }
      #expect(
        try await client.socket.closed() == CloseReason(code: 3005, text: "connection expired"))
    }
  }
}
