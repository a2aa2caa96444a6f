import Deflate
import Testing
import Wire

/// Messages as sockets take them: inflated into memory that knows their limit.
@Suite struct `A compressed message` {
  /// What becomes of a message in pieces: its bytes, or the violation.
  func taken(
    _ pieces: [[UInt8]], _ opcode: Opcode = .binary, limit: Int
  ) throws -> Result<[UInt8], FrameViolation> {
    let inflater = try #require(Inflater(windowBits: 15))
    var decoder = FrameDecoder()
    var memory = MessageMemory()
    defer {
      inflater.destroy()
      memory.release()
    }
    for (index, bytes) in pieces.enumerated() {
      let piece = FramePiece(
        payload: ByteSpan(from: 0, to: bytes.count), opcode: opcode, isFirst: index == 0,
        isLast: index == pieces.count - 1, endsFrame: true, isCompressed: true)
      let violation = bytes.withUnsafeBytes {
        memory.inflate($0, piece, limit: limit, with: inflater, checkedBy: &decoder)
      }
      if let violation {
        #expect(memory.count <= limit + 1)
        return .failure(violation)
      }
    }
    return .success(Array(memory.bytes))
  }

  func compressed(_ message: [UInt8]) throws -> [UInt8] {
    let deflater = try #require(Deflater(windowBits: 15, level: 9))
    defer { deflater.destroy() }
    return try #require(deflated(deflater, message, level: 9))
  }

  @Test(arguments: [1, 3, 50, 10_000]) func `may be as large as the limit and no larger`(
    size: Int
  ) throws {
    for limit in [1, 511, 512, 513, 70_000] {
      let good = try compressed(Array(repeating: 0x61, count: limit))
      let bad = try compressed(Array(repeating: 0x61, count: limit + 1))
      func pieces(_ bytes: [UInt8]) -> [[UInt8]] {
        stride(from: 0, to: bytes.count, by: size).map {
          Array(bytes[$0..<min($0 + size, bytes.count)])
        }
      }
      #expect(
        try taken(pieces(good), limit: limit) == .success(Array(repeating: 0x61, count: limit)))
      #expect(try taken(pieces(bad), limit: limit) == .failure(.messageTooBig))
    }
  }

  @Test func `that is a bomb is too big as soon as it passes the limit`() throws {
    let bomb = try compressed(Array(repeating: 0, count: 10_000_000))
    #expect(try taken([bomb], limit: 1000) == .failure(.messageTooBig))
    #expect(FrameViolation.messageTooBig.closeCode == 1009)
    // Its first bytes suffice, whatever would follow.
    #expect(try taken([Array(bomb[..<50]), []], limit: 1000) == .failure(.messageTooBig))
  }

  @Test func `that is text is UTF-8`() throws {
    let text = Array("Grüße".utf8)
    #expect(try taken([try compressed(text)], .text, limit: 100) == .success(text))
    #expect(try taken([try compressed(text + text)], .text, limit: 14) == .success(text + text))
    #expect(
      try taken([try compressed(Array(text[..<3]))], .text, limit: 100) == .failure(.invalidText))
    #expect(try taken([try compressed([0xff])], .text, limit: 100) == .failure(.invalidText))
    #expect(try taken([try compressed([0xff])], .binary, limit: 100) == .success([0xff]))
  }

  @Test func `that ends inside a block is refused`() throws {
    let whole = try compressed(Array(repeating: 0x61, count: 400) + Array(0...255))
    #expect(try taken([Array(whole[..<20])], limit: 1000) == .failure(.invalidCompression))
    #expect(try taken([[]], limit: 1000) == .failure(.invalidCompression))
  }
}
