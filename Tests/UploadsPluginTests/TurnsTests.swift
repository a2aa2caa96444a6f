import Testing

@testable import UploadsPlugin

@Suite struct `Turns of all apps together` {
  @Test func `are so many for all apps, fewer for one, and come back`() {
    let turns = Turns(most: 3, ofOneApp: 2)
    #expect(turns.begin("a"))
    #expect(turns.begin("a"))
    #expect(!turns.begin("a"))
    #expect(turns.begin("b"))
    #expect(!turns.begin("b"))
    #expect(!turns.begin("c"))
    turns.end("a")
    #expect(turns.begin("c"))
    #expect(!turns.begin("a"))
    for app in ["a", "b", "c"] { turns.end(app) }
    #expect(turns.begin("c"))
    #expect(turns.begin("c"))
    #expect(!turns.begin("c"))
    #expect(turns.begin("b"))
    #expect(!turns.begin("d"))
  }
}
