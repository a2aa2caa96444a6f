import PluginKit
import PluginTesting
import Testing

@testable import ChatPlugin

extension TestHost {
  /// Replies in the thread of `parent`.
  @discardableResult
  func reply(
    _ id: String, to parent: String = "m1", _ more: String = "",
    in channel: String = "messaging/general", as principal: Principal = .user("alice")
  ) async throws -> TestReply {
    try await post(
      #"{"text":"\#(id)","id":"\#(id)","parent_id":"\#(parent)"\#(more)}"#, to: channel,
      as: principal)
  }

  func replies(
    _ query: String = "", to parent: String = "m1", as principal: Principal = .user("alice")
  ) async throws -> TestReply {
    try await request("GET", "/v1/messages/\(parent)/replies\(query)", as: principal)
  }

  fileprivate func ids(_ reply: TestReply) throws -> [String] {
    try reply.json(ListPage<Said>.self).data.map(\.id)
  }
}

/// What a message says of its thread.
struct ThreadView: Decodable {
  let replyCount: Int?
  let latestReplyAt: String?
  let participants: [String]?

  private enum CodingKeys: String, CodingKey {
    case replyCount = "reply_count"
    case latestReplyAt = "latest_reply_at"
    case participants
  }
}

@Suite struct `A reply` {
  @Test func `stands in its thread and not in the channel, unless it is to be shown there`()
    async throws
  {
    try await withChat { host async throws in
      try await host.send("topic", id: "m1")
      let sent = try await host.reply("r1")
      #expect(sent.status == 201 && sent.text.contains(#""parent_id":"m1","#))
      #expect(!sent.text.contains("show_in_channel"))
      let shown = try await host.reply("r2", to: "m1", #","show_in_channel":true"#)
      #expect(shown.text.contains(#""show_in_channel":true"#))
      try await host.send("more", id: "m2")
      #expect(try host.ids(try await host.list()) == ["m2", "r2", "m1"])
      #expect(try host.ids(try await host.replies()) == ["r2", "r1"])
      // Everybody who listens to the channel hears of each.
      #expect(try await host.events.map(\.offset) == [1, 2, 3, 4])
      #expect(try await host.events[1].data.text == sent.text)
      #expect(try await host.message("r1").text == sent.text)
      let again = try await host.reply("r1")
      #expect(again.status == 200 && again.text == sent.text)
      #expect(try await host.message("m1").json(ThreadView.self).replyCount == 2)
    }
  }

  @Test func `is counted with the message that it replies to, also when many come at once`()
    async throws
  {
    try await withChat { host async throws in
      try await host.send("topic", id: "m1")
      #expect(try await host.message("m1").json(ThreadView.self).replyCount == nil)
      try await withThrowingTaskGroup(of: Int.self) { group in
        for number in 0..<24 {
          group.addTask {
            try await host.reply("r\(number)", as: .user("u\(number % 12)")).status
          }
        }
        for try await status in group { #expect(status == 201) }
      }
      let view: ThreadView = try await host.message("m1").json()
      #expect(view.replyCount == 24)
      #expect(view.latestReplyAt == "2026-01-01T00:00:00.000Z")
      // In the order in which they came, each once, and no more than are shown.
      let oldest: ListPage<Author> = try await host.replies("?after=newer:0&limit=100").json()
      var known: Set<String> = []
      let order = oldest.data.map(\.userID).filter { known.insert($0).inserted }
      #expect(view.participants == Array(order.prefix(MessageScope.participants)))
      let listed: ListPage<ThreadView> = try await host.list().json()
      #expect(listed.data.map(\.replyCount) == [24])
      #expect(listed.data.first?.participants == view.participants)
    }
  }

  private struct Author: Decodable {
    let userID: String

    private enum CodingKeys: String, CodingKey { case userID = "user_id" }
  }

  @Test func `that is deleted is counted no more`() async throws {
    try await withChat { host async throws in
      try await host.send("topic", id: "m1")
      try await host.reply("r1")
      try await host.advance(milliseconds: 1_000)
      try await host.reply("r2", as: .user("carol"))
      #expect(
        try await host.request("DELETE", "/v1/messages/r2", as: .user("carol")).status == 204)
      let view: ThreadView = try await host.message("m1").json()
      #expect(view.replyCount == 1 && view.latestReplyAt == "2026-01-01T00:00:00.000Z")
      #expect(view.participants == ["alice"])
      #expect(
        try await host.events.last?.data.text.contains(#""user_id":"carol","parent_id":"m1""#)
          == true)
      #expect(
        try await host.request("DELETE", "/v1/messages/r1", as: .user("alice")).status == 204)
      let none: ThreadView = try await host.message("m1").json()
      #expect(none.replyCount == nil && none.latestReplyAt == nil && none.participants == nil)
      #expect(try await host.replies().text.hasPrefix(#"{"data":[],"next":null,"#))
      // Whoever comes back to a thread is among those who have replied again.
      try await host.reply("r3", as: .user("carol"))
      #expect(try await host.message("m1").json(ThreadView.self).participants == ["carol"])
    }
  }

  @Test func `needs a message of the channel that is no reply`() async throws {
    try await withChat { host async throws in
      try await host.send("topic", id: "m1")
      try await host.reply("r1")
      try await host.send("elsewhere", id: "m2", to: "messaging/other")
      try await host.send("gone", id: "m3")
      #expect(try await host.request("DELETE", "/v1/messages/m3", as: .user("bob")).status == 204)
      let before = try await host.events.count
      for parent in ["none", "m2", "m3", "r1"] {
        let refused = try await host.reply("x", to: parent)
        #expect(refused.status == 400, "\(parent)")
        #expect(refused.problem?.errors?.map(\.pointer) == ["/parent_id"])
      }
      let nested = try await host.reply("x", to: "r1")
      #expect(nested.text.contains(#"reply to \"m1\""#))
      let shown = try await host.post(#"{"text":"x","show_in_channel":true}"#)
      #expect(shown.problem?.errors?.map(\.pointer) == ["/show_in_channel"])
      #expect(try await host.events.count == before)
      #expect(try await host.message("m1").json(ThreadView.self).replyCount == 1)
    }
  }

  @Test func `is for who may send replies, where there are any`() async throws {
    let quiet: RawJSON = #"{"types":{"messaging":{"open":true,"capabilities":{"replies":false}}}}"#
    try await withChat(quiet) { host async throws in
      try await host.send("topic", id: "m1")
      let off = try await host.reply("r1")
      #expect(off.status == 403 && off.text.contains("replies"))
      #expect(try await host.replies().status == 403)
    }
    let grants: RawJSON =
      #"{"types":{"messaging":{"open":true,"grants":{"user":["read_channel","send_reply"]}}}}"#
    try await withChat(grants) { host async throws in
      try await host.create(#"{"type":"messaging","id":"general"}"#, as: .key())
      try await host.post(#"{"text":"topic","id":"m1","user_id":"bob"}"#, as: .key())
      #expect(try await host.reply("r1").status == 201)
      let refused = try await host.send("x")
      #expect(refused.status == 403 && refused.text.contains("send_message"))
    }
  }

  @Test func `and the deletion of what it replies to end well in either order`() async throws {
    try await withChat { host async throws in
      for number in 1...20 {
        let id = "m\(number)"
        try await host.send("topic", id: id)
        let reply = try await host.begin(
          "POST", "/v1/channels/messaging/general/messages",
          body: #"{"text":"x","id":"r\#(number)","parent_id":"\#(id)"}"#, as: .user("alice"))
        let deletion = try await host.begin("DELETE", "/v1/messages/\(id)", as: .user("bob"))
        let status = try await reply.reply().status
        #expect(try await deletion.reply().status == 204)
        #expect(status == 201 || status == 400)
        // A thread whose beginning is gone can be read, and goes on no more.
        let replies = try host.ids(try await host.replies(to: id))
        #expect(replies == (status == 201 ? ["r\(number)"] : []))
        #expect(try await host.reply("y\(number)", to: id).status == 400)
      }
    }
  }
}

@Suite struct `Reading a thread` {
  @Test func `goes on before, after and around a reply`() async throws {
    try await withChat { host async throws in
      try await host.send("topic", id: "m1")
      for number in 1...7 {
        try await host.reply("r\(number)")
        try await host.send("between", id: "b\(number)")
      }
      let first: ListPage<Said> = try await host.replies("?limit=3").json()
      #expect(first.data.map(\.id) == ["r7", "r6", "r5"])
      #expect(
        try host.ids(try await host.replies("?after=\(try #require(first.next))"))
          == ["r4", "r3", "r2", "r1"])
      #expect(try host.ids(try await host.replies("?before=r3")) == ["r2", "r1"])
      #expect(try host.ids(try await host.replies("?after=r5")) == ["r6", "r7"])
      #expect(try host.ids(try await host.replies("?around=r4&limit=3")) == ["r3", "r4", "r5"])
      for query in ["?after=b1", "?around=m1", "?before=none"] {
        #expect(try await host.replies(query).status == 400, "\(query)")
      }
    }
  }

  @Test func `is for those who may read its channel`() async throws {
    try await withChat { host async throws in
      try await host.create(#"{"type":"private","id":"p","members":["alice"]}"#)
      try await host.send("topic", id: "m1", to: "private/p")
      #expect(try await host.reply("r1", in: "private/p").status == 201)
      #expect(try await host.replies().status == 200)
      #expect(try await host.replies(as: .key()).status == 200)
      #expect(try await host.replies(as: .user("eve")).status == 404)
      #expect(try await host.replies(to: "none").status == 404)
      let ofReply = try await host.replies(to: "r1")
      #expect(ofReply.status == 400)
      #expect(ofReply.problem?.errors?.map(\.pointer) == ["/path/id"])
    }
  }
}
