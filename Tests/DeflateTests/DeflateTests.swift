import Deflate
import Foundation
import Testing

/// What a compressor makes of a message, without the tail.
func deflated(_ deflater: Deflater, _ message: [UInt8], level: UInt8 = 6) -> [UInt8]? {
  let room = UnsafeMutableRawBufferPointer.allocate(
    byteCount: deflater.bound(message.count), alignment: 16)
  defer { room.deallocate() }
  return message.withUnsafeBytes { deflater.compress($0, level: level, into: room) }
    .map { Array(room[..<$0]) }
}

/// What an inflater makes of a message that comes in pieces of `size` bytes, taken out in rooms of `room` bytes.
func inflated(
  _ inflater: Inflater, _ message: [UInt8], size: Int = .max, room: Int = 4096
) -> [UInt8]? {
  let area = UnsafeMutableRawBufferPointer.allocate(byteCount: room, alignment: 16)
  defer { area.deallocate() }
  var result: [UInt8] = []
  func drain() -> Bool {
    while true {
      let (outcome, count) = inflater.inflate(into: area)
      result += area[..<count]
      switch outcome {
      case .full: continue
      case .exhausted: return true
      case .invalid, .outOfMemory: return false
      }
    }
  }
  var start = 0
  while start < message.count {
    let end = min(message.count, start + min(size, message.count))
    let isGood = message[start..<end].withUnsafeBytes { bytes in
      inflater.feed(bytes)
      return drain()
    }
    guard isGood else { return nil }
    start = end
  }
  inflater.feedTail()
  guard drain(), inflater.isComplete else { return nil }
  return result
}

func bytes(hex text: String) -> [UInt8] {
  text.split(separator: " ").map { UInt8($0, radix: 16)! }
}

@Suite struct `Deflate` {
  /// Text that compresses as real text does.
  static func prose(_ count: Int) -> [UInt8] {
    var text: [UInt8] = []
    var number = 0
    while text.count < count {
      number += 1
      text += Array(#"{"id":"msg_\#(number &* 7919)","text":"hello \#(number % 97)"},"#.utf8)
    }
    return Array(text[..<count])
  }

  static func noise(_ count: Int) -> [UInt8] {
    var generator = SystemRandomNumberGenerator()
    return (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
  }

  @Test(arguments: 9...15) func `what is deflated inflates to the same`(bits: Int) throws {
    let deflater = try #require(Deflater(windowBits: UInt8(bits), level: 1))
    let inflater = try #require(Inflater(windowBits: UInt8(bits)))
    defer {
      deflater.destroy()
      inflater.destroy()
    }
    for message in [
      [0], Array("Hello".utf8), Self.prose(100), Self.prose(1000), Self.prose(70_000),
      Self.noise(5000), Array(repeating: 0x61, count: 300_000),
    ] {
      for level: UInt8 in [1, 6, 9] {
        deflater.reset()
        inflater.reset()
        let small = try #require(deflated(deflater, message, level: level))
        #expect(inflated(inflater, small) == message)
        inflater.reset()
        #expect(inflated(inflater, small, size: 1, room: 7) == message)
      }
    }
  }

  @Test(arguments: [
    // One block, §7.2.3.1; two blocks, §7.2.3.5 second; stored, §7.2.3.3; BFINAL and an empty block, §7.2.3.4.
    ("f2 48 cd c9 c9 07 00", "Hello"),
    ("f2 48 05 00 00 00 ff ff ca c9 c9 07 00", "Hello"),
    ("00 05 00 fa ff 48 65 6c 6c 6f 00", "Hello"),
    ("f3 48 cd c9 c9 07 00 00", "Hello"),
    // BFINAL with nothing behind it, and with another message's worth of blocks.
    ("f3 48 cd c9 c9 07 00", "Hello"),
    ("f3 48 cd c9 c9 07 00 f2 48 cd c9 c9 07 00", "HelloHello"),
    // Empty, §7.2.3.6.
    ("00", ""), ("02 00", ""),
  ])
  func `the samples of RFC 7692 §7_2_3 are inflated`(hex: String, expected: String) throws {
    let inflater = try #require(Inflater(windowBits: 15))
    defer { inflater.destroy() }
    for size in [1, 2, 100] {
      inflater.reset()
      #expect(inflated(inflater, bytes(hex: hex), size: size) == Array(expected.utf8))
    }
  }

  @Test func `the second message of RFC 7692 §7_2_3_2 needs the first`() throws {
    let inflater = try #require(Inflater(windowBits: 15))
    defer { inflater.destroy() }
    let second = bytes(hex: "f2 00 11 00 00")
    #expect(inflated(inflater, bytes(hex: "f2 48 cd c9 c9 07 00")) == Array("Hello".utf8))
    #expect(inflated(inflater, second) == Array("Hello".utf8))
    inflater.reset()
    #expect(inflated(inflater, second) == nil)
  }

  @Test func `a context survives a block that was marked as the last`() throws {
    let inflater = try #require(Inflater(windowBits: 15))
    defer { inflater.destroy() }
    #expect(inflated(inflater, bytes(hex: "f3 48 cd c9 c9 07 00 00")) == Array("Hello".utf8))
    #expect(inflated(inflater, bytes(hex: "f2 00 11 00 00")) == Array("Hello".utf8))
  }

  @Test func `what is no DEFLATE is refused, and the next message is not harmed`() throws {
    let inflater = try #require(Inflater(windowBits: 15))
    let deflater = try #require(Deflater(windowBits: 15, level: 6))
    defer {
      inflater.destroy()
      deflater.destroy()
    }
    let message = Self.prose(2000)
    let good = try #require(deflated(deflater, message, level: 6))
    // Nothing at all, not even an empty block; a reserved block type; a stored block whose lengths disagree; a distance
    // too far back.
    for bad in ["", "07", "00 05 00 00 00 48", "f2 00 11 00 00", "ff ff ff ff"] {
      inflater.reset()
      #expect(inflated(inflater, bytes(hex: bad)) == nil, "\(bad)")
      inflater.reset()
      #expect(inflated(inflater, good) == message)
    }
  }

  @Test func `a message that breaks off is refused wherever it does`() throws {
    let inflater = try #require(Inflater(windowBits: 15))
    let deflater = try #require(Deflater(windowBits: 15, level: 6))
    defer {
      inflater.destroy()
      deflater.destroy()
    }
    let message = Self.prose(400)
    let whole = try #require(deflated(deflater, message, level: 6))
    for count in 1..<whole.count {
      inflater.reset()
      #expect(inflated(inflater, Array(whole[..<count])) != message, "\(count)")
    }
    inflater.reset()
    #expect(inflated(inflater, Array(whole[..<(whole.count / 2)])) == nil)
  }

  @Test func `a window is as small as the message allows and never larger than agreed`() {
    #expect(Deflater.windowBits(for: 1, atMost: 15) == 9)
    #expect(Deflater.windowBits(for: 250, atMost: 15) == 9)
    #expect(Deflater.windowBits(for: 251, atMost: 15) == 10)
    #expect(Deflater.windowBits(for: 10_000, atMost: 15) == 14)
    #expect(Deflater.windowBits(for: 10_000_000, atMost: 15) == 15)
    #expect(Deflater.windowBits(for: 10_000_000, atMost: 10) == 10)
  }

  @Test(arguments: 9...15) func `a peer with a window of the agreed size can follow`(
    bits: Int
  ) throws {
    // What repeats only at a distance beyond the window must not be referred to.
    let deflater = try #require(Deflater(windowBits: UInt8(bits), level: 9))
    let inflater = try #require(Inflater(windowBits: UInt8(bits)))
    defer {
      deflater.destroy()
      inflater.destroy()
    }
    let unit = Self.noise((1 << bits) - 200)
    let message = unit + unit + unit
    let small = try #require(deflated(deflater, message, level: 9))
    #expect(inflated(inflater, small, size: 50, room: 31) == message)
  }

  @Test func `a context makes the second of two alike messages small`() throws {
    let deflater = try #require(Deflater(windowBits: 12, level: 6))
    let inflater = try #require(Inflater(windowBits: 12))
    defer {
      deflater.destroy()
      inflater.destroy()
    }
    let message = Self.noise(500)
    let first = try #require(deflated(deflater, message))
    let second = try #require(deflated(deflater, message))
    #expect(first.count >= 500 && second.count < 40)
    #expect(inflated(inflater, first) == message)
    #expect(inflated(inflater, second) == message)
    deflater.reset()
    // Behind a fresh start a peer that remembers can still follow.
    let third = try #require(deflated(deflater, message))
    #expect(third.count >= 500)
    #expect(inflated(inflater, third) == message)
  }

  @Test func `a room that does not suffice is said, not overrun`() throws {
    let deflater = try #require(Deflater(windowBits: 15, level: 6))
    defer { deflater.destroy() }
    let message = Self.noise(3000)
    let room = UnsafeMutableRawBufferPointer.allocate(byteCount: 4000, alignment: 16)
    defer { room.deallocate() }
    for count in [1, 4, 100, 2999, 3003] {
      room.initializeMemory(as: UInt8.self, repeating: 0xaa)
      deflater.reset()
      let tight = UnsafeMutableRawBufferPointer(rebasing: room[..<count])
      #expect(message.withUnsafeBytes { deflater.compress($0, level: 6, into: tight) } == nil)
      #expect(room[count...].allSatisfy { $0 == 0xaa })
    }
    deflater.reset()
    #expect(deflated(deflater, Self.prose(3000)) != nil)
  }
}
