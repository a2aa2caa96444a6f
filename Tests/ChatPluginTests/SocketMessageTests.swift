import PluginKit
import PluginTesting
import Testing

@testable import ChatPlugin

extension TestHost {
  /// Says something over a socket; the answer's text.
  func said(_ type: String, _ data: RawJSON, by user: String = "bob") async throws
    -> String
  {
    try await say(type, data, type: "chat.\(type)", as: .user(user)).text
  }

  fileprivate func refusal(_ type: String, _ data: RawJSON, by user: String = "bob") async throws
    -> (Status, String)?
  {
    do {
      _ = try await said(type, data, by: user)
      return nil
    } catch let refused as TestMessageRefused {
      return (refused.status, String(decoding: refused.document, as: UTF8.self))
    }
  }
}

@Suite struct `Chat over a socket` {
  @Test func `does what the routes do, with their answers`() async throws {
    try await withChat { host async throws in
      let sent = try await host.said(
        "send", #"{"channel":"messaging:general","text":"hello","id":"m1","custom":{ "a":1 }}"#)
      #expect(try await host.request("GET", "/v1/messages/m1", as: .user("alice")).text == sent)
      // The same again is the first, by REST as well.
      #expect(
        try await host.said(
          "send",
          #"{"channel":"chat:messaging:general","text":"hello","id":"m1","custom":{ "a":1 }}"#)
          == sent)
      #expect(
        try await host.request(
          "POST", "/v1/channels/messaging/general/messages",
          body: #"{"text":"hello","id":"m1","custom":{ "a":1 }}"#,
          as: .user("bob")
        ).text == sent)
      let edited = try await host.said("edit", #"{"message_id":"m1","text":"hi"}"#)
      #expect(try await host.request("GET", "/v1/messages/m1", as: .user("alice")).text == edited)
      let reacted = try await host.said(
        "react", #"{"message_id":"m1","reaction":"like"}"#, by: "alice")
      #expect(reacted.contains(#""user_id":"alice","reaction":"like""#))
      #expect(
        try await host.said("unreact", #"{"message_id":"m1","reaction":"like"}"#, by: "alice")
          == "{}")
      let read = try await host.said(
        "read", #"{"channel":"messaging:general","message_id":"m1"}"#, by: "alice")
      #expect(read.contains(#""message_id":"m1""#) && read.contains(#""unread":0"#))
      let reply = try await host.said(
        "send", #"{"channel":"messaging:general","text":"yes","id":"r1","parent_id":"m1"}"#)
      #expect(try await host.message("r1").text == reply)
      #expect(
        try await host.said("read_thread", #"{"parent_id":"m1","message_id":"r1"}"#, by: "alice")
          == #"{"parent_id":"m1","channel":"messaging:general","unread":0}"#)
      #expect(
        try await host.said("typing", #"{"channel":"messaging:general"}"#, by: "alice") == "{}")
      #expect(try await host.said("delete", #"{"message_id":"m1"}"#).contains("deleted_at"))
      #expect(
        try await host.events.map(\.type) == [
          "chat.message.created", "chat.message.updated", "chat.reaction.added",
          "chat.reaction.removed", "chat.message.created", "chat.message.deleted",
        ])
      #expect(try await host.published.filter { $0.type == "chat.read" }.count == 1)
      #expect(try await host.published.filter { $0.type == "chat.typing" }.count == 1)
    }
  }

  static let refusals: [(String, RawJSON, Status, String)] = [
    ("send", #"{"channel":"private:p","text":"x"}"#, .denied, "forbidden"),
    ("send", #"{"channel":"private:none","text":"x"}"#, .notFound, "not_found"),
    ("send", #"{"channel":"none:x","text":"x"}"#, .notFound, "not_found"),
    ("send", #"{"channel":"x","text":"x"}"#, .invalid, "/channel"),
    ("send", #"{"channel":"messaging:a:b","text":"x"}"#, .invalid, "/channel"),
    ("send", #"{"channel":"messaging:general","text":"x","id":"m1"}"#, .conflict, "conflict"),
    ("edit", #"{"message_id":"m1","text":"x"}"#, .denied, "forbidden"),
    ("edit", #"{"message_id":"none","text":"x"}"#, .notFound, "not_found"),
    ("edit", #"{"message_id":"m1"}"#, .invalid, "invalid_request"),
    ("delete", #"{"message_id":"m1"}"#, .denied, "forbidden"),
    ("delete", #"{"message_id":"secret"}"#, .notFound, "not_found"),
    ("react", #"{"message_id":"secret","reaction":"like"}"#, .notFound, "not_found"),
    ("react", #"{"message_id":"m1","reaction":"a b"}"#, .invalid, "/reaction"),
    ("read", #"{"channel":"private:p","message_id":"secret"}"#, .denied, "forbidden"),
    ("read", #"{"channel":"messaging:general","message_id":"none"}"#, .invalid, "/message_id"),
    ("read_thread", #"{"parent_id":"secret"}"#, .notFound, "not_found"),
    ("read_thread", #"{"parent_id":"m1","message_id":"none"}"#, .invalid, "/message_id"),
    (
      "send", #"{"channel":"messaging:general","text":"x","parent_id":"none"}"#, .invalid,
      "/parent_id"
    ),
    ("send", #"{"channel":"messaging:general","kind":"system","text":"x"}"#, .denied, "server"),
    ("vote", #"{"message_id":"m1","option_ids":[1]}"#, .notFound, "not_found"),
    ("typing", #"{"channel":"private:p"}"#, .denied, "forbidden"),
  ]

  @Test func `refuses what the routes refuse`() async throws {
    try await withChat { host async throws in
      try await host.create(#"{"type":"private","id":"p","members":["bob"]}"#)
      try await host.send("secret", id: "secret", to: "private/p")
      try await host.send("hello", id: "m1")
      let before = try await host.events.count
      for (type, data, status, words) in Self.refusals {
        let refused = try await host.refusal(type, data, by: "mallory")
        #expect(
          refused?.0 == status && refused?.1.contains(words) == true,
          "\(type) \(data.text): \(refused as Any)")
      }
      #expect(try await host.events.count == before)
    }
  }
}
