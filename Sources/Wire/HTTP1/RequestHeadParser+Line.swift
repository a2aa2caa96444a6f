extension RequestHeadParser {
  /// Method, target and version, RFC 9112 §3. The answer is where the fields begin.
  @inline(__always)
  static func parseRequestLine(
    _ p: UnsafeRawPointer, _ end: Int, _ limits: RequestHeadLimits, _ head: inout RequestHead
  ) -> Advance {
    var i = 0
    if p.byte(0) == 0x0d || p.byte(0) == 0x0a {
      // RFC 9112 §2.2: one empty line before the request line, left over from an old client's body.
      if p.byte(0) == 0x0a { return .invalid(.bareLineFeed) }
      guard end > 1 else { return .more }
      guard p.byte(1) == 0x0a else { return .invalid(.bareCarriageReturn) }
      i = 2
      guard end > 2 else { return .more }
      if p.byte(2) == 0x0d || p.byte(2) == 0x0a { return .invalid(.leadingEmptyLines) }
    }

    let methodStart = i
    if i &+ 5 <= end, (p + i).loadUnaligned(as: UInt32.self) == 0x2054_4547 {  // "GET "
      head.method = .get
      i &+= 3
    } else {
      while i < end, CharacterClass.contains(p.byte(i), CharacterClass.token) { i &+= 1 }
      if i &- methodStart > 32 { return .invalid(.methodTooLong) }
      guard i < end else { return .more }
      guard p.byte(i) == 0x20 else {
        let stopsAtLineEnd = p.byte(i) == 0x0d || p.byte(i) == 0x0a
        return .invalid(stopsAtLineEnd ? .malformedRequestLine : .invalidMethod)
      }
      guard i > methodStart else { return .invalid(.malformedRequestLine) }
      head.method = HTTPMethod.identify(p + methodStart, i &- methodStart)
    }
    head.methodSpan = ByteSpan(from: methodStart, to: i)
    i &+= 1
    if head.method == .other, head.isConnect(p) { return .invalid(.connectNotSupported) }

    let targetStart = i
    let targetEnd: Int
    switch parseTarget(p, i, end, &head) {
    case .more:
      return end &- targetStart > limits.targetBytes ? .invalid(.targetTooLong) : .more
    case .invalid(let error): return .invalid(error)
    case .to(let next): targetEnd = next
    }
    if targetEnd &- targetStart > limits.targetBytes { return .invalid(.targetTooLong) }
    head.target = ByteSpan(from: targetStart, to: targetEnd)
    return parseVersion(p, targetEnd &+ 1, end, &head)
  }

  /// The answer is where the space after the target is.
  @inline(__always)
  private static func parseTarget(
    _ p: UnsafeRawPointer, _ start: Int, _ end: Int, _ head: inout RequestHead
  ) -> Advance {
    guard start < end else { return .more }
    switch p.byte(start) {
    case 0x2f:
      return parsePath(p, start, end, &head)
    case 0x2a where head.method == .options:
      guard start &+ 1 < end else { return .more }
      guard p.byte(start &+ 1) == 0x20 else { return .invalid(.invalidTargetForm) }
      head.path = ByteSpan(from: start, to: start &+ 1)
      head.flags.insert([.plainPath, .serverTarget])
      return .to(start &+ 1)
    case 0x20, 0x09, 0x0d, 0x0a:
      return .invalid(.malformedRequestLine)
    default:
      return parseAbsoluteForm(p, start, end, &head)
    }
  }

  @inline(__always)
  static func parsePath(
    _ p: UnsafeRawPointer, _ start: Int, _ end: Int, _ head: inout RequestHead
  ) -> Advance {
    var i = start
    var seen: UInt8 = 0
    while true {
      while i &+ 16 <= end {
        let lanes = Lanes.load(p, i)
        // Of the path's bytes those that are frequent and not special.
        let plain = lanes.areAlphanumeric .| lanes.are(0x2d) .| lanes.are(0x5f) .| lanes.are(0x2f)
        let stop = plain.firstUnset
        i &+= stop
        if stop < 16 { break }
      }
      guard i < end else { return .more }
      let bits = CharacterClass.bits(p.byte(i))
      if bits & CharacterClass.path == 0 { break }
      seen |= bits
      i &+= 1
    }
    if seen & CharacterClass.special == 0 { head.flags.insert(.plainPath) }
    head.path = ByteSpan(from: start, to: i)
    if p.byte(i) == 0x20 { return .to(i) }
    return parseQuery(p, i, end, &head)
  }

  /// From the byte that ended the path.
  @inline(never)
  private static func parseQuery(
    _ p: UnsafeRawPointer, _ start: Int, _ end: Int, _ head: inout RequestHead
  ) -> Advance {
    var i = start
    if p.byte(i) == 0x3f {
      i &+= 1
      while i < end, CharacterClass.contains(p.byte(i), CharacterClass.query) { i &+= 1 }
      guard i < end else { return .more }
      head.flags.insert(.query)
      head.query = ByteSpan(from: start &+ 1, to: i)
    }
    switch p.byte(i) {
    case 0x20: return .to(i)
    case 0x23: return .invalid(.fragmentInTarget)
    case 0x0d, 0x0a, 0x09: return .invalid(.malformedRequestLine)
    default: return .invalid(.invalidTarget)
    }
  }

  /// `http://authority/path`, RFC 9112 §3.2.2.
  @inline(never)
  private static func parseAbsoluteForm(
    _ p: UnsafeRawPointer, _ start: Int, _ end: Int, _ head: inout RequestHead
  ) -> Advance {
    var i = start
    while i < end {
      let byte = p.byte(i) | 0x20
      guard byte >= 0x61, byte <= 0x7a, i &- start < 6 else { break }
      i &+= 1
    }
    guard i < end else { return .more }
    let isSecure = i &- start == 5 && matchesFolded(p + start, "https", 5)
    guard isSecure || i &- start == 4 && matchesFolded(p + start, "http", 4) else {
      let byte = p.byte(i)
      let isVisible = byte >= 0x20 && byte < 0x7f
      return .invalid(isVisible ? .invalidTargetForm : .invalidTarget)
    }
    let slashes = agreeing(p, i, end, "://", 3)
    i &+= slashes
    guard i < end else { return .more }
    guard slashes == 3 else { return .invalid(.invalidTargetForm) }
    let authority = i
    while i < end, p.byte(i) != 0x2f, p.byte(i) != 0x3f, p.byte(i) > 0x20 { i &+= 1 }
    guard i < end else { return .more }
    guard HostSyntax.isAuthority(p, authority, i, readable: end) else {
      return .invalid(.invalidHost)
    }
    head.authority = ByteSpan(from: authority, to: i)
    head.flags.insert(isSecure ? [.absoluteForm, .secureTarget] : .absoluteForm)
    if p.byte(i) == 0x2f { return parsePath(p, i, end, &head) }
    // An empty path means "/" (RFC 9110 §4.2.3); the nearest one is the second of "://".
    head.path = ByteSpan(from: authority &- 1, to: authority)
    head.flags.insert(.plainPath)
    if head.method == .options, p.byte(i) == 0x20 { head.flags.insert(.serverTarget) }
    return parseQuery(p, i, end, &head)
  }

  /// The answer is where the next line begins.
  @inline(__always)
  private static func parseVersion(
    _ p: UnsafeRawPointer, _ start: Int, _ end: Int, _ head: inout RequestHead
  ) -> Advance {
    if start &+ 10 <= end, Word.load(p, start) == 0x312e_312f_5054_5448 {  // "HTTP/1.1"
      head.versionMinor = 1
    } else {
      let known = agreeing(p, start, end, "HTTP/", 5)
      let i = start &+ known
      guard i < end else { return .more }
      guard known == 5 else {
        let isExtraSpace = i == start && isBlank(p.byte(i))
        return .invalid(isExtraSpace ? .malformedRequestLine : .malformedVersion)
      }
      guard start &+ 8 <= end else { return .more }
      guard isDigit(p.byte(i)), p.byte(i &+ 1) == 0x2e, isDigit(p.byte(i &+ 2)) else {
        return .invalid(.malformedVersion)
      }
      guard p.byte(i) == 0x31 else { return .invalid(.unsupportedVersion) }
      head.versionMinor = p.byte(i &+ 2) == 0x30 ? 0 : 1
    }
    let i = start &+ 8
    guard i < end else { return .more }
    switch p.byte(i) {
    case 0x0d: break
    case 0x0a: return .invalid(.bareLineFeed)
    case 0x20, 0x09: return .invalid(.malformedRequestLine)
    default: return .invalid(.malformedVersion)
    }
    guard i &+ 1 < end else { return .more }
    guard p.byte(i &+ 1) == 0x0a else { return .invalid(.bareCarriageReturn) }
    return .to(i &+ 2)
  }

  /// How many bytes from `start` on are those of `literal`, of `count` bytes.
  private static func agreeing(
    _ p: UnsafeRawPointer, _ start: Int, _ end: Int, _ literal: StaticString, _ count: Int
  ) -> Int {
    var n = 0
    while n < count, start &+ n < end, p.byte(start &+ n) == literal.utf8Start[n] { n &+= 1 }
    return n
  }

  @inline(__always)
  static func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 }
}

extension RequestHead {
  fileprivate func isConnect(_ p: UnsafeRawPointer) -> Bool {
    let connect: StaticString = "CONNECT"
    return methodSpan.length == 7
      && equalBytes(p + methodSpan.start, UnsafeRawPointer(connect.utf8Start), 7)
  }
}
