import Testing
import Wire

/// What came out of a decoder, in words, with the pieces of each message joined.
func decodeFrames(
  _ all: [UInt8], cuts: [Int] = [], limits: FrameLimits = FrameLimits()
) -> [String] {
  var decoder = FrameDecoder()
  var events: [String] = []
  var message: [UInt8] = []
  var kept: [UInt8] = []
  var start = 0
  for cut in cuts + [all.count] {
    var arrived = kept + all[start..<cut]
    start = cut
    var offset = 0
    arrived.withUnsafeMutableBytes { bytes in
      loop: while true {
        let text = { (span: ByteSpan) in
          String(decoding: bytes[span.start..<span.end], as: UTF8.self)
        }
        switch decoder.next(bytes, offset: &offset, limits: limits) {
        case .needMore: break loop
        case .data(let piece):
          if piece.isFirst { message = [] }
          message += bytes[piece.payload.start..<piece.payload.end]
          if piece.isLast {
            let mark = piece.isCompressed ? " compressed" : ""
            let body =
              message.count > 64
              ? "\(message.count) bytes" : String(decoding: message, as: UTF8.self)
            events.append("\(piece.opcode)\(mark) \(body)")
          }
        case .ping(let payload): events.append("ping \(text(payload))")
        case .pong(let payload): events.append("pong \(text(payload))")
        case .close(let code, let reason):
          events.append("close \(code.map(String.init) ?? "none") \(text(reason))")
        case .violation(let violation): events.append("\(violation)")
        }
      }
    }
    kept = Array(arrived[offset...])
    #expect(kept.count <= 139)
  }
  return events
}

/// A client's frame.
func frame(
  _ opcode: Opcode, _ payload: [UInt8], isFinal: Bool = true, isCompressed: Bool = false,
  mask: UInt32 = 0x3d21_fa37
) -> [UInt8] {
  writtenBytes { output in
    payload.withUnsafeBytes {
      FrameEncoder.appendMasked(
        opcode, $0, mask: mask, isFinal: isFinal, isCompressed: isCompressed, to: &output)
    }
  }
}

func frame(_ opcode: Opcode, _ text: String, isFinal: Bool = true) -> [UInt8] {
  frame(opcode, Array(text.utf8), isFinal: isFinal)
}

@Suite struct `WebSocket frames` {
  static let valid: [([UInt8], [String])] = [
    // RFC 6455 §5.7
    (bytes(hex: "81 85 37 fa 21 3d 7f 9f 4d 51 58"), ["text Hello"]),
    (bytes(hex: "89 85 37 fa 21 3d 7f 9f 4d 51 58"), ["ping Hello"]),
    (frame(.text, "Hel", isFinal: false) + frame(.continuation, "lo"), ["text Hello"]),
    (frame(.binary, Array(repeating: 7, count: 126)), ["binary 126 bytes"]),
    // RFC 6455 §5.4: control frames between fragments, empty fragments
    (
      frame(.text, "a", isFinal: false) + frame(.ping, "p")
        + frame(.continuation, "", isFinal: false)
        + frame(.pong, "") + frame(.continuation, "b") + frame(.binary, ""),
      ["ping p", "pong ", "text ab", "binary "]
    ),
    (frame(.text, "", isFinal: false) + frame(.continuation, ""), ["text "]),
    // RFC 6455 §5.5.1
    (frame(.close, [0x03, 0xe8] + Array("bye é".utf8)) + frame(.text, "x"), ["close 1000 bye é"]),
    (frame(.close, ""), ["close none "]), (frame(.close, [0x0f, 0xa0]), ["close 4000 "]),
    (
      frame(.ping, Array(repeating: 0x61, count: 125)),
      ["ping " + String(repeating: "a", count: 125)]
    ),
    // Text split inside a character, over fragments
    (
      frame(.text, [0xf0, 0x9f], isFinal: false) + frame(.continuation, [0x98], isFinal: false)
        + frame(.continuation, [0x80]), ["text 😀"]
    ),
    (frame(.text, "é", isFinal: false) + frame(.continuation, [0x21], isFinal: true), ["text é!"]),
  ]

  @Test(arguments: valid)
  func `are decoded from input split anywhere`(input: [UInt8], events: [String]) {
    #expect(decodeFrames(input) == events)
    for cut in 1..<input.count { #expect(decodeFrames(input, cuts: [cut]) == events) }
    #expect(decodeFrames(input, cuts: Array(1..<input.count)) == events)
  }

  @Test(arguments: [
    // RFC 6455 §5.2
    ("c1 80 00000000", FrameViolation.reservedBits), ("a1 80 00000000", .reservedBits),
    ("91 80 00000000", .reservedBits), ("c9 80 00000000", .reservedBits),
    ("83 80 00000000", .reservedOpcode), ("87 80 00000000", .reservedOpcode),
    ("8b 80 00000000", .reservedOpcode), ("8f 80 00000000", .reservedOpcode),
    ("81 fe 007d 00000000", .lengthNotMinimal),
    ("81 ff 000000000000ffff 00000000", .lengthNotMinimal),
    ("81 ff 8000000000000000 00000000", .lengthTooLarge),
    ("81 ff 7fffffffffffffff 00000000", .messageTooBig),
    // RFC 6455 §5.1
    ("81 05 48656c6c6f", .notMasked), ("89 00", .notMasked),
    // RFC 6455 §5.5
    ("89 fe 007e 00000000", .controlTooLong), ("89 ff 0000000000010000", .controlTooLong),
    ("09 80 00000000", .controlFragmented), ("08 80 00000000", .controlFragmented),
    // RFC 6455 §5.4
    ("80 80 00000000", .continuationWithoutMessage),
    ("00 80 00000000", .continuationWithoutMessage),
    ("01 80 00000000 81 80 00000000", .messageInsideMessage),
    ("01 80 00000000 02 80 00000000", .messageInsideMessage),
    ("81 81 00000000 61 80 80 00000000", .continuationWithoutMessage),
    // RFC 6455 §5.5.1, §7.4
    ("88 81 00000000 03", .closeTooShort), ("88 82 00000000 0000", .invalidCloseCode),
    ("88 82 00000000 03e7", .invalidCloseCode), ("88 82 00000000 03ec", .invalidCloseCode),
    ("88 82 00000000 03ed", .invalidCloseCode), ("88 82 00000000 03ee", .invalidCloseCode),
    ("88 82 00000000 03f7", .invalidCloseCode), ("88 82 00000000 03f8", .invalidCloseCode),
    ("88 82 00000000 044c", .invalidCloseCode), ("88 82 00000000 07d0", .invalidCloseCode),
    ("88 82 00000000 0bb7", .invalidCloseCode), ("88 82 00000000 1388", .invalidCloseCode),
    ("88 82 00000000 ffff", .invalidCloseCode),
    ("88 83 00000000 03e8 ff", .invalidCloseReason),
    ("88 83 00000000 03e8 c3", .invalidCloseReason),
    // RFC 6455 §8.1
    ("81 81 00000000 80", .invalidText), ("81 82 00000000 61c3", .invalidText),
    ("01 81 00000000 c3 80 81 00000000 21", .invalidText),
    ("01 81 00000000 c3 80 80 00000000", .invalidText),
  ])
  func `that break a rule end the connection`(input: String, violation: FrameViolation) {
    let input = bytes(hex: input)
    let expected = decodeFrames(input).last
    #expect(expected == "\(violation)")
    for cut in 1..<input.count { #expect(decodeFrames(input, cuts: [cut]).last == expected) }
    #expect(decodeFrames(input, cuts: Array(1..<input.count)).last == expected)
    #expect(decodeFrames(input + frame(.text, "more")).last == expected)
  }

  @Test(arguments: FrameViolation.allCases)
  func `every violation has a code and a reason that fits a close frame`(violation: FrameViolation)
  {
    #expect([1002, 1007, 1008, 1009, 1013].contains(violation.closeCode))
    #expect((1...123).contains(violation.message.utf8CodeUnitCount))
    let output = writtenBytes { FrameEncoder.appendClose(violation, to: &$0) }
    #expect(output[0] == 0x88 && Int(output[1]) == output.count - 2)
  }

  @Test func `a message over the limit is refused before its payload, over all fragments`() {
    let limits = FrameLimits(messageBytes: 10)
    let six = frame(.text, "123456", isFinal: false)
    #expect(decodeFrames(frame(.text, "1234567890"), limits: limits) == ["text 1234567890"])
    #expect(decodeFrames(bytes(hex: "81 8b"), limits: limits) == ["messageTooBig"])
    #expect(
      decodeFrames(six + frame(.continuation, "7890"), limits: limits) == ["text 1234567890"])
    #expect(
      decodeFrames(six + frame(.continuation, "78901"), limits: limits) == ["messageTooBig"])
    #expect(
      decodeFrames(frame(.text, "123456") + six + frame(.continuation, "7"), limits: limits)
        == ["text 123456", "text 1234567"])
  }

  @Test func `a message of too many frames is refused, however little they carry`() {
    let limits = FrameLimits(messageFrames: 3)
    let begin = frame(.text, "a", isFinal: false)
    let middle = frame(.continuation, "", isFinal: false)
    #expect(decodeFrames(begin + middle + frame(.continuation, "b"), limits: limits) == ["text ab"])
    #expect(decodeFrames(begin + middle + middle, limits: limits) == [])
    #expect(
      decodeFrames(begin + middle + middle + frame(.continuation, ""), limits: limits)
        == ["tooManyFrames"])
    // Each message is counted anew.
    let whole = begin + middle + frame(.continuation, "b")
    #expect(decodeFrames(whole + whole, limits: limits) == ["text ab", "text ab"])
  }

  @Test func `a compressed message may travel longer than it is, by what deflate adds at most`() {
    let limits = FrameLimits(messageBytes: 800, allowsRSV1: true)
    let most = 800 + 100 + 12 + 64
    let begin = { count in
      frame(.binary, Array(repeating: 0, count: count), isFinal: false, isCompressed: true)
    }
    #expect(decodeFrames(begin(most), limits: limits) == [])
    #expect(decodeFrames(begin(most + 1), limits: limits) == ["messageTooBig"])
    #expect(
      decodeFrames(begin(most - 1) + frame(.continuation, "12"), limits: limits)
        == ["messageTooBig"])
    #expect(
      decodeFrames(
        begin(most - 1) + frame(.continuation, "1")
          + frame(.text, String(repeating: "a", count: 801)),
        limits: limits) == ["binary compressed \(most) bytes", "messageTooBig"])
  }

  @Test func `inflated text is checked piece by piece, RFC 6455 §8_1`() {
    var decoder = FrameDecoder()
    let check = { (bytes: [UInt8], isLast: Bool) in
      bytes.withUnsafeBytes { decoder.check(inflated: $0, isLast: isLast) }
    }
    #expect(check([0x61, 0xc3], false) && check([0xa4], false) && check([], true))
    #expect(check([0xc3], false) && !check([], true))
    decoder = FrameDecoder()
    #expect(!check([0xff], false))
  }

  @Test func `lengths cannot overflow the sum`() {
    let limits = FrameLimits(messageBytes: .max)
    let huge = bytes(hex: "01 ff 7fffffffffffffff 00000000 61")
    #expect(decodeFrames(huge, limits: limits) == ["messageTooBig"])
    let most = bytes(hex: "01 ff 000000ffffffffff 00000000 61")
    #expect(decodeFrames(most, limits: limits) == [])
    var decoder = FrameDecoder()
    var input = frame(.text, "a", isFinal: false) + bytes(hex: "00 ff 000000fffffffffe 00000000")
    input.withUnsafeMutableBytes { bytes in
      var offset = 0
      _ = decoder.next(bytes, offset: &offset, limits: limits)
      let event = decoder.next(bytes, offset: &offset, limits: limits)
      #expect(event == .needMore && offset == bytes.count && decoder.isInsideMessage)
    }
  }

  @Test func `a whole message comes in one piece, unmasked where it lies`() {
    var decoder = FrameDecoder()
    var input = frame(.text, "Hello")
    input.withUnsafeMutableBytes { bytes in
      var offset = 0
      let event = decoder.next(bytes, offset: &offset, limits: FrameLimits())
      let piece = FramePiece(
        payload: ByteSpan(offset: 6, length: 5), opcode: .text, isFirst: true, isLast: true,
        endsFrame: true, isCompressed: false)
      #expect(event == .data(piece) && offset == 11)
    }
    #expect(Array(input[6...]) == Array("Hello".utf8))
  }

  @Test func `RSV1 marks a message when deflate was agreed on, RFC 7692 §6`() {
    let limits = FrameLimits(allowsRSV1: true)
    let first = frame(.text, [0xff, 0xfe], isFinal: false, isCompressed: true)
    #expect(
      decodeFrames(first + frame(.continuation, "x"), limits: limits).first?
        .hasPrefix("text compressed") == true)
    #expect(
      decodeFrames(first + frame(.continuation, [0x78], isCompressed: true), limits: limits)
        == ["reservedBits"])
    #expect(decodeFrames(frame(.ping, [], isCompressed: true), limits: limits) == ["reservedBits"])
    #expect(
      decodeFrames(
        first + frame(.continuation, "x") + frame(.text, [0xff]), limits: limits
      ).last == "invalidText")
  }

  @Test func `a client takes unmasked frames only`() {
    let limits = FrameLimits(fromClient: false)
    #expect(decodeFrames(bytes(hex: "81 05 48656c6c6f"), limits: limits) == ["text Hello"])
    #expect(decodeFrames(frame(.text, "a"), limits: limits) == ["masked"])
  }

  @Test func `an idle connection costs 24 bytes`() {
    #expect(MemoryLayout<FrameDecoder>.stride <= 24)
    let nothing = UnsafeMutableRawBufferPointer(start: nil, count: 0)
    var decoder = FrameDecoder()
    var offset = 0
    let event = decoder.next(nothing, offset: &offset, limits: FrameLimits())
    #expect(event == .needMore)
  }
}

@Suite struct `WebSocket masking` {
  @Test(arguments: [0, 1, 3, 4, 7, 8, 9, 31, 32, 33, 63, 64, 100])
  func `is the same in words as byte by byte, in any pieces`(count: Int) {
    let mask: UInt32 = 0x0403_0201
    let plain = (0..<count).map { UInt8($0) }
    let expected = plain.enumerated().map { $1 ^ UInt8($0 % 4 + 1) }
    for cut in 0...count {
      var masked = plain
      masked.withUnsafeMutableBytes { bytes in
        let key = FrameMask.apply(mask, to: .init(rebasing: bytes[..<cut]))
        FrameMask.apply(key, to: .init(rebasing: bytes[cut...]))
      }
      #expect(masked == expected)
    }
  }
}

@Suite struct `WebSocket frames to write` {
  @Test(arguments: [0, 125, 126, 65_535, 65_536])
  func `have the shortest length, RFC 6455 §5.2`(count: Int) {
    let payload = [UInt8](repeating: 0x61, count: count)
    let plain = writtenBytes { output in
      payload.withUnsafeBytes { FrameEncoder.append(.binary, $0, to: &output) }
    }
    #expect(plain.count == count + FrameEncoder.headerBytes(count))
    let limits = FrameLimits(messageBytes: 1 << 20, fromClient: false)
    #expect(decodeFrames(plain, limits: limits).count == 1)
    let masked = frame(.binary, payload, mask: 0)
    #expect(decodeFrames(masked, limits: FrameLimits(messageBytes: 1 << 20)).count == 1)
  }

  @Test func `set their bits`() {
    let output = writtenBytes {
      FrameEncoder.appendHeader(.text, length: 1, isFinal: false, isCompressed: true, to: &$0)
    }
    #expect(output == [0x41, 0x01])
  }

  @Test func `a close reason is cut between characters to 123 bytes`() {
    let reason = String(repeating: "é", count: 100)
    let output = writtenBytes { output in
      withBytes(reason) { FrameEncoder.appendClose(code: 1000, reason: $0, to: &output) }
    }
    #expect(output.count == 2 + 2 + 122)
    #expect(String(decoding: output[4...], as: UTF8.self) == String(repeating: "é", count: 61))
    let empty = writtenBytes { output in
      withBytes("") { FrameEncoder.appendClose(code: nil, reason: $0, to: &output) }
    }
    #expect(empty == [0x88, 0x00])
  }

  @Test func `a frame that does not fit is not begun`() {
    var area = [UInt8](repeating: 0, count: 6)
    area.withUnsafeMutableBytes { bytes in
      guard let base = bytes.baseAddress else { return }
      var writer = ByteWriter(base, capacity: 6)
      withBytes("hello") { FrameEncoder.append(.text, $0, to: &writer) }
      withBytes("hello") { FrameEncoder.appendMasked(.text, $0, mask: 1, to: &writer) }
      withBytes("hello") { FrameEncoder.appendClose(code: 1000, reason: $0, to: &writer) }
      #expect(writer.overflowed && writer.count == 0)
    }
  }
}
