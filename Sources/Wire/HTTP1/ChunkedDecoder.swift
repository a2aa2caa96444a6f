/// What `ChunkedDecoder` found.
public enum ChunkedEvent: Equatable, Sendable {
  /// Body bytes, where they lie in the buffer.
  case data(ByteSpan)
  /// The body and its trailer section are over; what follows is the next request.
  case end
  /// Everything given is consumed. Call again with what arrives next, without the old bytes.
  case needMore
  /// Answer with the error's status and close.
  case invalid(HTTP1Error)
}

/// Bounds on what surrounds the data of a chunked body. The data itself is the caller's to bound.
public struct ChunkedLimits: Sendable {
  /// Bytes of chunk extensions in one body, `;` included. Breach: 400 (RFC 9112 §7.1.1 asks for a bound).
  public var extensionBytes: UInt32
  /// Bytes of the trailer section. Breach: 431.
  public var trailerBytes: UInt32

  /// Both in bytes.
  public init(extensionBytes: UInt32 = 1_024, trailerBytes: UInt32 = 8_192) {
    self.extensionBytes = extensionBytes
    self.trailerBytes = trailerBytes
  }
}

/// Decodes the chunked transfer coding, RFC 9112 §7.1, from input split anywhere.
///
/// Extensions are checked and ignored; trailer fields are checked and discarded, so none can pose as
/// a header field, and those are refused that only a header section may have. A plain value of 24 bytes, one for each body. After `.end` or `.invalid` make a new one.
public struct ChunkedDecoder: Sendable {
  /// Bytes of the current chunk that are still to come. Once a size is read, more than the caller
  /// allows can be refused before it arrives.
  public private(set) var remaining: Int64 = 0
  var extensionBytes: UInt32 = 0
  var trailerBytes: UInt32 = 0
  var trailerName = TrailerName()
  var digits: UInt8 = 0
  var state: State = .size

  enum State: UInt8 {
    case size, afterSize
    case extensionName, afterExtensionName, extensionValueStart, extensionValue
    case quoted, quotedPair, afterQuoted, beforeExtension, nameOrBlank
    case sizeLineFeed, data, dataReturn, dataLineFeed
    case trailerStart, trailerName, trailerValue, trailerLineFeed, endLineFeed
    case ended
  }

  /// Before the first chunk's size.
  public init() {}

  /// The next event in `bytes` from `offset` on, which is moved past what was consumed.
  public mutating func next(
    _ bytes: UnsafeRawBufferPointer, offset: inout Int, limits: ChunkedLimits
  ) -> ChunkedEvent {
    guard let p = bytes.baseAddress else { return .needMore }
    let end = bytes.count
    while offset < end {
      if state == .data {
        let available = Int64(end &- offset)
        let taken = Int(available < remaining ? available : remaining)
        let span = ByteSpan(from: offset, to: offset &+ taken)
        offset &+= taken
        remaining &-= Int64(taken)
        if remaining == 0 { state = .dataReturn }
        return .data(span)
      }
      if let error = step(p.byte(offset), limits) {
        state = .ended
        return .invalid(error)
      }
      offset &+= 1
      if state == .ended { return .end }
    }
    return .needMore
  }

  /// One byte outside the data.
  @inline(__always)
  private mutating func step(_ byte: UInt8, _ limits: ChunkedLimits) -> HTTP1Error? {
    switch state {
    case .size, .afterSize:
      return stepSize(byte)
    case .sizeLineFeed:
      guard byte == 0x0a else { return .bareCarriageReturn }
      state = remaining == 0 ? .trailerStart : .data
      digits = 0
    case .dataReturn:
      guard byte == 0x0d else { return .missingChunkEnd }
      state = .dataLineFeed
    case .dataLineFeed:
      guard byte == 0x0a else { return .missingChunkEnd }
      state = .size
    case .trailerStart, .trailerName, .trailerValue, .trailerLineFeed, .endLineFeed:
      trailerBytes &+= 1
      if trailerBytes > limits.trailerBytes { return .trailersTooLarge }
      return stepTrailer(byte)
    case .data, .ended:
      return .invalidChunkSize
    default:
      return stepExtension(byte, limits)
    }
    return nil
  }

  private mutating func stepSize(_ byte: UInt8) -> HTTP1Error? {
    if byte == 0x0d, digits > 0 {
      state = .sizeLineFeed
      return nil
    }
    if digits > 0, byte == 0x3b || byte == 0x20 || byte == 0x09 {
      // RFC 9112 §7.1.1: BWS may stand before a `;`, and only there.
      extensionBytes &+= 1
      state = byte == 0x3b ? .nameOrBlank : .beforeExtension
      return nil
    }
    guard let digit = hexadecimalDigit(byte) else {
      return byte == 0x0a ? .bareLineFeed : .invalidChunkSize
    }
    guard digits < 16, remaining <= Int64.max &>> 4 else { return .chunkSizeTooLarge }
    digits &+= 1
    remaining = remaining &<< 4 | Int64(digit)
    return nil
  }

  private mutating func stepExtension(_ byte: UInt8, _ limits: ChunkedLimits) -> HTTP1Error? {
    if byte == 0x0d, state != .quoted, state != .quotedPair {
      switch state {
      case .extensionName, .extensionValue, .afterQuoted:
        state = .sizeLineFeed
        return nil
      default: return .invalidChunkExtension
      }
    }
    extensionBytes &+= 1
    if extensionBytes > limits.extensionBytes { return .chunkExtensionsTooLarge }
    let isBlank = RequestHeadParser.isBlank(byte)
    let isToken = CharacterClass.contains(byte, CharacterClass.token)
    switch (state, byte) {
    case (.beforeExtension, _) where isBlank: break
    case (.beforeExtension, 0x3b), (.afterExtensionName, 0x3b), (.extensionName, 0x3b),
      (.extensionValue, 0x3b), (.afterQuoted, 0x3b):
      state = .nameOrBlank
    case (.nameOrBlank, _) where isBlank: break
    case (.nameOrBlank, _) where isToken: state = .extensionName
    case (.extensionName, 0x3d), (.afterExtensionName, 0x3d): state = .extensionValueStart
    case (.extensionName, _) where isToken: break
    case (.extensionName, _) where isBlank: state = .afterExtensionName
    case (.afterExtensionName, _) where isBlank: break
    case (.extensionValueStart, _) where isBlank: break
    case (.extensionValueStart, 0x22): state = .quoted
    case (.extensionValueStart, _) where isToken: state = .extensionValue
    case (.extensionValue, _) where isToken: break
    case (.extensionValue, _) where isBlank, (.afterQuoted, _) where isBlank:
      state = .beforeExtension
    case (.quoted, 0x22): state = .afterQuoted
    case (.quoted, 0x5c): state = .quotedPair
    case (.quoted, _) where isText(byte): break
    case (.quotedPair, _) where isText(byte): state = .quoted
    default: return byte == 0x0a ? .bareLineFeed : .invalidChunkExtension
    }
    return nil
  }

  private mutating func stepTrailer(_ byte: UInt8) -> HTTP1Error? {
    switch state {
    case .trailerStart where byte == 0x0d: state = .endLineFeed
    case .trailerStart where CharacterClass.contains(byte, CharacterClass.token):
      state = .trailerName
      trailerName = TrailerName()
      trailerName.append(byte)
    case .trailerName where byte == 0x3a:
      if trailerName.isForbidden { return .forbiddenTrailer }
      state = .trailerValue
    case .trailerName where CharacterClass.contains(byte, CharacterClass.token):
      trailerName.append(byte)
    case .trailerValue where byte == 0x0d: state = .trailerLineFeed
    case .trailerValue where isText(byte): break
    case .trailerLineFeed where byte == 0x0a: state = .trailerStart
    case .endLineFeed where byte == 0x0a: state = .ended
    case .trailerLineFeed, .endLineFeed: return .bareCarriageReturn
    default: return byte == 0x0a ? .bareLineFeed : .invalidTrailer
    }
    return nil
  }

  /// Tab, space, visible ASCII and obs-text.
  @inline(__always)
  private func isText(_ byte: UInt8) -> Bool { byte >= 0x20 && byte != 0x7f || byte == 0x09 }
}

/// The value of a hexadecimal digit in either case.
@inline(__always)
func hexadecimalDigit(_ byte: UInt8) -> UInt8? {
  switch byte {
  case 0x30...0x39: byte &- 0x30
  case 0x41...0x46: byte &- 0x37
  case 0x61...0x66: byte &- 0x57
  default: nil
  }
}
