import PluginKit
import PluginTesting
import Testing

@testable import ChatPlugin

extension TestHost {
  /// What a user was told last of his counts, after all has been said.
  fileprivate func lastCount(_ user: String, _ type: String = "chat.unread") async throws -> String?
  {
    try await breathe()
    return try await published.last { $0.channel == "#\(user)" && $0.type == type }?.data.text
  }

  fileprivate func mark(_ id: String, _ more: String = "", as user: String = "alice") async throws
    -> TestReply
  {
    try await request(
      "POST", "/v1/channels/private/p/read", body: #"{"message_id":"\#(id)"\#(more)}"#,
      as: .user(user))
  }
}

@Suite struct `Marking as unread` {
  @Test func `takes a channel's mark back, and tells nobody else`() async throws {
    try await withChat { host async throws in
      try await host.create(#"{"type":"private","id":"p","members":["alice"]}"#)
      for number in 1...3 { try await host.send("\(number)", id: "m\(number)", to: "private/p") }
      #expect(try await host.mark("m3").text.contains(#""message_id":"m3""#))
      let back = try await host.mark("m2", #","unread":true"#)
      #expect(back.text.contains(#""message_id":"m1","#) && back.text.contains(#""unread":2}"#))
      #expect(
        try await host.lastCount("alice")
          == #"{"channel":"private:p","unread":2,"message_id":"m1"}"#)
      // Nothing of the channel is read any more.
      let all = try await host.mark("m1", #","unread":true"#)
      #expect(!all.text.contains("message_id") && all.text.contains(#""unread":3}"#))
      #expect(try await host.lastCount("alice") == #"{"channel":"private:p","unread":3}"#)
      #expect(try await host.published.filter { $0.type == "chat.read" }.count == 1)
      #expect(try await host.mark("m3").text.contains(#""unread":0}"#))
      #expect(try await host.mark("none", #","unread":true"#).status == 400)
      #expect(
        try await host.said("read", #"{"channel":"private:p","message_id":"m3","unread":true}"#)
          .contains(#""message_id":"m2""#))
    }
  }

  @Test func `takes a thread's mark back, to a reply or to its beginning`() async throws {
    try await withChat { host async throws in
      try await host.send("topic", id: "m1", as: .user("alice"))
      for number in 1...3 { try await host.reply("r\(number)", as: .user("bob")) }
      let path = "/v1/messages/m1/thread/read"
      #expect(
        try await host.request("POST", path, as: .user("alice")).text.contains(#""unread":0"#))
      for (body, unread) in [
        (#"{"message_id":"r3","unread":true}"#, 1), (#"{"unread":true}"#, 3),
        (#"{"message_id":"r1"}"#, 2),
      ] {
        let read = try await host.request("POST", path, body: body, as: .user("alice"))
        #expect(read.text.contains(#""unread":\#(unread)}"#), "\(body)")
        #expect(try await host.lastCount("alice", "chat.thread.unread") == read.text)
      }
      #expect(
        try await host.said("read_thread", #"{"parent_id":"m1","unread":true}"#, by: "alice")
          .contains(#""unread":3}"#))
    }
  }

  @Test func `before he comes is told when he has come`() async throws {
    try await withChat { host async throws in
      try await host.create(#"{"type":"messaging","id":"general"}"#)
      try await host.send("1", id: "m1")
      let marked = try await host.request(
        "POST", "/v1/channels/messaging/general/read", body: #"{"message_id":"m1","unread":true}"#,
        as: .user("alice"))
      #expect(marked.status == 200)
      let come = try await host.request(
        "POST", "/v1/channels/messaging/general/members", body: #"{"members":["alice","carol"]}"#,
        as: .key())
      #expect(come.status == 200)
      #expect(
        try await host.lastCount("alice") == #"{"channel":"messaging:general","unread":1}"#)
      #expect(try await host.lastCount("carol") == nil)
    }
  }

  @Test func `is for a message that nobody else sees as for any other`() async throws {
    try await withChat { host async throws in
      try await host.create(#"{"type":"private","id":"p","members":["alice"]}"#)
      try await host.send("topic", id: "m1", to: "private/p")
      _ = try await host.request(
        "PUT", "/v1/channels/private/p/bans/alice", body: #"{"shadow":true}"#, as: .key())
      try await host.send("held", id: "h1", to: "private/p", as: .user("alice"))
      _ = try await host.reply("h2", in: "private/p", as: .user("alice"))
      #expect(try await host.mark("h1").status == 200)
      #expect(try await host.mark("h1", #","unread":true"#).status == 200)
      #expect(try await host.mark("h1", as: "bob").status == 400)
      let thread = try await host.request(
        "POST", "/v1/messages/m1/thread/read", body: #"{"message_id":"h2"}"#, as: .user("alice"))
      #expect(thread.status == 200)
    }
  }
}
