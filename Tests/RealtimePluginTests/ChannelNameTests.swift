import Testing

@testable import RealtimePlugin

@Suite struct `A channel's name` {
  @Test(arguments: [
    ("chat:messaging:general", "chat"), ("a:b", "a"), ("x-1_y:ä ö", "x-1_y"), ("a::", "a"),
    ("\(String(repeating: "n", count: 64)):x", String(repeating: "n", count: 64)),
    ("a:\(String(repeating: "b", count: 253))", "a"), ("general", ""), ("#42", ""), ("#a:b", ""),
    ("$chat:x", "chat"), ("$x", ""), ("chat:dialog#1,2", "chat"), ("#\u{301}a:b", ""),
    ("chat:\u{301}x", "chat"), ("$#a", ""),
  ])
  func `begins with its namespace`(_ text: String, _ namespace: String) throws {
    let name = try ChannelName(text)
    #expect(name.text == text)
    #expect(name.namespace == namespace)
  }

  @Test(arguments: [
    "", "$", "#", "$#", "$:x", "@realtime", ":general", "chat:", "Chat:general", "1chat:general",
    "ch.at:general",
    "\(String(repeating: "n", count: 65)):x", "a:\(String(repeating: "b", count: 254))", "a:b\u{0}",
    "a:b\n", "a:\u{7F}", "a:\u{85}", " a:b",
  ])
  func `is refused otherwise`(_ text: String) {
    #expect(throws: ChannelName.Malformed.self) { try ChannelName(text) }
  }

  @Test func `names the users who may listen, and asks for a token`() throws {
    #expect(try ChannelName("chat:dialog#1,2").users == ["1", "2"])
    #expect(try ChannelName.personal(of: "42").users == ["42"])
    #expect(try ChannelName("chat:x").users == nil)
    #expect(try ChannelName("room#").users == [])
    #expect(try ChannelName("room#x#bob").users == ["x#bob"])
    #expect(try ChannelName("$#1,2").users == ["1", "2"])
    #expect(try ChannelName("$chat:x").needsToken)
    #expect(try !ChannelName("chat:$x").needsToken)
  }

  @Test(arguments: [
    "bob", "x#bob", "alice,bob", "#bob", ",bob", "bob#", "bob,", "a#b,bob", "\u{301}bob",
  ])
  func `of a user's own channel leaves out everybody else, whatever ids there are`(
    _ owner: String
  ) throws {
    let name = try ChannelName.personal(of: owner)
    #expect(!name.excludes(owner))
    for other in ["bob", "alice", "x", "", "b", "a", "#\(owner)", "\(owner),bob", "\(owner)#"]
    where other != owner {
      #expect(name.excludes(other), "\(other) in \(name.text)")
    }
  }

  @Test func `is a user's byte for byte, and not in another spelling`() throws {
    #expect("\u{E9}" == "e\u{301}")
    for (owner, other) in [("\u{E9}", "e\u{301}"), ("e\u{301}", "\u{E9}")] {
      #expect(try ChannelName.personal(of: owner).excludes(other))
      #expect(try ChannelName("room#\(owner),x").excludes(other))
      #expect(try !ChannelName("room#\(owner),x").excludes(owner))
    }
  }

  @Test func `stands in a list once`() throws {
    #expect(try ChannelName.list("a:1,a:2,a:1", limit: 2).map(\.text) == ["a:1", "a:2"])
  }

  @Test(arguments: [nil, "", ",", "a:1,", "a:1,,a:2", "a:1,:b", "a:1,a:2,a:3"] as [String?])
  func `makes a list that is not empty, whole and not too long`(_ text: String?) {
    #expect(throws: ChannelName.Malformed.self) { try ChannelName.list(text, limit: 2) }
  }
}
