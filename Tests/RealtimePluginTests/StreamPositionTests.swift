import Testing

@testable import RealtimePlugin

@Suite struct `A stream's position` {
  @Test(arguments: [
    ("e:7", "e/7"), ("e:7,:0", "e/7 e/0"), ("e:7,f:1,:2,e:3", "e/7 f/1 f/2 e/3"), ("-", "/0"),
    ("-,e:18446744073709551615,-,:1", "/0 e/18446744073709551615 /0 e/1"),
  ])
  func `is read as it was written`(_ text: String, _ places: String) throws {
    let position = try #require(StreamPosition(text))
    let read = position.places.map { "\($0.epoch)/\($0.offset)" }.joined(separator: " ")
    #expect(read == places)
    #expect(position.text == text)
  }

  @Test(arguments: [
    "", ":1", "e", "e:", "e:x", "e:-1", "e:1,", ",e:1", "-,:1", "e:18446744073709551616",
  ])
  func `that is none is known as such`(_ text: String) {
    #expect(StreamPosition(text) == nil)
  }
}
