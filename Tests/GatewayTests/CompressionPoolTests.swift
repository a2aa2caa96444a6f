import Deflate
import Testing

@testable import Gateway

@Suite struct `Compression of sockets` {
  // 10,000 idle connections feel each word: the C library gives out 152 bytes, or the next 16 more.
  @Test func `what a socket is takes 152 bytes, whether it compresses or not`() {
    #expect(MemoryLayout<SocketState>.size <= 152)
  }

  @Test func `a pool lends one inflater at a time and takes all back`() throws {
    var pool = CompressionPool()
    defer { pool.destroy() }
    let firstTaken = pool.takeInflater()
    let first = try #require(firstTaken)
    let secondTaken = pool.takeInflater()
    let second = try #require(secondTaken)
    #expect(inflated(first, [0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00]) == Array("Hello".utf8))
    #expect(inflated(second, [0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00]) == Array("Hello".utf8))
    pool.give(first)
    pool.give(second)
    // What was lent out forgets: a reference to what came before is one too far.
    let againTaken = pool.takeInflater()
    let again = try #require(againTaken)
    #expect(inflated(again, [0xf2, 0x00, 0x11, 0x00, 0x00]) == nil)
    pool.give(again)
  }

  /// What a message inflates to, if it does.
  private func inflated(_ inflater: Inflater, _ message: [UInt8]) -> [UInt8]? {
    withUnsafeTemporaryAllocation(byteCount: 64, alignment: 1) { room in
      message.withUnsafeBytes { bytes in
        inflater.feed(bytes)
        let (first, count) = inflater.inflate(into: room)
        guard first == .exhausted else { return nil }
        inflater.feedTail()
        let (second, none) = inflater.inflate(into: room)
        guard second == .exhausted, none == 0, inflater.isComplete else { return nil }
        return Array(room[..<count])
      }
    }
  }
}
