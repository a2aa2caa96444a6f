import Testing
import Wire

@Suite struct `Identifiers` {
  @Test func `are UUIDv7 in Crockford base32`() {
    let id = Identifier(unixMilliseconds: 0x0123_4567_89ab, random: (.max, .max))
    #expect(id.high == 0x0123_4567_89ab_7fff && id.low == 0xbfff_ffff_ffff_ffff)
    #expect(id.unixMilliseconds == 0x0123_4567_89ab)
    // The 128 bits as one number in base 32, worked out apart from this code.
    #expect(id.text() == "014d2pf2dbfzzvzzzzzzzzzzzz")
    #expect(id.text(prefix: "msg") == "msg_014d2pf2dbfzzvzzzzzzzzzzzz")
  }

  @Test func `are read as they are written, and sort by time`() throws {
    var random = SystemRandomNumberGenerator()
    var previous: String?
    for time in UInt64(1_700_000_000_000)..<1_700_000_000_200 {
      let id = Identifier(unixMilliseconds: time, random: (random.next(), random.next()))
      let text = id.text()
      #expect(text.utf8.count == Identifier.characters)
      #expect(withBytes(text) { Identifier($0) } == id)
      #expect(withBytes("app_" + text) { Identifier.parse($0, prefix: "app") } == id)
      if let previous { #expect(previous < text) }
      previous = text
    }
    let early = Identifier(unixMilliseconds: 1, random: (0, 0))
    #expect(early < Identifier(unixMilliseconds: 2, random: (0, 0)))
  }

  @Test(arguments: [
    "", "014d2pf2dbfzzvzzzzzzzzzzz", "014d2pf2dbfzzvzzzzzzzzzzzzz", "814d2pf2dbfzzvzzzzzzzzzzzz",
    "014D2PF2DBFZZVZZZZZZZZZZZZ", "o14d2pf2dbfzzvzzzzzzzzzzzz", "0i4d2pf2dbfzzvzzzzzzzzzzzz",
    "0l4d2pf2dbfzzvzzzzzzzzzzzz", "0u4d2pf2dbfzzvzzzzzzzzzzzz", "00000000000000000000000000",
    "014d2pf2dbfzzzzzzzzzzzzzzz", "014d2pf2db-zzvzzzzzzzzzzzz",
  ])
  func `are nothing else`(text: String) {
    #expect(withBytes(text) { Identifier($0) } == nil)
  }

  @Test(arguments: ["app-014d2pf2dbfzzvzzzzzzzzzzzz", "apq_014d2pf2dbfzzvzzzzzzzzzzzz", "app_"])
  func `have the prefix asked for`(text: String) {
    #expect(withBytes(text) { Identifier.parse($0, prefix: "app") } == nil)
  }
}

@Suite struct `Nearest names` {
  @Test(
    arguments: [
      ("proprties", "properties"), ("maxlength", "maxLength"), ("typ", "type"), ("itmes", "items"),
      ("zzz", nil), ("", nil), ("x", nil), ("T", nil), ("tpye", "type"), ("ytpe", "type"),
      ("eytp", nil),
    ] as [(String, String?)])
  func `are found within a third of the length`(word: String, expected: String?) {
    #expect(nearest(to: word, in: ["properties", "maxLength", "type", "items", "t"]) == expected)
  }

  @Test(arguments: [("opne", "open"), ("daat", "data"), ("lgo", "log"), ("dtaa", "data")])
  func `are found when two letters of a short word have changed places`(word: String, meant: String)
  {
    #expect(nearest(to: word, in: ["open", "data", "log"]) == meant)
  }

  @Test func `prefer the fewest edits, then the first`() {
    #expect(nearest(to: "abcd", in: ["abxd", "abcx", "abcd"]) == "abcd")
    #expect(nearest(to: "abcd", in: ["abxd", "abcx"]) == "abxd")
  }
}
