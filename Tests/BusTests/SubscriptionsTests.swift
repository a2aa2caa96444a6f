import Bus
import Testing

@Suite struct `Subscriptions of a loop` {
  @Test func `say who is the first of a channel and who was the last`() {
    var table = Subscriptions<String>()
    let (one, isFirst) = table.add(key("notes:1"), "one")
    let (two, isSecond) = table.add(key("notes:1"), "two")
    let (other, isFirstOfOther) = table.add(key("notes:2"), "other")
    #expect((isFirst, isSecond, isFirstOfOther) == (true, false, true))
    #expect(Set([one, two, other, 0]).count == 4)
    #expect(table.count == 3)
    #expect(table.remove(one) == nil)
    #expect(table.remove(two) == key("notes:1"))
    #expect(table.count == 1)
    let (again, isFirstAgain) = table.add(key("notes:1"), "again")
    #expect(isFirstAgain)
    #expect(again > other)
  }

  @Test func `are found by their tokens until they are removed`() {
    var table = Subscriptions<String>()
    let token = table.add(key("notes:1"), "one").token
    #expect(table[token] == "one")
    #expect(table[token + 1] == nil)
    #expect(table[0] == nil)
    #expect(table.remove(token) == key("notes:1"))
    #expect(table[token] == nil)
    #expect(table.remove(token) == nil)
    #expect(table.remove(.max) == nil)
    #expect(table.count == 0)
  }

  @Test func `are listed by channel, oldest first`() {
    var table = Subscriptions<Int>()
    let tokens = (0..<5).map { table.add(key("notes:1"), $0).token }
    _ = table.add(key("notes:1", of: "other"), 9)
    #expect(table.tokens(of: key("notes:1")) == tokens)
    _ = table.remove(tokens[2])
    #expect(table.tokens(of: key("notes:1")).compactMap { table[$0] } == [0, 1, 3, 4])
    #expect(table.tokens(of: key("nobody")) == [])
  }

  @Test func `may go while their owner walks them`() {
    var table = Subscriptions<Int>()
    let tokens = (0..<100).map { table.add(key("notes:1"), $0).token }
    var reached: [Int] = []
    for token in table.tokens(of: key("notes:1")) {
      guard let subscriber = table[token] else { continue }
      reached.append(subscriber)
      if subscriber % 2 == 0, subscriber + 1 < 100 { _ = table.remove(tokens[subscriber + 1]) }
    }
    #expect(reached == stride(from: 0, to: 100, by: 2).map { $0 })
    #expect(table.count == 50)
  }
}
