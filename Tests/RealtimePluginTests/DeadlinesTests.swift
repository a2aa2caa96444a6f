import Testing

@testable import RealtimePlugin

@Suite struct `The deadlines of connections` {
  @Test func `are due by the second`() {
    var deadlines = Deadlines()
    deadlines.insert(1, at: 20)
    deadlines.insert(2, at: 10)
    deadlines.insert(3, at: 10)
    #expect(deadlines.first == 10)
    #expect(deadlines.due(9) == [])
    #expect(deadlines.due(10) == [2, 3])
    #expect(deadlines.first == 20)
    #expect(deadlines.due(1000) == [1])
    #expect(deadlines.first == nil)
  }

  @Test func `are forgotten when they are removed`() {
    var deadlines = Deadlines()
    deadlines.insert(1, at: 10)
    deadlines.insert(2, at: 10)
    deadlines.remove(1, at: 10)
    deadlines.remove(9, at: 99)
    #expect(deadlines.due(10) == [2])
    deadlines.insert(3, at: 30)
    deadlines.remove(3, at: 30)
    #expect(deadlines.first == nil)
  }
}
