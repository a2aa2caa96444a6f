import Testing

@testable import RealtimePlugin

@Suite struct `A channel's name` {
  @Test(arguments: [
    ("chat:messaging:general", "chat"), ("a:b", "a"), ("x-1_y:ä ö", "x-1_y"), ("a::", "a"),
    ("\(String(repeating: "n", count: 64)):x", String(repeating: "n", count: 64)),
    ("a:\(String(repeating: "b", count: 253))", "a"), ("general", ""), ("#42", ""), ("#a:b", ""),
    ("$chat:x", "chat"), ("$x", ""), ("chat:dialog#1,2", "chat"),
  ])
  func `begins with its namespace`(_ text: String, _ namespace: String) throws {
    let name = try ChannelName(text)
    #expect(name.text == text)
    #expect(name.namespace == namespace)
  }

  @Test(arguments: [
    "", "$", "#", "$:x", "@realtime", ":general", "chat:", "Chat:general", "1chat:general",
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
    #expect(try ChannelName("$chat:x").needsToken)
    #expect(try !ChannelName("chat:$x").needsToken)
  }

  @Test func `stands in a list once`() throws {
    #expect(try ChannelName.list("a:1,a:2,a:1", limit: 2).map(\.text) == ["a:1", "a:2"])
  }

  @Test(arguments: [nil, "", ",", "a:1,", "a:1,,a:2", "a:1,:b", "a:1,a:2,a:3"] as [String?])
  func `makes a list that is not empty, whole and not too long`(_ text: String?) {
    #expect(throws: ChannelName.Malformed.self) { try ChannelName.list(text, limit: 2) }
  }
}
