import PluginKit
import PluginTesting
import Testing

@testable import ChatPlugin

extension TestHost {
  @discardableResult
  fileprivate func ask(
    _ id: String = "m1", _ more: String = "", in channel: String = "messaging/general"
  ) async throws -> TestReply {
    try await post(
      #"{"id":"\#(id)","poll":{"question":"Where?","options":["Here","There","Nowhere"]\#(more)}}"#,
      to: channel)
  }

  fileprivate func vote(
    _ options: String, at id: String = "m1", as principal: Principal = .user("alice")
  ) async throws -> TestReply {
    try await request(
      "PUT", "/v1/messages/\(id)/poll/votes", body: #"{"option_ids":[\#(options)]}"#, as: principal)
  }

  fileprivate func poll(_ id: String = "m1", as principal: Principal = .user("alice")) async throws
    -> PollView
  {
    try await message(id, as: principal).json(Asking.self).poll
  }
}

private struct Asking: Decodable { let poll: PollView }

private struct PollView: Decodable {
  struct Option: Decodable { let votes: Int }

  let options: [Option]
  let voters: Int
  let ownVotes: [Int]?

  private enum CodingKeys: String, CodingKey {
    case options, voters
    case ownVotes = "own_votes"
  }

  var votes: [Int] { options.map(\.votes) }
}

@Suite struct `A poll` {
  @Test func `is part of a message, and its event has what it asks`() async throws {
    try await withChat { host async throws in
      let sent = try await host.ask("m1", #","max_votes":2,"closes_at":"2026-02-01T00:00:00Z""#)
      #expect(sent.status == 201)
      #expect(
        sent.text.contains(
          #""text":"","poll":{"question":"Where?","options":[{"id":1,"text":"Here","votes":0},"#
            + #"{"id":2,"text":"There","votes":0},{"id":3,"text":"Nowhere","votes":0}],"max_votes":2,"#
            + #""closes_at":"2026-02-01T00:00:00.000Z","voters":0},"#))
      #expect(try await host.message("m1").text == sent.text)
      #expect(try await host.list().text.contains(sent.text))
      let event = try #require(try await host.events.first).data.text
      #expect(event.contains(#""poll":{"question":"Where?","options":[{"id":1,"text":"Here"},"#))
      #expect(!event.contains("voters"))
      // The same again is the first; another poll is another message.
      let again = try await host.ask("m1", #","max_votes":2,"closes_at":"2026-02-01T00:00:00Z""#)
      #expect(again.status == 200 && again.text == sent.text)
      #expect(try await host.ask("m1").status == 409)
      // A change of the text leaves it as it is.
      #expect(try await host.vote("1").status == 200)
      #expect(try await host.change("m1", #"{"text":"x"}"#).text.contains(#""voters":1"#))
      #expect(try await host.events.last?.data.text.contains("voters") == false)
      #expect(try await host.events.last?.data.text.contains("Nowhere") == true)
    }
  }

  @Test func `counts each user's votes as they are now`() async throws {
    try await withChat { host async throws in
      try await host.ask("m1", #","max_votes":2"#)
      let first = try await host.vote("2,1")
      #expect(first.status == 200 && first.text.contains(#""voters":1,"own_votes":[1,2]"#))
      #expect(try await host.vote("2", as: .user("carol")).status == 200)
      #expect(try await host.poll().votes == [1, 2, 0])
      #expect(try await host.poll().ownVotes == [1, 2])
      #expect(try await host.poll(as: .user("bob")).ownVotes == nil)
      let count = try await host.events.count
      #expect(try await host.vote("1,2").status == 200)
      #expect(try await host.events.count == count)
      #expect(try await host.vote("3").status == 200)
      #expect(try await host.poll().votes == [0, 1, 1])
      #expect(
        try await host.events.last?.data.text
          == #"{"message_id":"m1","channel":"messaging:general","user_id":"alice","added":[3],"removed":[1,2],"#
          + #""created_at":"2026-01-01T00:00:00.000Z"}"#)
      for _ in 0..<2 {
        let back = try await host.request(
          "DELETE", "/v1/messages/m1/poll/votes", as: .user("alice"))
        #expect(back.status == 204)
      }
      let now = try await host.poll()
      #expect(now.votes == [0, 1, 0] && now.voters == 1 && now.ownVotes == nil)
      #expect(try await host.events.count == count + 2)
    }
  }

  @Test func `stays right when many vote at once, each in several ways`() async throws {
    try await withChat { host async throws in
      try await host.ask()
      var pending: [PendingReply] = []
      for round in 0..<3 {
        for user in 0..<8 {
          pending.append(
            try await host.begin(
              "PUT", "/v1/messages/m1/poll/votes",
              body: #"{"option_ids":[\#((user + round) % 3 + 1)]}"#, as: .user("u\(user)")))
        }
      }
      for reply in pending {
        let status = try await reply.reply().status
        // Whoever is overtaken by himself again and again is told so.
        #expect(status == 200 || status == 409)
      }
      var own = [0, 0, 0]
      for user in 0..<8 {
        let votes = try #require(try await host.poll(as: .user("u\(user)")).ownVotes)
        #expect(votes.count == 1)
        own[votes[0] - 1] += 1
      }
      let poll = try await host.poll()
      #expect(poll.votes == own && poll.voters == 8)
    }
  }

  @Test func `tells who has voted, unless it is anonymous`() async throws {
    try await withChat { host async throws in
      try await host.ask()
      for user in ["u1", "ü:2", "u3"] { _ = try await host.vote("2", as: .user(user)) }
      _ = try await host.vote("1", as: .user("u4"))
      struct Row: Decodable, Equatable {
        let userID: String
        let optionID: Int

        private enum CodingKeys: String, CodingKey {
          case userID = "user_id"
          case optionID = "option_id"
        }
      }
      let path = "/v1/messages/m1/poll/votes"
      let first: ListPage<Row> = try await host.request(
        "GET", "\(path)?limit=3", as: .user("bob")
      ).json()
      #expect(first.data.map(\.userID) == ["u4", "u1", "u3"])
      let second: ListPage<Row> = try await host.request(
        "GET", "\(path)?limit=3&after=\(try #require(first.next))", as: .user("bob")
      ).json()
      #expect(second.data == [Row(userID: "ü:2", optionID: 2)] && second.next == nil)
      let some: ListPage<Row> = try await host.request(
        "GET", "\(path)?option_id=1", as: .user("bob")
      ).json()
      #expect(some.data.map(\.userID) == ["u4"])
      for after in ["x", "61-62"] {
        #expect(
          try await host.request("GET", "\(path)?after=\(after)", as: .user("bob")).status == 400)
      }
      try await host.ask("m2", #","anonymous":true"#)
      #expect(try await host.vote("1", at: "m2").text.contains(#""own_votes":[1]"#))
      #expect(try await host.events.last?.data.text.contains("alice") == false)
      #expect(
        try await host.request("GET", "/v1/messages/m2/poll/votes", as: .key()).status == 403)
    }
  }

  @Test func `takes no votes when it is closed, by time or by hand`() async throws {
    try await withChat { host async throws in
      try await host.ask("m1", #","closes_at":"2026-01-01T00:00:10Z""#)
      #expect(try await host.vote("1").status == 200)
      try await host.advance(milliseconds: 10_000)
      let late = try await host.vote("2")
      #expect(late.status == 409 && late.problem?.code == "conflict")
      // What is there is answered all the same.
      #expect(try await host.vote("1").status == 200)

      try await host.ask("m2")
      let close = "/v1/messages/m2/poll/close"
      #expect(try await host.request("POST", close, as: .user("alice")).status == 403)
      let closed = try await host.request("POST", close, as: .user("bob"))
      #expect(closed.status == 200)
      #expect(closed.text.contains(#""closed_at":"2026-01-01T00:00:10.000Z""#))
      #expect(try await host.events.last?.type == "chat.poll.closed")
      let count = try await host.events.count
      #expect(try await host.request("POST", close, as: .key()).text == closed.text)
      #expect(try await host.events.count == count)
      #expect(try await host.vote("1", at: "m2").status == 409)
      #expect(try await host.poll("m2").votes == [0, 0, 0])
    }
  }

  @Test func `is refused where it is none, or nobody may ask or vote`() async throws {
    try await withChat { host async throws in
      let bad = [
        (#""options":["a"]"#, "/poll/options"), (#""options":["a","a"]"#, "/poll/options"),
        (#""options":["a","b"],"max_votes":3"#, "/poll/max_votes"),
        (#""options":["a","b"],"max_votes":0"#, "/poll/max_votes"),
      ]
      for (options, pointer) in bad {
        let refused = try await host.post(#"{"poll":{"question":"x",\#(options)}}"#)
        #expect(refused.status == 400)
        #expect(refused.problem?.errors?.map(\.pointer) == [pointer])
      }
      try await host.send("plain", id: "m0")
      try await host.ask()
      #expect(try await host.vote("1", at: "m0").status == 404)
      #expect(try await host.vote("1", at: "none").status == 404)
      #expect(try await host.vote("4").problem?.errors?.map(\.pointer) == ["/option_ids"])
      #expect(try await host.vote("1,2").problem?.errors?.map(\.pointer) == ["/option_ids"])
      #expect(try await host.vote("1", as: .key()).status == 400)
      #expect(try await host.request("DELETE", "/v1/messages/m1", as: .user("bob")).status == 204)
      #expect(try await host.vote("1").status == 404)
    }
    try await withChat(#"{"types":{"messaging":{"open":true,"capabilities":{"polls":false}}}}"#) {
      host async throws in
      #expect(try await host.ask().status == 403)
    }
    let grants: RawJSON =
      #"{"types":{"messaging":{"open":true,"grants":{"user":["read_channel","send_message","create_channel"]}}}}"#
    try await withChat(grants) { host async throws in
      let refused = try await host.ask()
      #expect(refused.status == 403 && refused.text.contains("create_poll"))
      #expect(try await host.events.isEmpty)
      #expect(try await host.ask("m2").status == 403)
      let asked = try await host.post(
        #"{"id":"m3","user_id":"bob","poll":{"question":"x","options":["a","b"]}}"#, as: .key())
      #expect(asked.status == 201)
      let vote = try await host.vote("1", at: "m3")
      #expect(vote.status == 403 && vote.text.contains("vote_poll"))
    }
  }

  @Test func `closes by itself when its time is over, and that is told once`() async throws {
    try await withChat { host async throws in
      func closed() async throws -> [String] {
        try await host.events.filter { $0.type == "chat.poll.closed" }.map(\.data.text)
      }
      for (id, time) in [("m1", "01:00"), ("m2", "02:00"), ("m3", "03:00")] {
        #expect(try await host.ask(id, #","closes_at":"2026-01-01T\#(time):00Z""#).status == 201)
      }
      #expect(try await host.alarm == Timestamp(rfc3339: "2026-01-01T01:00:00Z"))
      let gone = try await host.request("DELETE", "/v1/messages/m3", as: .key())
      #expect(gone.status == 204)
      let early = try await host.request("POST", "/v1/messages/m2/poll/close", as: .key())
      #expect(early.status == 200)
      try await host.advance(milliseconds: 3_600_000)
      #expect(
        try await closed().last
          == #"{"message_id":"m1","channel":"messaging:general","closed_at":"2026-01-01T01:00:00.000Z"}"#
      )
      let told = try await closed()
      #expect(told.count == 2)
      try await host.wake()
      try await host.advance(milliseconds: 4 * 3_600_000)
      #expect(try await closed() == told)
      #expect(try await host.alarm == nil)
      #expect(
        try await host.message("m1").text.contains(#""closed_at":"2026-01-01T01:00:00.000Z""#))
      #expect(try await host.vote("1").status == 409)
    }
  }
}
