import PluginKit
import PluginTesting
import Testing

@testable import ChatPlugin

extension TestHost {
  fileprivate func remind(
    _ body: String = "", at id: String = "m1", as principal: Principal = .user("alice")
  ) async throws -> TestReply {
    try await request("PUT", "/v1/messages/\(id)/reminder", body: body, as: principal)
  }

  fileprivate func forget(
    _ id: String = "m1", as principal: Principal = .user("alice")
  ) async throws -> TestReply {
    try await request("DELETE", "/v1/messages/\(id)/reminder", as: principal)
  }

  fileprivate func reminders(
    _ query: String = "", as principal: Principal = .user("alice")
  ) async throws -> ListPage<Kept> {
    try await request("GET", "/v1/reminders\(query)", as: principal).json()
  }

  /// What was told on a user's own channel, and what was committed, of reminders.
  fileprivate func told() async throws -> [String] {
    try await published.filter { $0.type?.hasPrefix("chat.reminder") == true }.map {
      "\($0.channel ?? "") \($0.type ?? "")"
    }
  }

  fileprivate func dueEvents() async throws -> [String] {
    try await events.filter { $0.type == "chat.reminder.due" }.map(\.data.text)
  }
}

private struct Kept: Decodable {
  let messageID: String
  let message: Said
  let remindedAt: Timestamp?

  private enum CodingKeys: String, CodingKey {
    case messageID = "message_id"
    case message
    case remindedAt = "reminded_at"
  }
}

@Suite struct `A reminder` {
  @Test func `comes once at its time, to its user alone`() async throws {
    try await withChat { host async throws in
      try await host.send("call me", id: "m1")
      let kept = try await host.remind(#"{"remind_at":"2026-01-01T01:00:00Z"}"#)
      #expect(kept.status == 200)
      #expect(
        kept.text
          == #"{"message_id":"m1","channel":"messaging:general","user_id":"alice","#
          + #""remind_at":"2026-01-01T01:00:00.000Z","created_at":"2026-01-01T00:00:00.000Z","#
          + #""updated_at":"2026-01-01T00:00:00.000Z"}"#)
      #expect(try await host.alarm == Timestamp(rfc3339: "2026-01-01T01:00:00Z"))
      try await host.advance(milliseconds: 3_599_999)
      #expect(try await host.told() == ["#alice chat.reminder.updated"])
      try await host.advance(milliseconds: 1)
      #expect(
        try await host.told() == ["#alice chat.reminder.updated", "#alice chat.reminder.due"])
      let events = try await host.dueEvents()
      #expect(events.count == 1 && events[0].contains(#""reminded_at":"2026-01-01T01:00:00.000Z""#))
      #expect(try await host.alarm == nil)
      // A gateway that was killed may wake it once more.
      try await host.wake()
      #expect(try await host.dueEvents() == events)
      #expect(try await host.reminders("?due=true").data.map(\.message.text) == ["call me"])
      #expect(try await host.reminders("?due=false").data.isEmpty)
      #expect(try await host.reminders(as: .user("bob")).data.isEmpty)
    }
  }

  @Test func `without a time is kept in the list, and another takes its place`() async throws {
    try await withChat { host async throws in
      for id in ["m1", "m2"] {
        try await host.send(id, id: id)
        #expect(try await host.remind(at: id).status == 200)
        try await host.advance(milliseconds: 1_000)
      }
      #expect(try await host.alarm == nil)
      #expect(try await host.reminders().data.map(\.messageID) == ["m2", "m1"])
      let first = try await host.reminders("?limit=1")
      #expect(first.data.map(\.messageID) == ["m2"])
      let second = try await host.reminders("?limit=1&after=\(try #require(first.next))")
      #expect(second.data.map(\.messageID) == ["m1"] && second.next == nil)
      #expect(try await host.remind(#"{"remind_at":"2026-01-01T00:01:00Z"}"#).status == 200)
      try await host.advance(milliseconds: 60_000)
      #expect(try await host.reminders("?due=true").data.map(\.messageID) == ["m1"])
      // Told once, it comes again when it is set again.
      #expect(try await host.remind(#"{"remind_at":"2026-01-01T01:00:00Z"}"#).status == 200)
      #expect(try await host.reminders("?due=true").data.isEmpty)
      try await host.advance(milliseconds: 3_600_000)
      #expect(try await host.dueEvents().count == 2)
      for _ in 0..<2 { #expect(try await host.forget().status == 204) }
      #expect(try await host.told().filter { $0.hasSuffix("deleted") }.count == 1)
      #expect(try await host.reminders().data.map(\.messageID) == ["m2"])
    }
  }

  @Test func `is not told of what is deleted, or may not be read any more`() async throws {
    try await withChat { host async throws in
      try await host.create(#"{"type":"private","id":"p","members":["alice","bob"]}"#, as: .key())
      try await host.send("deleted", id: "m1")
      try await host.send("hidden", id: "m2", to: "private/p")
      try await host.send("purged", id: "m3")
      for id in ["m1", "m2", "m3"] {
        let kept = try await host.remind(#"{"remind_at":"2026-01-01T01:00:00Z"}"#, at: id)
        #expect(kept.status == 200)
      }
      for path in [
        "messages/m1", "channels/private/p/members?user_id=alice", "messages/m3?hard=true",
      ] {
        let gone = try await host.request("DELETE", "/v1/\(path)", as: .key())
        #expect(gone.status == 204, "\(path)")
      }
      #expect(try await host.reminders().data.isEmpty)
      try await host.advance(milliseconds: 3_600_000)
      #expect(try await host.dueEvents().isEmpty)
      #expect(try await host.told().filter { $0.hasSuffix("due") }.isEmpty)
      #expect(try await host.alarm == nil)
      #expect(try await host.execute("SELECT count(*) FROM chat_reminders") == [["0"]])
    }
  }

  @Test func `is refused for what is no time to come, not his to read, or too much`() async throws {
    try await withChat { host async throws in
      try await host.create(#"{"type":"private","id":"p","members":["bob"]}"#)
      try await host.send("secret", id: "s1", to: "private/p")
      try await host.send("open", id: "m1")
      let past = try await host.remind(#"{"remind_at":"2026-01-01T00:00:00Z"}"#)
      #expect(past.status == 400 && past.problem?.errors?.map(\.pointer) == ["/remind_at"])
      #expect(try await host.remind(at: "s1").status == 404)
      #expect(try await host.remind(at: "none").status == 404)
      #expect(try await host.remind(#"{"user_id":"bob"}"#).status == 403)
      #expect(try await host.remind(as: .key()).status == 400)
      #expect(try await host.remind(#"{"user_id":"alice"}"#, at: "s1", as: .key()).status == 404)
      #expect(try await host.remind(#"{"user_id":"alice"}"#, as: .key()).status == 200)
      try await host.execute(
        """
        WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < \(Reminder.limit - 1))
        INSERT INTO chat_reminders (user_id, message, type, channel, created_at, updated_at)
        SELECT 'alice', 'x' || i, 'messaging', 'general', 0, 0 FROM n
        """)
      try await host.send("one more", id: "m2")
      let full = try await host.remind(at: "m2")
      #expect(full.status == 403 && full.problem?.code == "quota_exceeded")
      #expect(try await host.remind().status == 200)
    }
  }

  @Test func `is none where the type has none`() async throws {
    let config: RawJSON =
      #"{"types":{"messaging":{"open":true,"capabilities":{"reminders":false}}}}"#
    try await withChat(config) { host async throws in
      try await host.send("x", id: "m1")
      #expect(try await host.remind().status == 403)
      #expect(try await host.reminders().data.isEmpty)
    }
  }
}
