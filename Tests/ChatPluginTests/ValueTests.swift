import PluginKit
import PluginTesting
import Testing

@testable import ChatPlugin

@Suite struct `The values of chat` {
  @Test(arguments: [
    ("chat:messaging:general", "messaging:general"),
    ("chat:x:A_z-9", "x:A_z-9"),
    ("chat:messaging", nil),
    ("chat:messaging:", nil),
    ("chat:messaging:a:b", nil),
    ("chat:messaging:a b", nil),
    ("chats:messaging:a", nil),
    ("", nil),
  ])
  func `find the channel behind a real-time channel`(_ name: String, _ channel: String?) {
    #expect(ChannelAddress(realTimeName: name)?.description == channel)
  }

  @Test func `write an address three ways`() throws {
    let address = try #require(ChannelAddress(type: "messaging", id: "general"))
    #expect("\(address)" == "messaging:general")
    #expect(address.realTimeName == "chat:messaging:general")
  }

  @Test(arguments: [
    ("a", true), (String(repeating: "Z", count: 64), true), ("msg_01-x", true),
    ("", false), (String(repeating: "a", count: 65), false), ("ä", false), ("a:b", false),
    ("a/b", false), ("a b", false),
  ])
  func `take some texts as ids`(_ text: String, _ isID: Bool) {
    #expect(Identifier.isValid(text) == isID)
  }

  @Test(arguments: [
    ("older:5", MessageCursor.older(than: 5)), ("newer:0", .newer(than: 0)),
    ("older:9223372036854775807", .newest), ("older:-1", nil), ("older:", nil),
    ("older:9223372036854775808", nil), ("sideways:1", nil), ("msg_1", nil), ("older:1:2", nil),
  ])
  func `read a cursor`(_ text: String, _ cursor: MessageCursor?) {
    #expect(MessageCursor(text) == cursor)
    if let cursor { #expect(cursor.text == text) }
  }

  @Test func `move a cursor the way it runs`() {
    #expect(MessageCursor.older(than: 9).moved(to: 4) == .older(than: 4))
    #expect(MessageCursor.newer(than: 1).moved(to: 4) == .newer(than: 4))
  }

  @Test func `begin a list where before or after says`() throws {
    #expect(try MessageStart(before: nil, after: nil) == .cursor(.newest))
    #expect(try MessageStart(before: "m1", after: nil) == .before("m1"))
    #expect(try MessageStart(before: nil, after: "m1") == .after("m1"))
    #expect(try MessageStart(before: nil, after: "older:3") == .cursor(.older(than: 3)))
    #expect(throws: Problem.self) { try MessageStart(before: "a", after: "b") }
    #expect(throws: Problem.self) { try MessageStart(before: nil, after: "a b") }
  }

  @Test func `refuse a type with no name of a type`() {
    for name in ["", "1a", "Team", "a:b", String(repeating: "a", count: 33)] {
      #expect {
        try ChannelTypes([name: ChannelType(isOpen: true)])
      } throws: { ($0 as? ConfigurationError)?.pointer == "/types/\(name)" }
    }
  }

  @Test func `act for users and the server alone`() throws {
    #expect(try AppActor(.user("alice")) == .user("alice"))
    #expect(try AppActor(.key()) == .server)
    #expect { try AppActor(.anonymous) } throws: { ($0 as? Problem)?.status == 403 }
    #expect { try AppActor(.account("acc_1")) } throws: { ($0 as? Problem)?.status == 403 }
  }
}
