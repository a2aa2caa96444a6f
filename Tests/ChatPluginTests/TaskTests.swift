import Foundation
import PluginKit
import PluginTesting
import Testing

@testable import ChatPlugin

private struct View: Decodable {
  let id: String
  let status: String
  let progress: Int
}

extension TestHost {
  /// Asks for a task, and returns it when it has come to an end.
  fileprivate func task(_ kind: String, _ body: String) async throws -> View {
    let made: View = try await request("POST", "/v1/\(kind)", body: body, as: .key()).json()
    try await settle()
    return try await request("GET", "/v1/\(kind)/\(made.id)", as: .key()).json()
  }

  fileprivate func count(_ table: String, _ column: String, _ value: String) async throws -> String
  {
    try await execute("SELECT count(*) FROM \(table) WHERE \(column) = '\(value)'")[0][0]
  }
}

@Suite struct `Erasing a user` {
  /// Columns that are dealt with by steps of their own.
  private static let others = [
    "chat_members.user_id", "chat_messages.user_id", "chat_mentions.user_id",
    "chat_poll_votes.user_id", "chat_tasks.user_id", "chat_uploads.user_id",
    "chat_upload_ends.user_id",
  ]

  /// `table.column` of every column that the migrations make and whose name says that it has a user.
  private static func columns() throws -> Set<String> {
    let folder = "Plugins/chat/migrations/"
    var found: Set<String> = []
    for file in try FileManager.default.contentsOfDirectory(atPath: folder) {
      var table = ""
      for line in try String(contentsOfFile: folder + file, encoding: .utf8).split(separator: "\n")
      {
        let words = line.split(separator: " ")
        if line.hasPrefix("CREATE TABLE ") { table = String(words[2]) }
        var column = line.hasPrefix("  ") ? words.first.map(String.init) : nil
        if line.hasPrefix("ALTER TABLE "), words.count > 5 {
          (table, column) = (String(words[2]), String(words[5]))
        }
        guard let column,
          column == "user_id" || column.hasSuffix("_by") || column == "author" || column == "muted"
        else { continue }
        found.insert("\(table).\(column)")
      }
    }
    return found
  }

  @Test func `knows every column that has a user`() throws {
    let known = ErasureStep.allCases.compactMap { step -> String? in
      if case .trace(let trace) = step { "\(trace.table).\(trace.column)" } else { nil }
    }
    #expect(try Self.columns() == Set(known + Self.others))
  }

  @Test func `leaves nothing of many messages, and what others have said`() async throws {
    try await withChat { host async throws in
      for number in 1...250 {
        try await host.send("mine \(number)", id: "m\(number)", as: .user("bob"))
      }
      try await host.send("hers", id: "hers", as: .user("alice"))
      let done = try await host.task("erasures", #"{"user_id":"bob"}"#)
      #expect(done.status == "done" && done.progress == 100)
      #expect(try await host.count("chat_messages", "user_id", "bob") == "0")
      let page: ListPage<Said> = try await host.list().json()
      #expect(page.data == [Said(id: "hers", text: "hers")])
      #expect(
        try await host.history(of: "chat:messaging:general").allSatisfy {
          !$0.data.text.contains("mine")
        })
    }
  }

  @Test func `ends also when others reply to him meanwhile, and keeps who has replied`()
    async throws
  {
    try await withChat { host async throws in
      try await host.send("his", id: "m1", as: .user("bob"))
      try await host.post(
        #"{"text":"hers","id":"m2","mentions":["bob"]}"#, as: .user("alice"))
      try await host.reply("r1", to: "m1", as: .user("bob"))
      try await host.reply("r2", to: "m1", as: .user("alice"))
      try await host.reply("r3", to: "m2", as: .user("carol"))
      // What a reply does before each of its batches: whose the messages are follows the thread.
      for batch in 0..<12 {
        host.interpose(
          """
          INSERT INTO chat_thread_members (parent, user_id, replies, place, seen, follows, since)
          SELECT t.parent, k.pseudonym, 0, 0, 0, 1, 0 FROM chat_thread_members t, chat_tasks k
          WHERE t.user_id = 'bob' AND k.pseudonym IS NOT NULL
          ON CONFLICT (parent, user_id) DO UPDATE SET follows = 1
          """, after: batch)
      }
      let done = try await host.task(
        "erasures", #"{"user_id":"bob","messages":"anonymise"}"#)
      #expect(done.status == "done")
      #expect(try await host.count("chat_thread_members", "user_id", "bob") == "0")
      let his = try await host.execute(
        """
        SELECT parent, replies, CASE WHEN place > 0 THEN 1 ELSE 0 END FROM chat_thread_members
        WHERE user_id LIKE 'erased%' ORDER BY parent
        """)
      #expect(his == [["m1", "1", "1"], ["m2", "0", "0"]])
    }
  }

  @Test func `remembers when a step has begun, by which merging the words is bounded`()
    async throws
  {
    try await withChat { host async throws in
      for number in 1...250 {
        try await host.send("mine \(number)", id: "m\(number)", as: .user("bob"))
      }
      // Before each batch it is written down where the erasure is, in a table that it has nothing to do with.
      for batch in 0..<60 {
        host.interpose(
          """
          INSERT INTO chat_import_errors (task, number, error)
          SELECT id, batches, stage || ' ' || position FROM chat_tasks WHERE position <> ''
          ON CONFLICT (task, number) DO NOTHING
          """, after: batch)
      }
      #expect(try await host.task("erasures", #"{"user_id":"bob"}"#).status == "done")
      let places = try await host.execute("SELECT error FROM chat_import_errors").map { $0[0] }
      let steps = Set(places.map { $0.prefix { $0 != " " } })
      // The messages alone take several batches.
      #expect(places.count > steps.count && Set(places).count == steps.count)
    }
  }

  @Test func `is not mentioned either in what others alone see of their own`() async throws {
    try await withChat { host async throws in
      try await host.send("first", as: .user("carol"))
      let banned = try await host.request(
        "PUT", "/v1/channels/messaging/general/bans/alice", body: #"{"shadow":true}"#, as: .key())
      #expect(banned.status == 200)
      for number in 100..<250 {
        try await host.post(
          #"{"text":"x","id":"h\#(number)","mentions":["bob","carol"],"custom":{"to":"bob"}}"#,
          as: .user("alice"))
      }
      #expect(try await host.task("erasures", #"{"user_id":"bob"}"#).status == "done")
      let left = try await host.execute("SELECT message FROM chat_held_messages").map { $0[0] }
      #expect(left.count == 150)
      #expect(left.allSatisfy { $0.contains(#""mentions":["carol"]"#) })
    }
  }

  @Test func `is asked for once and done once`() async throws {
    try await withChat { host async throws in
      let first = try await host.task("erasures", #"{"user_id":"nobody"}"#)
      let second = try await host.task("erasures", #"{"user_id":"nobody"}"#)
      #expect(first.status == "done" && second.status == "done" && first.id != second.id)
    }
  }
}

@Suite struct `What is unread to others` {
  private struct Unread: Decodable {
    let unread: Int
    let messageID: String?
    enum CodingKeys: String, CodingKey {
      case unread
      case messageID = "message_id"
    }
  }

  private func unread(_ host: TestHost) async throws -> [Unread] {
    try await host.request("GET", "/v1/unread", as: .user("alice")).json(ListPage<Unread>.self).data
  }

  private func begin(_ host: TestHost) async throws {
    try await host.create(
      #"{"type":"private","id":"p","members":["alice","bob","carol"]}"#, as: .key())
  }

  @Test func `is told when somebody is erased, and no mark is left at a message that is gone`()
    async throws
  {
    try await withChat { host async throws in
      try await begin(host)
      try await host.send("hers", id: "m1", to: "private/p", as: .user("carol"))
      try await host.send("his", id: "m2", to: "private/p", as: .user("bob"))
      try await host.send("hers again", id: "m3", to: "private/p", as: .user("carol"))
      let read = try await host.request(
        "POST", "/v1/channels/private/p/read", body: #"{"message_id":"m2"}"#, as: .user("alice"))
      #expect(read.status == 200)
      try await host.reply("r1", to: "m1", in: "private/p", as: .user("alice"))
      try await host.reply("r2", to: "m1", in: "private/p", as: .user("bob"))
      try await host.advance(milliseconds: 10_000)
      let heard = try await host.published.count
      #expect(try await host.task("erasures", #"{"user_id":"bob"}"#).status == "done")
      try await host.advance(milliseconds: 10_000)
      let left = try await unread(host)
      #expect(left.map(\.unread) == [1] && left.map(\.messageID) == ["m1"])
      let told = try await host.published[heard...].filter { $0.channel == "#alice" }
      #expect(
        told.last(where: { $0.type == "chat.unread" })?.data.text
          == #"{"channel":"private:p","unread":1,"message_id":"m1"}"#)
      #expect(
        told.last(where: { $0.type == "chat.thread.unread" })?.data.text
          == #"{"parent_id":"m1","channel":"private:p","unread":0}"#)
    }
  }

  @Test func `stays unread to nobody who has muted him whose messages nobody knows`() async throws {
    try await withChat { host async throws in
      try await begin(host)
      for number in 1...250 {
        try await host.send("his", id: "m\(number)", to: "private/p", as: .user("bob"))
      }
      #expect(try await host.request("PUT", "/v1/mutes/bob", as: .user("alice")).status == 200)
      // Whoever comes to mute one or the other while it is under way does so as well.
      for batch in 6..<30 {
        host.interpose(
          """
          INSERT INTO chat_mutes (user_id, muted, created_at)
          SELECT n.user_id, n.muted, 1 FROM (
            SELECT 'carol' AS user_id, 'bob' AS muted
            UNION ALL SELECT 'carol', pseudonym FROM chat_tasks) AS n
          WHERE NOT EXISTS (SELECT 1 FROM chat_messages WHERE user_id = 'bob')
            AND NOT EXISTS (SELECT 1 FROM chat_mutes WHERE user_id = 'carol')
          """, after: batch)
      }
      let done = try await host.task("erasures", #"{"user_id":"bob","messages":"anonymise"}"#)
      #expect(done.status == "done")
      #expect(try await unread(host).isEmpty)
      let mutes = try await host.execute(
        "SELECT DISTINCT user_id, substr(muted, 1, 6) FROM chat_mutes ORDER BY user_id")
      #expect(mutes == [["alice", "erased"], ["carol", "erased"]])
    }
  }
}

@Suite struct `A task that cannot go on` {
  /// Has a message that mentions bob changed before each of so many batches, so that an erasure never finds it as it has read it.
  private func disturb(_ host: TestHost, times: Int) async throws {
    try await host.post(#"{"text":"x","id":"m1","mentions":["bob"]}"#, as: .user("alice"))
    for batch in 0..<times {
      host.interpose(
        """
        UPDATE chat_messages SET mentions = '["bob","x' || abs(random()) || '"]'
        WHERE id = 'm1'
        """, after: batch)
    }
  }

  @Test func `lets others go first, and fails in the end`() async throws {
    try await withChat { host async throws in
      try await disturb(host, times: 300)
      let erasure = try await host.task("erasures", #"{"user_id":"bob"}"#)
      #expect(erasure.status == "running")
      #expect(try await host.task("exports", #"{"user_id":"alice"}"#).status == "done")
      try await host.advance(milliseconds: 3_600_000)
      let failed: View = try await host.request(
        "GET", "/v1/erasures/\(erasure.id)", as: .key()
      ).json()
      #expect(failed.status == "failed")
      #expect(host.log.contains { $0.message == "a task has failed" })
    }
  }

  @Test func `for a while goes on when it can`() async throws {
    try await withChat { host async throws in
      try await disturb(host, times: 15)
      let erasure = try await host.task("erasures", #"{"user_id":"bob"}"#)
      #expect(erasure.status == "running")
      try await host.advance(milliseconds: 600_000)
      let done: View = try await host.request(
        "GET", "/v1/erasures/\(erasure.id)", as: .key()
      ).json()
      #expect(done.status == "done")
      #expect(try await host.count("chat_mentions", "user_id", "bob") == "0")
    }
  }
}

@Suite struct `Exporting a user` {
  @Test func `has pages of everything`() async throws {
    try await withChat { host async throws in
      for number in 1...230 { try await host.send("\(number)", id: "m\(number)", as: .user("bob")) }
      try await host.send("hers", as: .user("alice"))
      let made = try await host.task("exports", #"{"user_id":"bob"}"#)
      #expect(made.status == "done")
      let parts = try await host.execute(
        "SELECT lines FROM chat_export_parts WHERE task = '\(made.id)' ORDER BY number")
      let lines = parts.flatMap { $0[0].split(separator: "\n") }
      #expect(lines.filter { $0.hasPrefix(#"{"type":"message","#) }.count == 230)
      #expect(!lines.contains { $0.contains("hers") })
    }
  }

  @Test func `is forgotten after a week`() async throws {
    try await withChat { host async throws in
      let made = try await host.task("exports", #"{"user_id":"bob"}"#)
      let content = "/v1/exports/\(made.id)/content"
      try await host.advance(milliseconds: Int(TaskRecord.kept) - 1)
      #expect(try await host.request("GET", content, as: .key()).status == 200)
      // Nobody asks for anything.
      try await host.advance(milliseconds: 60_001)
      #expect(try await host.alarm == nil)
      #expect(try await host.count("chat_export_parts", "task", made.id) == "0")
      #expect(try await host.request("GET", "/v1/exports/\(made.id)", as: .key()).status == 404)
    }
  }
}

@Suite struct `Lines of a body` {
  private static func read(_ pieces: [String]) throws -> [String] {
    var reader = LineReader()
    for piece in pieces { try reader.add(Array(piece.utf8)) }
    try reader.end()
    return reader.take().map { "\($0.number) \(String(decoding: $0.bytes, as: UTF8.self))" }
  }

  @Test func `are the same however the body is cut`() throws {
    let body = "a\nbc\r\n\n\ndef\nend"
    for size in 1...body.utf8.count {
      let bytes = Array(body.utf8)
      let pieces = stride(from: 0, to: bytes.count, by: size).map {
        String(decoding: bytes[$0..<min($0 + size, bytes.count)], as: UTF8.self)
      }
      #expect(try Self.read(pieces) == ["1 a", "2 bc", "5 def", "6 end"])
    }
  }

  @Test func `are bounded`() throws {
    let longest = String(repeating: "x", count: ImportLine.limit)
    #expect(try Self.read([longest]).count == 1)
    #expect(throws: Problem.self) { try Self.read([longest, "y"]) }
    #expect(throws: Problem.self) { try Self.read([longest + "y\n"]) }
  }
}
