import EventLoop
import Testing

@testable import Gateway

@Suite struct `A peer's address` {
  static let addresses: [(bytes: [UInt8], text: String, isLoopback: Bool)] = [
    (PeerText.v4(192, 0, 2, 7), "192.0.2.7", false),
    (PeerText.v4(0, 0, 0, 0), "0.0.0.0", false),
    (PeerText.v4(255, 255, 255, 255), "255.255.255.255", false),
    (PeerText.v4(127, 0, 0, 1), "127.0.0.1", true),
    (PeerText.v4(127, 255, 0, 9), "127.255.0.9", true),
    (PeerText.v4(1, 0, 0, 127), "1.0.0.127", false),
    ([UInt8](repeating: 0, count: 15) + [1], "::1", true),
    ([UInt8](repeating: 0, count: 16), "::", false),
    ([UInt8](repeating: 0, count: 14) + [1, 1], "::101", false),
    ([0x20, 1, 0x0d, 0xb8] + [UInt8](repeating: 0, count: 11) + [1], "2001:db8::1", false),
  ]

  @Test(arguments: addresses) func `is written as people write it`(
    bytes: [UInt8], text: String, isLoopback: Bool
  ) {
    let address = PeerAddress(bytes: bytes)
    #expect(written { PeerText(address: address).append(to: &$0) } == text)
    #expect(address.isLoopback == isLoopback)
  }
}

extension PeerText {
  /// RFC 4291 §2.5.5.2
  fileprivate static func v4(_ a: UInt8, _ b: UInt8, _ c: UInt8, _ d: UInt8) -> [UInt8] {
    [UInt8](repeating: 0, count: 10) + [0xff, 0xff, a, b, c, d]
  }
}

@Suite struct `The memory of a request` {
  @Test func `is aligned, its pieces do not overlap, and it can be used again`() {
    var arena = Arena()
    for _ in 0..<2 {
      var pieces: [(UnsafeMutableRawPointer, Int)] = []
      for (number, size) in [0, 1, 15, 16, 17, 1_000, 100_000].enumerated() {
        let piece = arena.allocate(size)
        #expect(Int(bitPattern: piece) % 16 == 0)
        piece.initializeMemory(as: UInt8.self, repeating: UInt8(number), count: size)
        pieces.append((piece, size))
      }
      for (number, (piece, size)) in pieces.enumerated() {
        let bytes = UnsafeRawBufferPointer(start: piece, count: size)
        #expect(bytes.allSatisfy { $0 == UInt8(number) })
      }
      arena.freeAll()
    }
    arena.freeAll()
  }
}

@Suite struct `The texts of the time` {
  static func field(_ cache: inout DateCache, _ now: UInt64) -> String {
    let start = cache.field(unixMilliseconds: now)
    return String(
      decoding: UnsafeRawBufferPointer(start: start, count: DateCache.dateLength), as: UTF8.self)
  }

  static func time(_ cache: inout DateCache, _ now: UInt64) -> String {
    let start = cache.time(unixMilliseconds: now)
    return String(
      decoding: UnsafeRawBufferPointer(start: start, count: DateCache.timeLength), as: UTF8.self)
  }

  // RFC 9110 §5.6.7 and RFC 3339 §5.6; the first is the RFC's own example.
  @Test func `follow the clock, forwards and backwards`() {
    var cache = DateCache()
    defer { cache.destroy() }
    let example: UInt64 = 784_111_777_000
    #expect(Self.field(&cache, example) == "date: Sun, 06 Nov 1994 08:49:37 GMT\r\n")
    #expect(Self.time(&cache, example) == "1994-11-06T08:49:37.000Z")
    #expect(Self.field(&cache, example + 999) == "date: Sun, 06 Nov 1994 08:49:37 GMT\r\n")
    #expect(Self.time(&cache, example + 999) == "1994-11-06T08:49:37.999Z")
    #expect(Self.field(&cache, example + 1_000) == "date: Sun, 06 Nov 1994 08:49:38 GMT\r\n")
    #expect(Self.field(&cache, example) == "date: Sun, 06 Nov 1994 08:49:37 GMT\r\n")
    #expect(Self.time(&cache, example) == "1994-11-06T08:49:37.000Z")
    #expect(Self.field(&cache, 0) == "date: Thu, 01 Jan 1970 00:00:00 GMT\r\n")
    #expect(Self.time(&cache, 0) == "1970-01-01T00:00:00.000Z")
    #expect(Self.time(&cache, 4_102_444_799_999) == "2099-12-31T23:59:59.999Z")
  }
}
