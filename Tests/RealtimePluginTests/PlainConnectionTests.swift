import PluginKit
import Testing

@testable import PluginTesting
@testable import RealtimePlugin

@Suite struct `A connection of the plain socket` {
  @Test func `is asked whether it is there, and ends when it does not answer`() async throws {
    try await withRealtime { host async throws in
      let (here, away) = (try await host.plain(), try await host.plain(as: .user("bob")))
      for _ in 0..<4 { try await host.advance(milliseconds: 6_250) }
      try await host.settle()
      #expect(try await here.told.last?.type == "ping")
      try await here.socket.send(#"{"type":"pong"}"#)
      for _ in 0..<2 { try await host.advance(milliseconds: 4_000) }
      #expect(try await away.socket.closed() == CloseReason(code: 3012, text: "no pong"))
      #expect(try await here.ask(1, #""type":"ping""#).type == "pong")
    }
  }

  @Test func `is told that its token ends, and goes on with another`() async throws {
    try await withRealtime { host async throws in
      func user(_ name: String) -> Principal {
        Principal(
          kind: .user, id: name,
          expiresAt: Timestamp(unixMilliseconds: 1_767_225_600_000 + 40_000))
      }
      let (renews, lets) = (
        try await host.plain(as: user("alice")), try await host.plain(as: user("bob"))
      )
      func wait() async throws {
        for _ in 0..<5 { try await host.advance(milliseconds: 5_000) }
        try await host.settle()
      }
      try await wait()
      for client in [renews, lets] {
        #expect(try await client.told.contains { $0.code == "token_expiring" })
        try await client.socket.send(#"{"type":"pong"}"#)
      }
      #expect(try await renews.ask(2, #""type":"auth","token":"alice""#).type == "ack")
      try await wait()
      #expect(try await lets.socket.closed() == CloseReason(code: 3005, text: "connection expired"))
      try await renews.socket.send(#"{"type":"pong"}"#)
      try await renews.socket.send(#"{"type":"auth","token":"bob"}"#)
      #expect(try await renews.socket.closed() == CloseReason(code: 3500, text: "invalid token"))
    }
  }

  @Test func `finds its token in its first message`() async throws {
    try await withRealtime { host async throws in
      func found(_ message: String) async throws -> TestGreeting {
        try await host.greet("ws", message)
      }
      #expect(try await found(#"{"type":"auth","token":"t"}"#) == .credential("t"))
      #expect(try await found(#"{"type":"auth","token":""}"#) == .credential(nil))
      #expect(try await found(#"{"type":"subscribe","channel":"a"}"#) == .credential(nil))
      #expect(try await found("nonsense") == .refused(.invalid))
      #expect(try await found(#"{"type":"auth"}"#) == .refused(.invalid))
      for (message, why, id, reason) in [
        (#"{"type":"auth","token":"t","id":7}"#, Status.unauthenticated, #""id":7,"#, "invalid"),
        (#"{"type":"auth","token":"t"}"#, .expired, "", "expired"),
        ("nonsense", .invalid, "", "invalid"), (nil, .deadline, "", "timeout"),
        (#"{"type":"auth","token":"t"}"#, .denied, "", "denied"),
      ] {
        let told = try await host.refusal("ws", of: message, because: why)
        #expect(told.code == 3500)
        #expect(told.message?.hasPrefix(#"{"type":"error",\#(id)"code":"AUTH_REQUIRED","#) == true)
        #expect(told.message?.contains(#""reason":"\#(reason)""#) == true)
      }
      let limited = try await host.refusal("ws", of: nil, because: .limited)
      #expect(limited.code == 3013 && limited.message?.contains(#""retry_after":5"#) == true)
      #expect(try await host.refusal("ws", of: nil, because: .unavailable).code == 3004)
    }
  }

  @Test func `is not answered for the message that opened it, unless it asks`() async throws {
    try await withRealtime { host async throws in
      let (quiet, asking) = (try await host.plain(), try await host.plain())
      try await quiet.socket.send(#"{"type":"auth","token":"alice"}"#)
      #expect(try await quiet.ask(2, #""type":"ping""#).type == "pong")
      #expect(try await quiet.told.map(\.type) == ["handshake_validation", "pong"])
      #expect(try await asking.ask(1, #""type":"auth","token":"alice""#).type == "ack")
    }
  }

  @Test func `is told of what makes no sense, and ends when there is too much of it`() async throws
  {
    try await withRealtime { host async throws in
      let client = try await host.plain()
      for number in 0..<Conversation<Channel>.faultLimit {
        try await client.socket.send(number % 2 == 0 ? "nonsense" : #"{"type":"notes.none"}"#)
      }
      try await host.settle()
      #expect(
        try await client.told.filter { $0.type == "error" }.count
          == Conversation<Channel>.faultLimit)
      #expect(try await client.ask(1, #""type":"ping""#).type == "pong")
      try await client.socket.send("1")
      #expect(try await client.socket.closed() == CloseReason(code: 3501, text: "bad request"))
      #expect(host.metric("nonsense_closed_total") == 1)
    }
  }

  @Test func `may make mistakes again once it has been pinged`() async throws {
    var conversation = Conversation<Int>(phase: .connected)
    var isForgiven: [Bool] = []
    for _ in 0...Conversation<Int>.faultLimit { isForgiven.append(conversation.err()) }
    #expect(isForgiven.dropLast().allSatisfy { $0 } && isForgiven.last == false)
    _ = conversation.ping()
    let isForgivenAgain = conversation.err()
    #expect(isForgivenAgain)
  }

  @Test func `is told when events are missing, and when it is about to be closed`() async throws {
    try await withRealtime(everything) { host async throws in
      let client = try await host.plain()
      try await client.subscribe("chat:a:b")
      try await host.emit("1")
      try await host.deliver(offset: 7, epoch: "another")
      let lost = try #require(try await client.told.last)
      #expect(lost.type == "system_message" && lost.code == "insufficient_state")
      #expect(lost.channel == "chat:a:b")
      #expect(try await client.subscribe("chat:a:b", #","offset":1"#, id: 3).recovered == true)
      try await host.drain()
      try await host.settle()
      #expect(try await client.told.last?.code == "draining")
    }
  }
}
