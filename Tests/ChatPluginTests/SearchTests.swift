import PluginKit
import PluginTesting
import Testing

@testable import ChatPlugin

extension TestHost {
  fileprivate func search(
    _ query: String, as principal: Principal = .user("alice")
  ) async throws -> TestReply {
    try await request("GET", "/v1/search?\(query)", as: principal)
  }

  fileprivate func found(
    _ query: String, as principal: Principal = .user("alice")
  ) async throws -> [String] {
    try await search(query, as: principal).json(ListPage<Said>.self).data.map(\.id)
  }
}

@Suite struct `Searching messages` {
  @Test func `finds words, phrases and beginnings, the latest first`() async throws {
    try await withChat { host async throws in
      try await host.send("The quick brown fox", id: "m1")
      try await host.send("a Quick reply, brown paper", id: "m2")
      try await host.send("Crème brûlée", id: "m3", to: "messaging/other")
      try await host.post(#"{"id":"m4","attachments":[{"type":"file","title":"quick"}]}"#)
      #expect(try await host.found("q=quick") == ["m2", "m1"])
      #expect(try await host.found("q=QUICK%20fox") == ["m1"])
      #expect(try await host.found("q=%22quick%20brown%22") == ["m1"])
      #expect(try await host.found("q=bro*") == ["m2", "m1"])
      #expect(try await host.found("q=%22brown%20pa%22*") == ["m2"])
      #expect(try await host.found("q=bro") == [])
      #expect(try await host.found("q=creme%20brulee") == ["m3"])
      // What is found is answered as anywhere else.
      #expect(
        try await host.search("q=fox").text
          == #"{"data":[\#(try await host.message("m1").text)],"next":null}"#)
    }
  }

  @Test func `knows what messages say now, and nothing of what is gone`() async throws {
    try await withChat { host async throws in
      try await host.send("alpha", id: "m1")
      try await host.send("beta", id: "m2")
      #expect(try await host.change("m1", #"{"text":"gamma"}"#).status == 200)
      #expect(try await host.found("q=alpha") == [])
      #expect(try await host.found("q=gamma") == ["m1"])
      #expect(try await host.change("m1", #"{"custom":{"a":1}}"#).status == 200)
      #expect(try await host.found("q=gamma") == ["m1"])
      #expect(try await host.request("DELETE", "/v1/messages/m1", as: .user("bob")).status == 204)
      #expect(try await host.found("q=gamma") == [])
      #expect(
        try await host.request("DELETE", "/v1/messages/m2?hard=true", as: .key()).status == 204)
      #expect(try await host.found("q=beta") == [])
      try await host.send("beta again", id: "m2")
      #expect(try await host.found("q=beta") == ["m2"])
      // A text that goes and comes back.
      let file = #""attachments":[{"type":"file"}]"#
      #expect(try await host.change("m2", #"{"text":"",\#(file)}"#).status == 200)
      #expect(try await host.found("q=beta") == [])
      #expect(try await host.change("m2", #"{"text":"delta"}"#).status == 200)
      #expect(try await host.found("q=delta") == ["m2"])
      // One that is refused is not found.
      #expect(try await host.send("other words", id: "m2").status == 409)
      #expect(try await host.post(#"{"text":"epsilon","quoted_id":"none"}"#).status == 400)
      #expect(try await host.found("q=epsilon") == [])
      #expect(try await host.found("q=other") == [])
    }
  }

  @Test func `is of channels that the user may read`() async throws {
    let types: RawJSON = #"""
      {"types":{"messaging":{"open":true},"private":{},"quiet":{"open":true,"capabilities":{"search":false}},
        "board":{"open":true,"grants":{"user":["send_message","create_channel"]}}}}
      """#
    try await withChat(types) { host async throws in
      try await host.create(#"{"type":"private","id":"p","members":["alice"]}"#, as: .key())
      try await host.send("word", id: "m1", to: "messaging/general")
      try await host.send("word", id: "m2", to: "private/p", as: .user("alice"))
      try await host.send("word", id: "m3", to: "quiet/q")
      try await host.send("word", id: "m4", to: "board/b")
      #expect(try await host.found("q=word") == ["m2", "m1"])
      #expect(try await host.found("q=word", as: .user("eve")) == ["m1"])
      #expect(try await host.found("q=word", as: .key()) == ["m4", "m2", "m1"])
      #expect(try await host.found("q=word&user_id=eve", as: .key()) == ["m1"])
      #expect(try await host.search("q=word&user_id=eve").status == 403)
      #expect(try await host.found("q=word&channel=private:p") == ["m2"])
      #expect(try await host.search("q=word&channel=private:p", as: .user("eve")).status == 403)
      #expect(try await host.search("q=word&channel=board:b").status == 403)
      #expect(try await host.search("q=word&channel=quiet:q").status == 403)
      #expect(try await host.search("q=word&channel=private:none").status == 404)
      #expect(try await host.search("q=word&channel=none:none").status == 404)
      #expect(try await host.search("q=word&channel=x").status == 400)
      #expect(try await host.found("q=word&author=alice") == ["m2"])
    }
  }

  @Test func `goes on in pages, whatever comes meanwhile`() async throws {
    try await withChat { host async throws in
      for number in 1...5 { try await host.send("word \(number)", id: "m\(number)") }
      let first: ListPage<Said> = try await host.search("q=word&limit=2").json()
      #expect(first.data.map(\.id) == ["m5", "m4"])
      try await host.send("word 6", id: "m6")
      #expect(try await host.request("DELETE", "/v1/messages/m3", as: .user("bob")).status == 204)
      let second: ListPage<Said> = try await host.search(
        "q=word&limit=2&after=\(try #require(first.next))"
      ).json()
      #expect(second.data.map(\.id) == ["m2", "m1"] && second.next == nil)
      #expect(try await host.search("q=word&after=x").status == 400)
    }
  }

  @Test(arguments: ["q=", "q=%20", "q=*", "q=%22", "q=...", "limit=3"])
  func `needs a word`(_ query: String) async throws {
    try await withChat { host async throws in
      let refused = try await host.search(query)
      #expect(refused.status == 400)
      #expect(refused.problem?.errors?.map(\.pointer) == ["/query/q"])
    }
  }

  @Test(arguments: [
    "q=a%22b", "q=a%20OR%20b", "q=NEAR(a%20b)", "q=text:a", "q=-a%20^b", "q=a%00b", "q=%22a",
    "q=a%22%22b*", "q=(a", "q={a}", "q=a%20AND%20NOT%20b", "q='a", "q=a%5C", "q=%F0%9F%91%8Da",
  ])
  func `takes nothing for more than words`(_ query: String) async throws {
    try await withChat { host async throws in
      try await host.send("something else", id: "m1")
      #expect(try await host.search(query).text == #"{"data":[],"next":null}"#)
    }
  }

  @Test func `reads a query as terms in quotes`() throws {
    func match(_ text: String) throws -> String { try SearchQuery(text).match }
    #expect(try match("one  two") == #""one" "two""#)
    #expect(try match("\"one two\" three*") == #""one two" "three"*"#)
    #expect(try match("a\"b c\"*d") == #""a" "b c"* "d""#)
    #expect(try match("x\u{0}y * . -") == #""x" "y""#)
    #expect(try match("foo-bar OR") == #""foo-bar" "OR""#)
    #expect(throws: Problem.self) { try SearchQuery("\"  \" ..") }
    let most = Array(repeating: "w", count: SearchQuery.limit).joined(separator: " ")
    #expect(try SearchQuery(most).terms.count == SearchQuery.limit)
    #expect(throws: Problem.self) { try SearchQuery(most + " w") }
  }

  @Test func `finds what was said before there was a search`() async throws {
    var manifest = try TestManifest(file: "Plugins/chat/plugin.json")
    let index = try #require(manifest.migrations.firstIndex { $0.name.hasPrefix("search") })
    manifest.migrations.insert(
      TestManifest.Migration(
        name: "backlog",
        sql: """
          INSERT INTO chat_channels (type, id, data, created_at, last_seq)
          VALUES ('messaging', 'general', '{}', 1, 2);
          INSERT INTO chat_messages (id, type, channel, seq, user_id, text, created_at)
          VALUES ('m1', 'messaging', 'general', 1, 'bob', 'ancient', 1),
            ('m2', 'messaging', 'general', 2, 'bob', '', 1);
          """), at: index)
    let host = try await TestHost(Chat.self, manifest, config: bothTypes)
    #expect(try await host.found("q=ancient") == ["m1"])
    #expect(try await host.change("m1", #"{"text":"modern"}"#).status == 200)
    #expect(try await host.found("q=ancient") == [])
    #expect(try await host.found("q=modern") == ["m1"])
    try await host.close()
  }
}
