/// What one side accepts in frames.
public struct FrameLimits: Sendable {
  /// Bytes of a whole message, over all its fragments. Breach: close 1009. Of a compressed message only what no
  /// message of this size can take as it travels is refused here; the rest is for whoever inflates it.
  public var messageBytes: UInt64
  /// Frames of a message, its first among them. Breach: close 1008.
  public var messageFrames: UInt32
  /// Whether RSV1 may mark the first frame of a message (permessage-deflate, RFC 7692 §6). Its text
  /// is then not checked here but by whoever inflates it.
  public var allowsRSV1: Bool
  /// Whether frames come from a client, masked, or from a server, unmasked.
  public var fromClient: Bool

  /// - Parameters:
  ///   - messageBytes: of a whole message, as it is on the wire; above 2^40 - 1 it is that. Breach: close 1009.
  ///   - messageFrames: of a whole message; above 2^24 - 1 it is that. Breach: close 1008.
  public init(
    messageBytes: UInt64 = 65_536, messageFrames: UInt32 = 16_384, allowsRSV1: Bool = false,
    fromClient: Bool = true
  ) {
    self.messageBytes = min(messageBytes, FrameDecoder.mostBytes)
    self.messageFrames = min(messageFrames, 0xff_ffff)
    self.allowsRSV1 = allowsRSV1
    self.fromClient = fromClient
  }

  /// What a message of `messageBytes` takes at most when it is deflated in any of zlib's ways, and a little more.
  var compressedBytes: UInt64 {
    min(messageBytes + messageBytes >> 3 + messageBytes >> 6 + 64, FrameDecoder.mostBytes)
  }
}

/// A piece of a message: as much of one frame's payload as has arrived, unmasked where it lies.
public struct FramePiece: Equatable, Sendable {
  /// The bytes, in the buffer given. May be empty.
  public var payload: ByteSpan
  /// `.text` or `.binary`: that of the message, in its continuations too.
  public var opcode: Opcode
  /// Whether the message begins here.
  public var isFirst: Bool
  /// Whether the message ends here. A piece that is first and last is a whole message: deliver it
  /// without copying.
  public var isLast: Bool
  /// Whether the frame ends here.
  public var endsFrame: Bool
  /// Whether RSV1 marked the message.
  public var isCompressed: Bool

  /// For tests and for what is decoded elsewhere; the decoder makes its own.
  public init(
    payload: ByteSpan, opcode: Opcode, isFirst: Bool, isLast: Bool, endsFrame: Bool,
    isCompressed: Bool
  ) {
    self.payload = payload
    self.opcode = opcode
    self.isFirst = isFirst
    self.isLast = isLast
    self.endsFrame = endsFrame
    self.isCompressed = isCompressed
  }
}

/// What `FrameDecoder` found.
public enum FrameEvent: Equatable, Sendable {
  case data(FramePiece)
  /// Answer with a pong of the same payload, at most 125 bytes.
  case ping(ByteSpan)
  case pong(ByteSpan)
  /// The peer closes. The code is nil if it sent none. Everything after it is ignored.
  case close(code: UInt16?, reason: ByteSpan)
  /// Call again with the bytes from `offset` on and what arrives after them.
  case needMore
  /// Close with the violation's code, then drop the connection. Everything after it is ignored.
  case violation(FrameViolation)
}

/// Decodes frames, RFC 6455 §5, from input split anywhere, and checks everything a server must.
///
/// What it leaves unconsumed is the caller's to keep until more arrives: part of a frame's header, or
/// a control frame that is not whole (at most 139 bytes). Data frames are handed out as they arrive.
/// A plain value of 24 bytes, one for each connection; no allocation; one thread at a time.
public struct FrameDecoder: Sendable {
  /// Payload bytes of the current data frame still to come.
  var remaining: UInt64 = 0
  /// Of the current message, so far: payload bytes that its frames announced in the lower 40 bits, its frames above.
  var message: UInt64 = 0
  /// The current frame's mask, rotated to its next byte.
  var mask: UInt32 = 0
  /// The current message's opcode; 0 between messages.
  var opcode: UInt8 = 0
  var flags: Flags = []
  var text = UTF8Validator()

  struct Flags: OptionSet, Sendable {
    let rawValue: UInt8
    /// A data frame's payload is being handed out.
    static let inFrame = Flags(rawValue: 1)
    /// That frame is its message's last.
    static let final = Flags(rawValue: 2)
    /// No piece of the message has been handed out yet.
    static let first = Flags(rawValue: 4)
    static let compressed = Flags(rawValue: 8)
    static let closed = Flags(rawValue: 16)
  }

  static let mostBytes: UInt64 = 1 << 40 - 1

  private var messageBytes: UInt64 { message & Self.mostBytes }
  private var messageFrames: UInt64 { message &>> 40 }

  /// Before the first byte of the first frame.
  public init() {}

  /// Whether part of a message was handed out and the rest is to come.
  public var isInsideMessage: Bool { opcode != 0 }

  /// The next event in `bytes` from `offset` on, which is moved past what was consumed. Payload is
  /// unmasked in place, so the consumed bytes change.
  public mutating func next(
    _ bytes: UnsafeMutableRawBufferPointer, offset: inout Int, limits: FrameLimits
  ) -> FrameEvent {
    guard let base = bytes.baseAddress else { return .needMore }
    if flags.contains(.closed) {
      offset = bytes.count
      return .needMore
    }
    if flags.contains(.inFrame) {
      guard offset < bytes.count else { return .needMore }
      return piece(base, &offset, bytes.count)
    }
    return header(base, &offset, bytes.count, limits)
  }

  /// Checks the text of a compressed message piece by piece as it is inflated, which `next` cannot.
  ///
  /// - Parameter isLast: whether the message ends with these bytes.
  /// - Returns: false when the message is not UTF-8 (RFC 6455 §8.1).
  public mutating func check(inflated bytes: UnsafeRawBufferPointer, isLast: Bool) -> Bool {
    text.consume(bytes) && (!isLast || text.isComplete)
  }

  private mutating func header(
    _ base: UnsafeMutableRawPointer, _ offset: inout Int, _ end: Int, _ limits: FrameLimits
  ) -> FrameEvent {
    let available = end &- offset
    guard available > 0 else { return .needMore }
    let p = UnsafeRawPointer(base) + offset
    let first = p.byte(0)
    if let violation = check(first, limits) { return fail(violation) }
    guard available > 1 else { return .needMore }
    let second = p.byte(1)
    let isMasked = second & 0x80 != 0
    if isMasked != limits.fromClient { return fail(isMasked ? .masked : .notMasked) }
    let short = second & 0x7f
    let isControl = first & 0x08 != 0
    if isControl, short > 125 { return fail(.controlTooLong) }

    var size = 2
    var length = UInt64(short)
    if short == 126 {
      size = 4
      guard available >= 4 else { return .needMore }
      length = UInt64(UInt16(bigEndian: (p + 2).loadUnaligned(as: UInt16.self)))
      if length < 126 { return fail(.lengthNotMinimal) }
    } else if short == 127 {
      size = 10
      guard available >= 10 else { return .needMore }
      length = UInt64(bigEndian: (p + 2).loadUnaligned(as: UInt64.self))
      if length &>> 63 != 0 { return fail(.lengthTooLarge) }
      if length < 65_536 { return fail(.lengthNotMinimal) }
    }
    if !isControl {
      let before = first & 0x0f == 0 ? messageBytes : 0
      let (total, wraps) = before.addingReportingOverflow(length)
      let isCompressed =
        first & 0x0f == 0 ? flags.contains(.compressed) : first & 0x40 != 0
      let most = isCompressed ? limits.compressedBytes : limits.messageBytes
      if wraps || total > most { return fail(.messageTooBig) }
      if first & 0x0f == 0, messageFrames >= UInt64(limits.messageFrames) {
        return fail(.tooManyFrames)
      }
    }
    var key: UInt32 = 0
    if isMasked {
      guard available >= size &+ 4 else { return .needMore }
      key = UInt32(littleEndian: (p + size).loadUnaligned(as: UInt32.self))
      size &+= 4
    }
    if isControl {
      guard available >= size &+ Int(length) else { return .needMore }
      let payload = ByteSpan(from: offset &+ size, to: offset &+ size &+ Int(length))
      offset = payload.end
      FrameMask.apply(
        key,
        to: UnsafeMutableRawBufferPointer(start: base + payload.start, count: payload.count))
      return control(first & 0x0f, payload, base)
    }
    begin(first, length, key)
    offset &+= size
    if length > 0 && offset == end { return .needMore }
    return piece(base, &offset, end)
  }

  private func check(_ first: UInt8, _ limits: FrameLimits) -> FrameViolation? {
    guard let kind = Opcode(rawValue: first & 0x0f) else { return .reservedOpcode }
    if first & 0x70 != 0 {
      // RFC 7692 §6: RSV1 marks the first frame of a data message only.
      let mayBeCompressed = limits.allowsRSV1 && (kind == .text || kind == .binary)
      if first & 0x30 != 0 || !mayBeCompressed { return .reservedBits }
    }
    switch kind {
    case .continuation: return opcode == 0 ? .continuationWithoutMessage : nil
    case .text, .binary: return opcode != 0 ? .messageInsideMessage : nil
    case .close, .ping, .pong: return first & 0x80 == 0 ? .controlFragmented : nil
    }
  }

  private mutating func begin(_ first: UInt8, _ length: UInt64, _ key: UInt32) {
    if first & 0x0f != 0 {
      opcode = first & 0x0f
      message = 0
      flags = first & 0x40 != 0 ? [.first, .compressed] : .first
      text = UTF8Validator()
    }
    flags.insert(.inFrame)
    if first & 0x80 != 0 { flags.insert(.final) }
    message &+= length | 1 &<< 40
    remaining = length
    mask = key
  }

  private mutating func piece(
    _ base: UnsafeMutableRawPointer, _ offset: inout Int, _ end: Int
  ) -> FrameEvent {
    let available = UInt64(end &- offset)
    let taken = Int(available < remaining ? available : remaining)
    let payload = UnsafeMutableRawBufferPointer(start: base + offset, count: taken)
    mask = FrameMask.apply(mask, to: payload)
    remaining &-= UInt64(taken)
    let endsFrame = remaining == 0
    let isLast = endsFrame && flags.contains(.final)
    let isCompressed = flags.contains(.compressed)
    if opcode == Opcode.text.rawValue && !isCompressed {
      guard text.consume(UnsafeRawBufferPointer(payload)), !isLast || text.isComplete else {
        return fail(.invalidText)
      }
    }
    let piece = FramePiece(
      payload: ByteSpan(from: offset, to: offset &+ taken),
      opcode: opcode == Opcode.text.rawValue ? .text : .binary,
      isFirst: flags.contains(.first), isLast: isLast, endsFrame: endsFrame,
      isCompressed: isCompressed)
    offset &+= taken
    flags.remove(.first)
    if endsFrame { flags.remove(.inFrame) }
    if isLast {
      opcode = 0
      flags = []
    }
    return .data(piece)
  }

  private mutating func control(
    _ kind: UInt8, _ payload: ByteSpan, _ base: UnsafeMutableRawPointer
  ) -> FrameEvent {
    if kind == Opcode.ping.rawValue { return .ping(payload) }
    if kind == Opcode.pong.rawValue { return .pong(payload) }
    if payload.count == 1 { return fail(.closeTooShort) }
    flags.insert(.closed)
    guard payload.count >= 2 else { return .close(code: nil, reason: payload) }
    let code = UInt16(bigEndian: (base + payload.start).loadUnaligned(as: UInt16.self))
    guard CloseCode.isValid(code) else { return fail(.invalidCloseCode) }
    let reason = ByteSpan(from: payload.start &+ 2, to: payload.end)
    guard UTF8Validator.isValid(reason.bytes(in: base)) else { return fail(.invalidCloseReason) }
    return .close(code: code, reason: reason)
  }

  private mutating func fail(_ violation: FrameViolation) -> FrameEvent {
    flags.insert(.closed)
    return .violation(violation)
  }
}
