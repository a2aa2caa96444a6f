import PluginKit
import PluginTesting
import Testing

@testable import ChatPlugin

extension TestHost {
  fileprivate func type(
    _ body: String = "", in channel: String = "messaging/general",
    as principal: Principal = .user("alice")
  ) async throws -> Int {
    try await request("POST", "/v1/channels/\(channel)/typing", body: body, as: principal).status
  }

  fileprivate var typing: [String] {
    get async throws {
      try await settle()
      return try await published.filter { $0.type == "chat.typing" }.map(\.data.text)
    }
  }
}

@Suite struct `Saying that one writes` {
  @Test func `is passed on and kept nowhere`() async throws {
    try await withChat { host async throws in
      #expect(try await host.type() == 204)
      #expect(
        try await host.typing == [
          #"{"channel":"messaging:general","user_id":"alice","active":true}"#
        ])
      #expect(try await host.published.first?.channel == "chat:messaging:general")
      #expect(try await host.events.isEmpty)
      #expect(try await host.list().text.hasPrefix(#"{"data":[],"next":null,"#))
    }
  }

  @Test func `is passed on now and then, and at once when it ends`() async throws {
    try await withChat { host async throws in
      for _ in 0..<5 { #expect(try await host.type() == 204) }
      #expect(try await host.typing.count == 1)
      try await host.advance(milliseconds: Int(TypingThrottle.change))
      #expect(try await host.type(#"{"active":false}"#) == 204)
      #expect(try await host.typing.count == 2)
      #expect(try await host.type() == 204)
      #expect(try await host.typing.count == 2)
      #expect(try await host.type(as: .user("bob")) == 204)
      try await host.advance(milliseconds: Int(TypingThrottle.pause))
      #expect(try await host.type() == 204)
      #expect(try await host.typing.count == 4)
    }
  }

  @Test func `is passed on anew after a message`() async throws {
    try await withChat { host async throws in
      for channel in ["messaging/general", "messaging/other"] {
        #expect(try await host.type(in: channel) == 204)
      }
      try await host.send("hello", as: .user("alice"))
      for channel in ["messaging/general", "messaging/other"] {
        #expect(try await host.type(in: channel) == 204)
      }
      #expect(try await host.typing.count == 3)
    }
  }

  @Test func `is for whoever may write there`() async throws {
    try await withChat { host async throws in
      try await host.create(#"{"type":"private","id":"p","members":["bob"]}"#)
      #expect(try await host.type(in: "private/p") == 403)
      #expect(try await host.type(in: "private/q") == 404)
      #expect(try await host.type(in: "none/q") == 404)
      #expect(try await host.type(as: .key()) == 400)
      #expect(try await host.type(#"{"user_id":"bob"}"#) == 403)
      #expect(try await host.type(#"{"user_id":"bob"}"#, in: "private/p", as: .key()) == 204)
      #expect(try await host.typing.count == 1)
    }
  }

  @Test func `is remembered for a bounded number of users`() {
    var throttle = TypingThrottle()
    func passes(_ user: Int, _ now: Int64) -> Bool {
      throttle.passes(Typing(channel: "a:b", userID: "u\(user)", active: true), at: now)
    }
    for user in 0..<TypingThrottle.limit { #expect(passes(user, 0)) }
    #expect(!passes(TypingThrottle.limit, 1))
    #expect(passes(TypingThrottle.limit, TypingThrottle.pause))
  }

  @Test func `in very many channels silences nobody else`() {
    var throttle = TypingThrottle()
    func passes(_ user: String, _ channel: Int, _ now: Int64) -> Bool {
      throttle.passes(Typing(channel: "a:\(channel)", userID: user, active: true), at: now)
    }
    for channel in 0..<TypingThrottle.limit {
      #expect(passes("mallory", channel, 0) == (channel < TypingThrottle.channels))
    }
    #expect(passes("alice", 0, 1))
    #expect(!passes("mallory", TypingThrottle.channels, 1))
    // What is old is forgotten, of whoever it is.
    #expect(passes("mallory", TypingThrottle.channels, TypingThrottle.pause))
    #expect(!passes("alice", 0, TypingThrottle.pause))
    #expect(passes("alice", 0, TypingThrottle.pause + 1))
  }
}
