import Testing

@testable import Gateway

@Suite struct `Flags of a request` {
  @Test func `have a bit each`() {
    #expect(RequestFlags.all.allSatisfy { $0.rawValue.nonzeroBitCount == 1 })
    #expect(Set(RequestFlags.all.map(\.rawValue)).count == RequestFlags.all.count)
  }
}
