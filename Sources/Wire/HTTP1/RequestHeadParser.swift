/// Bounds on a request head. What exceeds them is refused, and never held in memory.
public struct RequestHeadLimits: Sendable {
  /// Bytes of the whole head, at most 65,535. Breach: 431, or 414 while still in the request line.
  public let headBytes: Int
  /// Bytes of the request target. Breach: 414.
  public let targetBytes: Int
  /// Header fields, at most 255, and at most what the caller's memory holds. Breach: 431.
  public let fields: Int

  /// Values outside what the fields allow are moved to the nearer end.
  public init(headBytes: Int = 32_768, targetBytes: Int = 8_192, fields: Int = 100) {
    self.headBytes = min(max(headBytes, 0), 65_535)
    self.targetBytes = max(targetBytes, 0)
    self.fields = min(max(fields, 0), 255)
  }
}

/// How far an incomplete head has been looked at, kept between two arrivals of its bytes so that a
/// head that trickles in is not parsed again for each of them. Start each request with a new one.
public struct HeadProgress: Sendable {
  var scanned: UInt16 = 0
  var hasRequestLine = false

  /// Before the first byte of a head.
  public init() {}
}

/// What `RequestHeadParser` made of the bytes so far.
public enum HeadResult: Sendable {
  /// The head is whole and took this many bytes; the body, or the next request, follows.
  case complete(consumed: Int)
  /// Call again with the same bytes and more.
  case needMore
  /// Answer with the error's status and close.
  case invalid(HTTP1Error)
}

/// Reads request heads, RFC 9112 §2 to §6. Strict: what two readers could understand in two ways is
/// refused, never repaired. Keeps nothing, allocates nothing; any thread.
public enum RequestHeadParser {
  /// Parses the head at the start of `bytes`.
  ///
  /// - Parameters:
  ///   - bytes: All that has arrived of this request, and possibly bytes after it.
  ///   - limits: The bounds to enforce.
  ///   - progress: The request's progress; reset when the head is complete.
  ///   - head: Filled when the answer is `.complete`, else meaningless.
  ///   - fields: Memory for the header fields, in the order sent.
  public static func parse(
    _ bytes: UnsafeRawBufferPointer,
    limits: RequestHeadLimits,
    progress: inout HeadProgress,
    head: inout RequestHead,
    fields: UnsafeMutableBufferPointer<HeaderField>
  ) -> HeadResult {
    guard let base = bytes.baseAddress, bytes.count > 0 else { return .needMore }
    let end = min(bytes.count, limits.headBytes)
    if progress.scanned != 0, end < limits.headBytes, !progress.sawTurningPoint(base, end) {
      return .needMore
    }
    head = RequestHead()
    switch parseRequestLine(base, end, limits, &head) {
    case .more:
      if end >= limits.headBytes { return .invalid(.targetTooLong) }
      progress.scanned = UInt16(clamping: end)
      return .needMore
    case .invalid(let error):
      return .invalid(error)
    case .to(let next):
      switch parseFields(base, next, end, limits, &head, fields) {
      case .more:
        if end >= limits.headBytes { return .invalid(.headTooLarge) }
        progress.hasRequestLine = true
        progress.scanned = UInt16(clamping: end)
        return .needMore
      case .invalid(let error):
        return .invalid(error)
      case .to(let consumed):
        progress = HeadProgress()
        return .complete(consumed: consumed)
      }
    }
  }

  /// Where a part of the head ended.
  enum Advance {
    case to(Int)
    case more
    case invalid(HTTP1Error)
  }
}

extension HeadProgress {
  /// Whether the bytes not yet looked at hold something that makes parsing worth its while: the end
  /// of the request line, the end of the head, or a CR or LF alone. Each byte is looked at once.
  mutating func sawTurningPoint(_ base: UnsafeRawPointer, _ end: Int) -> Bool {
    var offset = Int(scanned)
    var previous = base.byte(offset - 1)
    while offset < end {
      let byte = base.byte(offset)
      if (byte == 0x0a) != (previous == 0x0d) { return true }
      if byte == 0x0a, offset >= 2, !hasRequestLine || base.byte(offset - 2) == 0x0a {
        return true
      }
      previous = byte
      offset += 1
    }
    scanned = UInt16(clamping: end)
    return false
  }
}
