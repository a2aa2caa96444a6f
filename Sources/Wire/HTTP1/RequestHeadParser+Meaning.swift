extension RequestHeadParser {
  /// Takes note of a recognised field; reads those that say how the message is framed.
  @inline(__always)
  static func note(
    _ id: HeaderID, at index: Int, _ p: UnsafeRawPointer, _ end: Int, _ value: ByteSpan,
    _ head: inout RequestHead
  ) -> HTTP1Error? {
    let slot = Int(id.rawValue)
    let isRepeated = head.firstIndex[slot] != 0xff
    if !isRepeated {
      head.firstIndex[slot] = UInt8(truncatingIfNeeded: index)
    } else if id.isSingleton {
      return .duplicateField
    }
    return id.isRead ? read(id, isRepeated, p, end, value, &head) : nil
  }

  private static func read(
    _ id: HeaderID, _ isRepeated: Bool, _ p: UnsafeRawPointer, _ end: Int, _ value: ByteSpan,
    _ head: inout RequestHead
  ) -> HTTP1Error? {
    switch id {
    case .host:
      if isRepeated { return .duplicateHost }
      guard HostSyntax.isAuthority(p, value.start, value.end, readable: end) else {
        return .invalidHost
      }
      if !head.isAbsoluteForm { head.authority = value }
    case .contentLength:
      if isRepeated { return .duplicateContentLength }
      guard let length = decimal(p, value) else { return .invalidContentLength }
      head.contentLength = length
    case .transferEncoding:
      if isRepeated { return .invalidTransferEncoding }
      return readTransferEncoding(p, value, &head)
    case .connection:
      return readConnection(p, value, &head)
    case .expect:
      var expectations = FieldList(value)
      while let expectation = expectations.next(in: p) {
        guard expectation.count == 12, matchesFolded(p + expectation.start, "100-continue", 12)
        else { return .unsupportedExpectation }
        head.flags.insert(.expectsContinue)
      }
    case .upgrade:
      var protocols = FieldList(value)
      while let name = protocols.next(in: p) {
        if name.count == 9, matchesFolded(p + name.start, "websocket", 9) {
          head.flags.insert(.upgradeWebSocket)
        }
      }
    case .forwarded: head.flags.insert(.forwarded)
    default: break
    }
    return nil
  }

  /// RFC 9112 §6.1: `chunked`, once and alone, is the only coding understood here.
  private static func readTransferEncoding(
    _ p: UnsafeRawPointer, _ value: ByteSpan, _ head: inout RequestHead
  ) -> HTTP1Error? {
    guard value.count > 0 else { return .invalidTransferEncoding }
    guard value.count >= 7, matchesFolded(p + value.start, "chunked", 7) else {
      return .unsupportedTransferCoding
    }
    guard value.count == 7 else { return .invalidTransferEncoding }
    head.flags.insert(.chunked)
    return nil
  }

  /// RFC 9110 §7.6.1.
  private static func readConnection(
    _ p: UnsafeRawPointer, _ value: ByteSpan, _ head: inout RequestHead
  ) -> HTTP1Error? {
    var options = FieldList(value)
    while let option = options.next(in: p) {
      guard isToken(p, option.start, option.end) else { return .invalidConnection }
      switch option.count {
      case 5: if matchesFolded(p + option.start, "close", 5) { head.flags.insert(.connectionClose) }
      case 7:
        if matchesFolded(p + option.start, "upgrade", 7) { head.flags.insert(.connectionUpgrade) }
      case 10:
        if matchesFolded(p + option.start, "keep-alive", 10) {
          head.flags.insert(.connectionKeepAlive)
        }
      default: break
      }
    }
    return nil
  }

  /// RFC 9110 §8.6: digits and nothing else, within 63 bits.
  private static func decimal(_ p: UnsafeRawPointer, _ value: ByteSpan) -> Int64? {
    guard value.count > 0, value.count <= 18 || fits(p, value) else { return nil }
    var number: Int64 = 0
    var i = value.start
    while i < value.end {
      let digit = p.byte(i) &- 0x30
      guard digit < 10 else { return nil }
      number = number &* 10 &+ Int64(digit)
      i &+= 1
    }
    return number
  }

  /// Whether more than 18 digits still are a number of at most 18 after leading zeros.
  private static func fits(_ p: UnsafeRawPointer, _ value: ByteSpan) -> Bool {
    var i = value.start
    while value.end &- i > 18 {
      guard p.byte(i) == 0x30 else { return false }
      i &+= 1
    }
    return true
  }

  /// What only the whole head can tell.
  @inline(__always)
  static func finish(_ head: inout RequestHead) -> HTTP1Error? {
    let flags = head.flags
    let isHTTP11 = head.versionMinor != 0
    if isHTTP11 && head.firstIndex[Int(HeaderID.host.rawValue)] == 0xff { return .missingHost }
    if flags.contains(.chunked) {
      if !isHTTP11 { return .transferEncodingInHTTP10 }
      if head.contentLength >= 0 { return .contentLengthWithTransferEncoding }
    }
    if isHTTP11 {
      // RFC 9110 §7.8: Upgrade counts only when Connection names it.
      if flags.contains(.connectionUpgrade) && flags.contains(.upgradeWebSocket) {
        head.flags.insert(.webSocket)
      } else if !flags.contains(.connectionClose) {
        head.flags.insert(.keepAlive)
      }
    } else {
      if flags.contains(.connectionKeepAlive) && !flags.contains(.connectionClose) {
        head.flags.insert(.keepAlive)
      }
      // RFC 9110 §10.1.1: an expectation of 100-continue in HTTP/1.0 is ignored.
      head.flags.remove(.expectsContinue)
    }
    return nil
  }
}
