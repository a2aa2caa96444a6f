import PluginKit
import PluginTesting
import Testing

@testable import ChatPlugin

@Suite struct `The authority over chat's channels` {
  private struct Reply: Decodable, Equatable {
    let allow: Bool
    let reason: String?
  }

  private func ask(
    _ host: TestHost, _ channel: String, _ action: String, kind: String = "user",
    id: String = "alice", scopes: String = #""messages.read""#
  ) async throws -> Reply {
    let question =
      #"{"channel":"\#(channel)","action":"\#(action)","#
      + #""principal":{"kind":"\#(kind)","id":"\#(id)","scopes":[\#(scopes)]}}"#
    let reply = try await host.call(
      "sluice.channel-authority/1", key: "chat", method: 1, bytes: Array(question.utf8))
    return try JSON.decode(from: reply)
  }

  @Test func `lets every user and the server listen to an open channel`() async throws {
    try await withChat { host async throws in
      for action in ["subscribe", "history"] {
        #expect(try await ask(host, "chat:messaging:general", action).allow)
        #expect(try await ask(host, "chat:messaging:general", action, kind: "key").allow)
      }
    }
  }

  @Test func `lets nobody listen whose credential may not read messages`() async throws {
    try await withChat { host async throws in
      for (scopes, allows) in [
        ("", false), (#""messages.write""#, false), (#""a","messages.read""#, true),
        (#""*""#, true),
      ] {
        for action in ["subscribe", "history"] {
          for kind in ["user", "key"] {
            let reply = try await ask(
              host, "chat:messaging:general", action, kind: kind, scopes: scopes)
            #expect(reply.allow == allows, "\(kind) \(action) \(scopes)")
          }
        }
      }
    }
  }

  @Test func `lets members and the server listen to a closed one`() async throws {
    try await withChat { host async throws in
      try await host.create(#"{"type":"private","id":"den","members":["alice"]}"#)
      #expect(try await ask(host, "chat:private:den", "subscribe").allow)
      #expect(try await ask(host, "chat:private:den", "history", kind: "key").allow)
      let eve = try await ask(host, "chat:private:den", "subscribe", id: "eve")
      #expect(
        eve
          == Reply(
            allow: false,
            reason:
              "In private:den the role \"user\", of whoever is no member, may not read_channel."))
      #expect(try await !ask(host, "chat:private:none", "subscribe").allow)
      #expect(try await ask(host, "chat:private:none", "history", kind: "key").allow)
    }
  }

  @Test(arguments: [
    ("chat:messaging:general", "publish", "user"), ("chat:messaging:general", "rewrite", "user"),
    ("chat:messaging:general", "subscribe", "anonymous"),
    ("chat:messaging:general", "subscribe", "account"), ("chat:team:general", "subscribe", "user"),
    ("chat:messaging", "subscribe", "user"), ("chat:messaging:a b", "subscribe", "user"),
  ])
  func `refuses the rest with a reason`(
    _ channel: String, _ action: String, _ kind: String
  ) async throws {
    try await withChat { host async throws in
      let reply = try await ask(host, channel, action, kind: kind)
      #expect(!reply.allow && reply.reason?.isEmpty == false)
    }
  }

  @Test func `tells who may read a channel who listens to it, unless the type has it not`()
    async throws
  {
    struct Reply: Decodable {
      struct Options: Decodable { let presence: Bool }
      let allow: Bool
      let options: Options?
    }
    let config: RawJSON =
      #"{"types":{"messaging":{"open":true},"private":{},"quiet":{"open":true,"capabilities":{"presence":false}}}}"#
    try await withChat(config) { host async throws in
      func ask(_ channel: String, _ action: String, _ user: String) async throws -> Reply {
        let question =
          #"{"channel":"chat:\#(channel)","action":"\#(action)","principal":{"kind":"user","#
          + #""id":"\#(user)","scopes":["messages.read"]}}"#
        return try JSON.decode(
          from: try await host.call(
            "sluice.channel-authority/1", key: "chat", method: 1, bytes: Array(question.utf8)))
      }
      try await host.create(#"{"type":"private","id":"den","members":["alice"]}"#)
      for channel in ["messaging:general", "private:den"] {
        #expect(try await ask(channel, "presence", "alice").allow)
        #expect(try await ask(channel, "subscribe", "alice").options?.presence == true)
      }
      #expect(try await !ask("private:den", "presence", "eve").allow)
      #expect(try await !ask("quiet:hall", "presence", "alice").allow)
      let quiet = try await ask("quiet:hall", "subscribe", "alice")
      #expect(quiet.allow && quiet.options == nil)
    }
  }

  @Test func `refuses a question that is none`() async throws {
    try await withChat { host async throws in
      await #expect {
        try await host.call(
          "sluice.channel-authority/1", key: "chat", method: 1, bytes: Array("{}".utf8))
      } throws: { ($0 as? HostError)?.status == .invalid }
    }
  }
}
