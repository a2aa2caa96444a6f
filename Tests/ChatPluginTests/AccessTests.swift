import PluginKit
import PluginTesting
import Testing

@testable import ChatPlugin

@Suite struct `Access to a channel` {
  private let den = "private/den"

  /// `private:den` of bob, with alice as a member.
  private func withDen(
    _ config: RawJSON = bothTypes, _ body: (TestHost) async throws -> Void
  ) async throws {
    try await withChat(config) { host async throws in
      let made = try await host.create(
        #"{"type":"private","id":"den","members":["alice","bob"]}"#)
      #expect(made.status == 201)
      try await body(host)
    }
  }

  private func role(_ role: String, of user: String, _ host: TestHost) async throws {
    _ = try await host.execute(
      "UPDATE chat_members SET role = '\(role)' WHERE user_id = '\(user)'")
  }

  private static func ban(_ user: String, in channel: String = "den", until: String = "NULL")
    -> String
  {
    let type = channel.isEmpty ? "" : "private"
    return """
      INSERT INTO chat_bans (user_id, type, channel, shadow, expires_at, created_at)
      VALUES ('\(user)', '\(type)', '\(channel)', 0, \(until), 0)
      """
  }

  @Test func `is a member's who has been added, and an owner's who has made it`() async throws {
    try await withDen { host async throws in
      let rows = try await host.execute("SELECT user_id, role FROM chat_members ORDER BY user_id")
      #expect(rows == [["alice", "member"], ["bob", "owner"]])
    }
  }

  @Test func `is refused with the permission and the role`() async throws {
    try await withDen { host async throws in
      let message: Said = try await host.send("hello", to: den).json()
      let refused = try await host.request(
        "DELETE", "/v1/messages/\(message.id)", as: .user("alice"))
      #expect(refused.status == 403)
      #expect(
        refused.problem?.detail
          == "In private:den the role \"member\" may not delete_any_message.")
      try await role("moderator", of: "alice", host)
      #expect(
        try await host.request("DELETE", "/v1/messages/\(message.id)", as: .user("alice")).status
          == 204)
    }
  }

  @Test func `is as the settings grant it, also to roles of the app's own`() async throws {
    let config: RawJSON = #"""
      {"types":{"private":{"grants":{"member":["read_channel"],
        "scribe":["read_channel","send_message","edit_any_message"]}}}}
      """#
    try await withDen(config) { host async throws in
      let message: Said = try await host.send("hello", to: den).json()
      #expect(
        try await host.send("x", to: den, as: .user("alice")).problem?.detail
          == "In private:den the role \"member\" may not send_message.")
      #expect(try await host.list(of: den).status == 200)
      try await role("scribe", of: "alice", host)
      #expect(try await host.send("x", to: den, as: .user("alice")).status == 201)
      let edited = try await host.request(
        "PATCH", "/v1/messages/\(message.id)", body: #"{"text":"hallo"}"#, as: .user("alice"))
      #expect(edited.status == 200)
      // What the settings do not know any more is a member.
      try await role("gone", of: "alice", host)
      #expect(try await host.send("x", to: den, as: .user("alice")).status == 403)
      #expect(try await host.list(of: den).status == 200)
    }
  }

  @Test func `to an open channel can be for reading alone, and then no message makes it`()
    async throws
  {
    let config: RawJSON = #"{"types":{"news":{"open":true,"grants":{"user":["read_channel"]}}}}"#
    try await withChat(config) { host async throws in
      let reply = try await host.send("x", to: "news/today")
      #expect(reply.status == 403)
      #expect(reply.problem?.detail.contains("may not send_message") == true)
      let made = try await host.create(#"{"type":"news","id":"today"}"#)
      #expect(made.status == 403)
      #expect(made.problem?.detail.contains("create_channel") == true)
      #expect(try await host.list(of: "news/today").status == 200)
      let server = try await host.request(
        "POST", "/v1/channels/news/today/messages", body: #"{"text":"x","user_id":"bob"}"#,
        as: .key())
      #expect(server.status == 201)
      #expect(try await host.send("x", to: "news/today").status == 403)
    }
  }

  @Test func `ends for whoever writes with a ban, which may be timed and for the whole app`()
    async throws
  {
    try await withDen { host async throws in
      let message: Said = try await host.send("hello", to: den, as: .user("alice")).json()
      let start = host.now.unixMilliseconds
      _ = try await host.execute(Self.ban("alice", until: "\(start + 60_000)"))
      let refused = try await host.send("x", to: den, as: .user("alice"))
      #expect(refused.status == 403)
      #expect(
        refused.problem?.detail
          == "The user is banned from writing in private:den until 2026-01-01T00:01:00.000Z.")
      let path = "/v1/messages/\(message.id)"
      let edit = try await host.request(
        "PATCH", path, body: #"{"text":"x"}"#, as: .user("alice"))
      let reaction = try await host.request("PUT", "\(path)/reactions/like", as: .user("alice"))
      #expect([edit.status, reaction.status] == [403, 403])
      #expect(try await host.list(of: den).status == 200)
      #expect(try await host.send("x", to: "messaging/hall", as: .user("alice")).status == 201)
      try await host.advance(milliseconds: 60_000)
      #expect(try await host.send("x", to: den, as: .user("alice")).status == 201)
      _ = try await host.execute(Self.ban("alice", in: ""))
      #expect(
        try await host.send("x", to: "messaging/hall", as: .user("alice")).problem?.detail
          == "The user is banned from writing in this app's channels.")
      let server = try await host.request(
        "POST", "/v1/channels/private/den/messages", body: #"{"text":"x","user_id":"alice"}"#,
        as: .key())
      #expect(server.status == 201)
    }
  }

  @Test func `to a frozen channel is for reading, and for those who may use it all the same`()
    async throws
  {
    try await withDen { host async throws in
      let message: Said = try await host.send("hello", to: den, as: .user("alice")).json()
      _ = try await host.execute("UPDATE chat_channels SET frozen = 1")
      let refused = try await host.send("x", to: den, as: .user("alice"))
      #expect(refused.status == 403)
      #expect(
        refused.problem?.detail
          == "private:den is frozen: the role \"member\" may not use_frozen_channel.")
      let reaction = try await host.request(
        "PUT", "/v1/messages/\(message.id)/reactions/like", as: .user("alice"))
      #expect(reaction.status == 403)
      #expect(try await host.list(of: den).status == 200)
      #expect(try await host.send("x", to: den).status == 201)
    }
  }

  @Test(arguments: [
    (ban("alice"), 403), ("DELETE FROM chat_members WHERE user_id = 'alice'", 403),
    ("UPDATE chat_channels SET frozen = 1", 403),
    ("UPDATE chat_members SET role = 'mute' WHERE user_id = 'alice'", 403),
  ])
  func `is lost before a write that comes after it, however late it was looked at`(
    _ change: String, _ status: Int
  ) async throws {
    let config: RawJSON = #"{"types":{"private":{"grants":{"mute":["read_channel"]}}}}"#
    for step in 0..<3 {
      try await withDen(config) { host async throws in
        let message: Said = try await host.send("hello", to: den, as: .user("alice")).json()
        let events = try await host.events.count
        host.interpose(change)
        let path = "/v1/messages/\(message.id)"
        let reply =
          switch step {
          case 0: try await host.send("x", to: den, as: .user("alice"))
          case 1:
            try await host.request(
              "PATCH", path, body: #"{"text":"x"}"#, as: .user("alice"))
          default: try await host.request("PUT", "\(path)/reactions/like", as: .user("alice"))
          }
        // Whoever may not read a message any more is not told that it is there.
        let isRemoval = change.hasPrefix("DELETE") && step == 1
        #expect(reply.status == (isRemoval ? 404 : status), "step \(step) after \(change)")
        #expect(try await host.events.count == events)
      }
    }
  }

  @Test func `is nobody's to a channel that has been deleted, also while it is written to`()
    async throws
  {
    try await withDen { host async throws in
      host.interpose("UPDATE chat_channels SET deleted_at = 1")
      #expect(try await host.send("x", to: den, as: .user("alice")).status == 404)
      for principal in [Principal.user("alice"), .key()] {
        #expect(try await host.list(of: den, as: principal).status == 404)
        #expect(try await host.request("GET", "/v1/channels/\(den)", as: principal).status == 404)
        let again = try await host.create(#"{"type":"private","id":"den"}"#, as: principal)
        #expect(again.status == 409)
        #expect(again.problem?.detail.contains("stays taken") == true)
      }
    }
  }
}

@Suite struct `A type of channel` {
  @Test(arguments: [("reactions", "PUT"), ("reads", "POST"), ("typing", "POST")])
  func `does without what its settings turn off`(_ capability: String, _ method: String)
    async throws
  {
    let config: RawJSON = RawJSON(
      stringLiteral:
        #"{"types":{"messaging":{"open":true,"capabilities":{"\#(capability)":false}}}}"#)
    try await withChat(config) { host async throws in
      try await host.send("hello", id: "m1")
      let channel = "/v1/channels/messaging/general"
      let reply =
        switch capability {
        case "reactions":
          try await host.request("PUT", "/v1/messages/m1/reactions/like", as: .user("alice"))
        case "reads":
          try await host.request(
            "POST", "\(channel)/read", body: #"{"message_id":"m1"}"#, as: .user("alice"))
        default: try await host.request("POST", "\(channel)/typing", as: .user("alice"))
        }
      #expect(reply.status == 403)
      #expect(reply.problem?.detail.contains("\"\(capability)\"") == true)
    }
  }

  @Test func `bounds its messages by code points`() async throws {
    let config: RawJSON = #"{"types":{"messaging":{"open":true,"max_message_length":3}}}"#
    try await withChat(config) { host async throws in
      #expect(try await host.send("äöü", id: "m1").status == 201)
      let long = try await host.send("äöüß")
      #expect(long.status == 400)
      #expect(long.problem?.errors?.map(\.pointer) == ["/text"])
      let edit = try await host.request(
        "PATCH", "/v1/messages/m1", body: #"{"text":"long"}"#, as: .user("bob"))
      #expect(edit.problem?.errors?.map(\.pointer) == ["/text"])
    }
  }

  @Test func `refuses a role whose name is none`() async throws {
    await #expect {
      try await withChat(#"{"types":{"team":{"grants":{"The Boss":[]}}}}"#) { _ in }
    } throws: { ($0 as? ConfigurationError)?.pointer == "/types/team/grants/The Boss" }
  }
}
