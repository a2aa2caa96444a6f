import Deflate
import Wire

/// What came of compressed messages.
private struct Inflated: Equatable {
  var messages: [[UInt8]] = []
  var violation: FrameViolation?
}

/// What was agreed on for them.
private struct Terms {
  var windowBits: UInt8
  var keepsContext: Bool
  var isText: Bool
  var limit: Int
}

/// Compressed messages: the same whole or in pieces, and none over its limit. First a byte that says what was agreed
/// on, then messages, each behind its length in two bytes.
func fuzzInflate(_ input: UnsafeRawBufferPointer) {
  var reader = InputReader(input)
  let options = reader.byte()
  let terms = Terms(
    windowBits: 8 + options & 7, keepsContext: options & 8 != 0, isText: options & 16 != 0,
    limit: [1, 100, 2_000, 70_000][Int(options >> 5 & 3)])
  var messages: [[UInt8]] = []
  while !reader.isAtEnd { messages.append(reader.record(wide: true)) }
  var pieces = Pieces(input)
  let whole = inflate(messages, terms) { $0 }
  let split = inflate(messages, terms) { pieces.next($0) }
  if terms.windowBits == 15 {
    promise(whole == split, "messages are the same whole and in pieces: \(whole) \(split)")
  } else {
    // What refers beyond the window that was agreed on is refused if it has been let go already.
    promise(
      whole == split
        || split.violation == .invalidCompression
          && whole.messages.starts(with: split.messages),
      "messages are the same whole and in pieces, or refused: \(whole) \(split)")
  }
}

private func inflate(_ messages: [[UInt8]], _ terms: Terms, _ size: (Int) -> Int) -> Inflated {
  guard let inflater = Inflater(windowBits: terms.windowBits) else { return Inflated() }
  defer { inflater.destroy() }
  var result = Inflated()
  for message in messages {
    if !terms.keepsContext { inflater.reset() }
    var memory = MessageMemory()
    defer { memory.release() }
    result.violation = inflate(message, terms, inflater, &memory, size)
    if result.violation != nil { break }
    let inflated = Array(memory.bytes)
    promise(
      !terms.isText || String(validating: inflated, as: UTF8.self) != nil,
      "text that comes is UTF-8")
    result.messages.append(inflated)
  }
  return result
}

private func inflate(
  _ message: [UInt8], _ terms: Terms, _ inflater: Inflater, _ memory: inout MessageMemory,
  _ size: (Int) -> Int
) -> FrameViolation? {
  var decoder = FrameDecoder()
  var start = 0
  repeat {
    let end =
      start == message.count ? start : min(start + size(message.count - start), message.count)
    // A copy of exactly the piece, so that a sanitizer sees a read beyond it.
    let bytes = Array(message[start..<end])
    let piece = FramePiece(
      payload: ByteSpan(from: 0, to: bytes.count), opcode: terms.isText ? .text : .binary,
      isFirst: start == 0, isLast: end == message.count, endsFrame: true, isCompressed: true)
    let violation = bytes.withUnsafeBytes {
      memory.inflate($0, piece, limit: terms.limit, with: inflater, checkedBy: &decoder)
    }
    let isTooBig = memory.count > terms.limit
    promise(memory.count <= terms.limit + 1, "no more is inflated than shows that it is too big")
    promise(
      isTooBig == (violation == .messageTooBig) || isTooBig && violation == .invalidText,
      "what is too big is refused, and nothing else")
    if violation != nil { return violation }
    start = end
  } while start < message.count
  return nil
}

/// Messages that are compressed: they inflate to what they were under all that can be agreed on. First two bytes that
/// say what was, then messages: how often the text comes, its length in two bytes, and the text.
func fuzzDeflate(_ input: UnsafeRawBufferPointer) {
  var reader = InputReader(input)
  let options = reader.byte()
  let level = 1 + reader.byte() % 9
  let bits = 9 + options & 7 % 7
  let keepsContext = options & 8 != 0
  let terms = Terms(windowBits: bits, keepsContext: keepsContext, isText: false, limit: 1 << 17)
  guard let inflater = Inflater(windowBits: bits), let kept = Deflater(windowBits: bits, level: 1)
  else { return }
  defer {
    inflater.destroy()
    kept.destroy()
  }
  var pieces = Pieces(input)
  while !reader.isAtEnd {
    let times = Int(reader.byte())
    let text = reader.record(wide: true)
    let message = Array(repeatElement(text, count: 1 + times % 32).joined())
    guard !message.isEmpty else { continue }
    var deflater = kept
    if !keepsContext {
      let window = Deflater.windowBits(for: message.count, atMost: bits)
      guard let fresh = Deflater(windowBits: window, level: 1) else { return }
      deflater = fresh
      inflater.reset()
    }
    defer { if !keepsContext { deflater.destroy() } }
    // A message by itself goes compressed only if that makes it shorter, and one of many also where little room is.
    let isTight = !keepsContext || times >= 128
    let room = isTight ? message.count + 3 : deflater.bound(message.count)
    guard let compressed = deflate(message, deflater, level, room) else {
      promise(isTight, "a message fits where it is said to")
      deflater.reset()
      continue
    }
    var memory = MessageMemory()
    defer { memory.release() }
    let violation = inflate(compressed, terms, inflater, &memory) { pieces.next($0) }
    promise(
      violation == nil && memory.bytes.elementsEqual(message),
      "what is deflated inflates to the same, \(violation.map { "\($0)" } ?? "but differs")")
  }
}

private func deflate(
  _ message: [UInt8], _ deflater: Deflater, _ level: UInt8, _ room: Int
) -> [UInt8]? {
  let area = UnsafeMutableRawBufferPointer.allocate(byteCount: room, alignment: 1)
  defer { area.deallocate() }
  let count = message.withUnsafeBytes { deflater.compress($0, level: level, into: area) }
  return count.map { Array(area[..<$0]) }
}
