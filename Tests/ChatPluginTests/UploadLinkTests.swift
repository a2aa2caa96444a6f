import PluginKit
import PluginTesting
import Synchronization
import Testing

@testable import ChatPlugin

private let alices = "upl_00000000000000000000000000"
private let bobs = "upl_00000000000000000000000001"

/// What stands in for the plugin that has uploads.
private final class Shelf: Sendable {
  struct Wanted: Codable, Sendable { let ids: [String] }
  struct Found: Codable, Sendable { let uploads: [LinkedUpload] }
  struct Removing: Codable, Sendable {
    let userID: String
    let ids: [String]

    private enum CodingKeys: String, CodingKey {
      case userID = "user_id"
      case ids
    }
  }
  struct Removed: Codable, Sendable { let deleted: Int }

  /// By id, whose each is.
  let owners = Mutex([alices: "alice", bobs: "bob"])
  /// Whose do not go now.
  let refused = Mutex<String?>(nil)

  func find(_ wanted: Wanted) -> Found {
    owners.withLock { owners in
      Found(
        uploads: wanted.ids.compactMap { id in
          owners[id].map { owner in
            LinkedUpload(
              id: id, userID: owner, name: "cat.png", type: "image/png", size: 12, width: 3,
              height: 4, url: "/v1/uploads/\(id)/content?signature=1",
              thumbURL: "/v1/uploads/\(id)/thumbnail?signature=2")
          }
        })
    }
  }

  func remove(_ removing: Removing) throws -> Removed {
    if refused.withLock({ $0 }) == removing.userID { throw HostError(.unavailable, "no") }
    return owners.withLock { owners in
      let before = owners.count
      for id in removing.ids where owners[id] == removing.userID { owners[id] = nil }
      return Removed(deleted: before - owners.count)
    }
  }

  var ids: Set<String> { owners.withLock { Set($0.keys) } }
}

/// `messaging` is open, to `mute` no file is sent but by its owner.
private let types: RawJSON = """
  {"types":{"messaging":{"open":true},"mute":{"open":true,
    "grants":{"user":["read_channel","send_message","create_channel","edit_own_message"]}}}}
  """

private func withShelf(_ body: (TestHost, Shelf) async throws -> Void) async throws {
  try await withChat(types) { host async throws in
    let shelf = Shelf()
    try await host.provide(LinkedUpload.service, method: LinkedUpload.find, shelf.find)
    try await host.provide(LinkedUpload.service, method: LinkedUpload.remove, shelf.remove)
    try await body(host, shelf)
  }
}

private func image(_ upload: String, _ more: String = "") -> String {
  #"{"type":"image","upload":"\#(upload)"\#(more)}"#
}

private let shown =
  #"{"type":"image","upload":"\#(alices)","name":"cat.png","mime_type":"image/png","size":12,"#
  + #""width":3,"height":4,"url":"/v1/uploads/\#(alices)/content?signature=1","#
  + #""thumb_url":"/v1/uploads/\#(alices)/thumbnail?signature=2","title":"A cat"}"#

extension TestHost {
  fileprivate func attach(
    _ attachment: String, id: String? = nil, to channel: String = "messaging/general",
    as principal: Principal = .user("alice"), more: String = ""
  ) async throws -> TestReply {
    let id = id.map { #","id":"\#($0)""# } ?? ""
    return try await request(
      "POST", "/v1/channels/\(channel)/messages",
      body: #"{"attachments":[\#(attachment)]\#(id)\#(more)}"#, as: principal)
  }

  fileprivate func delete(
    _ id: String, _ query: String = "", as principal: Principal = .user("alice")
  ) async throws {
    #expect(try await request("DELETE", "/v1/messages/\(id)\(query)", as: principal).status == 204)
    try await settle()
  }
}

@Suite struct `A message with an upload` {
  @Test func `has what is known of it, wherever it is read and told`() async throws {
    try await withShelf { host, _ async throws in
      // What is the upload's own is not the client's to say.
      let sent = try await host.attach(
        image(
          alices,
          #","title":"A cat","size":99,"name":"dog.png","url":"https://evil.example/"#
            + #"""#), id: "m1")
      #expect(sent.status == 201 && sent.text.contains(#""attachments":[\#(shown)]"#))
      #expect(try await host.list().text.contains(shown))
      let event = try #require(try await host.history(of: "chat:messaging:general").last)
      #expect(event.data.text.contains(shown))
      let draft = try await host.request(
        "PUT", "/v1/channels/messaging/general/draft",
        body: #"{"attachments":[\#(image(alices, #","title":"A cat""#))]}"#, as: .user("alice"))
      #expect(draft.status == 200 && draft.text.contains(shown))
    }
  }

  @Test(arguments: [
    (image("upl_0000000000000000000000000x"), "alice", "/attachments/0/upload"),
    (image(alices), "bob", "/attachments/0/upload"),
    (
      #"{"type":"link","url":"https://a.example/"},"# + image(bobs), "alice",
      "/attachments/1/upload"
    ),
    (#"{"type":"image","url":"/v1/uploads/x/content"}"#, "alice", "/attachments/0/url"),
  ])
  func `is refused where it is none of the author's`(
    attachments: String, user: String, pointer: String
  ) async throws {
    try await withShelf { host, _ async throws in
      for answer in [
        try await host.attach(attachments, as: .user(user)),
        try await host.request(
          "PUT", "/v1/channels/messaging/general/draft",
          body: #"{"attachments":[\#(attachments)]}"#,
          as: .user(user)),
      ] {
        #expect(answer.status == 400)
        #expect(answer.text.contains(#""pointer":"\#(pointer)""#), "\(answer.text)")
      }
      #expect(try await host.execute("SELECT count(*) FROM chat_uploads") == [["0"]])
    }
  }

  @Test func `is anybody's where the app's server sends it, and stays its owner's`() async throws {
    try await withShelf { host, shelf async throws in
      let sent = try await host.attach(
        image(bobs), id: "m1", as: .key(), more: #","user_id":"alice""#)
      #expect(sent.status == 201)
      try await host.delete("m1")
      #expect(shelf.ids == [alices, bobs])
    }
  }

  @Test func `is refused where the app has no uploads`() async throws {
    try await withChat(types) { host async throws in
      let refused = try await host.attach(image(alices))
      #expect(refused.status == 400)
      #expect(refused.text.contains(#""pointer":"/attachments/0/upload""#))
      #expect(refused.text.contains("is off"))
    }
  }

  @Test func `needs the permission to upload`() async throws {
    try await withShelf { host, _ async throws in
      let first = try await host.send("first", id: "m1", to: "mute/den", as: .user("alice"))
      #expect(first.status == 201)
      let refused = try await host.attach(image(bobs), to: "mute/den", as: .user("bob"))
      #expect(refused.status == 403 && refused.text.contains("may not upload"))
      try await host.send("mine", id: "m2", to: "mute/den", as: .user("bob"))
      let edit = try await host.request(
        "PATCH", "/v1/messages/m2", body: #"{"attachments":[\#(image(bobs))]}"#, as: .user("bob"))
      #expect(edit.status == 403)
      #expect(
        try await host.attach(
          image(bobs), to: "mute/den", as: .key(), more: #","user_id":"bob""#
        ).status == 201)
    }
  }

  @Test func `is sent once, also when the upload is gone at the repeat`() async throws {
    try await withShelf { host, shelf async throws in
      let sent = try await host.attach(image(alices), id: "m1")
      shelf.owners.withLock { $0 = [:] }
      let again = try await host.attach(image(alices), id: "m1")
      #expect(again.status == 200 && again.text == sent.text)
      #expect(try await host.attach(image(bobs), id: "m1").status == 409)
      #expect(try await host.attach(image(alices), id: "m2").status == 400)
    }
  }

  @Test func `keeps it when the rest is changed, and takes others`() async throws {
    try await withShelf { host, shelf async throws in
      let sent = try await host.attach(image(alices, #","title":"A cat""#), id: "m1")
      #expect(sent.status == 201)
      let same = try await host.request(
        "PATCH", "/v1/messages/m1", body: #"{"attachments":[\#(shown)]}"#, as: .user("alice"))
      #expect(same.status == 200 && !same.text.contains("updated_at"))
      shelf.owners.withLock { $0[alices] = nil }
      let edited = try await host.request(
        "PATCH", "/v1/messages/m1",
        body:
          #"{"text":"look","attachments":[\#(shown),{"type":"link","url":"https://a.example/"}]}"#,
        as: .user("alice"))
      #expect(edited.status == 200 && edited.text.contains(shown))
      let wrong = try await host.request(
        "PATCH", "/v1/messages/m1", body: #"{"attachments":[\#(image(bobs))]}"#, as: .user("alice"))
      #expect(wrong.status == 400)
    }
  }

  @Test func `does not come to be when the upload goes meanwhile`() async throws {
    try await withShelf { host, _ async throws in
      host.interpose("INSERT INTO chat_upload_ends (upload, user_id) VALUES ('\(alices)', 'alice')")
      let refused = try await host.attach(image(alices), id: "m1")
      #expect(refused.status == 400 && refused.text.contains("deleted meanwhile"))
      #expect(try await host.execute("SELECT count(*) FROM chat_messages") == [["0"]])
    }
  }
}

@Suite struct `An upload` {
  @Test(arguments: ["", "?hard=true"])
  func `goes with the last message that links to it`(query: String) async throws {
    try await withShelf { host, shelf async throws in
      for id in ["m1", "m2"] { #expect(try await host.attach(image(alices), id: id).status == 201) }
      // A change leaves it: what was said before is kept too.
      _ = try await host.request(
        "PATCH", "/v1/messages/m2", body: #"{"text":"x","attachments":[]}"#, as: .user("alice"))
      try await host.delete("m1", query, as: .key())
      #expect(shelf.ids == [alices, bobs])
      try await host.delete("m2", query, as: .key())
      #expect(shelf.ids == [bobs])
      #expect(try await host.execute("SELECT count(*) FROM chat_uploads") == [["0"]])
      // Whose it was is not kept.
      #expect(try await host.execute("SELECT DISTINCT user_id FROM chat_upload_ends") == [[""]])
    }
  }

  @Test func `goes later when it cannot go now`() async throws {
    try await withChat(types) { host async throws in
      _ = try await host.execute(
        "INSERT INTO chat_upload_ends (upload, user_id) VALUES ('\(alices)', 'alice')")
      let shelf = Shelf()
      try await host.provide(LinkedUpload.service, method: LinkedUpload.find, shelf.find)
      try await host.provide(LinkedUpload.service, method: LinkedUpload.remove, shelf.remove)
      #expect(try await host.attach(image(bobs), id: "m1", as: .user("bob")).status == 201)
      try await host.delete("m1", as: .user("bob"))
      #expect(shelf.ids == [])
    }
  }

  @Test func `is named in no version of a message when its user is erased`() async throws {
    try await withShelf { host, _ async throws in
      for number in 1...6 {
        let sent = try await host.attach(
          image(alices), id: "m\(number)", as: .key(), more: #","user_id":"bob""#)
        #expect(sent.status == 201)
      }
      _ = try await host.execute(
        """
        WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 50)
        INSERT INTO chat_edits (message, version, text, attachments, said_at, replaced_at)
        SELECT m.id, n, 'x', m.attachments, 1, 1 FROM chat_messages m, numbers
        """)
      _ = try await host.request(
        "POST", "/v1/erasures", body: #"{"user_id":"alice"}"#, as: .key())
      try await host.settle()
      #expect(try await host.execute("SELECT status FROM chat_tasks") == [["done"]])
      for table in ["chat_messages", "chat_edits"] {
        let named = try await host.execute(
          "SELECT count(*) FROM \(table) WHERE instr(attachments, 'cat.png') > 0")
        #expect(named == [["0"]])
      }
      #expect(try await host.execute("SELECT count(*) FROM chat_edits") == [["300"]])
    }
  }

  @Test func `is forgotten some time after it went, some at a time`() async throws {
    try await withShelf { host, _ async throws in
      _ = try await host.execute(
        """
        WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 250)
        INSERT INTO chat_upload_ends (upload, user_id, ended_at) SELECT 'old' || n, '', 1 FROM numbers
        """)
      for (id, left) in [("m1", "150"), ("m2", "50")] {
        let (upload, user) = id == "m1" ? (alices, "alice") : (bobs, "bob")
        #expect(try await host.attach(image(upload), id: id, as: .user(user)).status == 201)
        try await host.delete(id, as: .user(user))
        let kept = try await host.execute(
          "SELECT count(*) FROM chat_upload_ends WHERE upload LIKE 'old%'")
        #expect(kept == [[left]])
      }
    }
  }

  @Test func `that cannot go now keeps no other`() async throws {
    try await withShelf { host, shelf async throws in
      shelf.refused.withLock { $0 = "alice" }
      for (id, upload, user) in [("m1", alices, "alice"), ("m2", bobs, "bob")] {
        #expect(try await host.attach(image(upload), id: id, as: .user(user)).status == 201)
      }
      _ = try await host.request(
        "DELETE", "/v1/channels/messaging/general?hard=true", as: .key())
      try await host.settle()
      #expect(shelf.ids == [alices])
      shelf.refused.withLock { $0 = nil }
      try await host.advance(milliseconds: 60_000)
      try await host.settle()
      #expect(shelf.ids == [])
    }
  }

  @Test func `goes with its channel, and with messages that only their author sees`() async throws {
    try await withShelf { host, shelf async throws in
      #expect(try await host.attach(image(alices)).status == 201)
      let banned = try await host.request(
        "PUT", "/v1/channels/messaging/general/bans/bob", body: #"{"shadow":true}"#, as: .key())
      #expect(banned.status == 200)
      #expect(try await host.attach(image(bobs), id: "m2", as: .user("bob")).status == 201)
      let again = try await host.attach(image(bobs), id: "m2", as: .user("bob"))
      #expect(again.status == 200)
      let gone = try await host.request(
        "DELETE", "/v1/channels/messaging/general?hard=true", as: .key())
      #expect(gone.status == 204)
      try await host.settle()
      #expect(shelf.ids == [])
    }
  }

  @Test(arguments: ["delete", "anonymise"])
  func `goes with its user`(mode: String) async throws {
    try await withShelf { host, shelf async throws in
      #expect(try await host.attach(image(alices), id: "m1").status == 201)
      #expect(try await host.attach(image(bobs), id: "m2", as: .user("bob")).status == 201)
      let task = try await host.request(
        "POST", "/v1/erasures", body: #"{"user_id":"alice","messages":"\#(mode)"}"#, as: .key())
      #expect(task.status == 202)
      try await host.settle()
      #expect(shelf.ids == [bobs])
      #expect(try await host.execute("SELECT message FROM chat_uploads") == [["m2"]])
      for table in ["chat_uploads", "chat_upload_ends"] {
        let left = try await host.execute("SELECT count(*) FROM \(table) WHERE user_id = 'alice'")
        #expect(left == [["0"]])
      }
    }
  }
}
