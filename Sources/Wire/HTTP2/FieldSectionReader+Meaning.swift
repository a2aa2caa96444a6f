extension FieldSectionReader {
  /// Ends the section and reads what only the whole of it can tell.
  ///
  /// - Parameter endsStream: whether nothing follows it.
  /// - Returns: the first error; else nil, and a request's `head` is filled.
  public mutating func finish(endsStream: Bool) -> FieldSectionError? {
    if kind == .trailers, !endsStream { fail(.trailersWithoutEnd) }
    if error == nil, kind == .request { readRequest(endsStream) }
    if error != nil { head = RequestHead() }
    return error
  }

  private mutating func readRequest(_ endsStream: Bool) {
    guard let method = pseudo[.method] else { return fail(.missingPseudoHeader) }
    guard method.count <= 32 else { return fail(.http(.methodTooLong)) }
    guard RequestHeadParser.isToken(base, method.start, method.end) else {
      return fail(.http(.invalidMethod))
    }
    head.methodSpan = method
    head.method = HTTPMethod.identify(base + method.start, method.count)
    readAuthority()
    if spells(method, "CONNECT") {
      readConnect(endsStream)
    } else {
      guard pseudo[.protocol] == nil else { return fail(.protocolWithoutConnect) }
      readTarget()
      readLength(endsStream)
    }
    joinCookies()
    head.versionMinor = 1
    head.flags.insert(.keepAlive)
    head.fieldCount = fieldCount
  }

  /// RFC 9113 §8.3.1: who is asked stands in `:authority`, or in Host, or in both alike.
  private mutating func readAuthority() {
    guard let authority = pseudo[.authority] else {
      if head.first(.host) == nil { fail(.missingAuthority) }
      return
    }
    guard HostSyntax.isAuthority(base, authority.start, authority.end, readable: byteCount) else {
      return fail(.http(.invalidHost))
    }
    if let host = head.first(.host) {
      guard equalsIgnoringCase(fieldMemory[host].value.bytes(in: base), authority.bytes(in: base))
      else { return fail(.hostDiffers) }
    } else {
      // Whoever asks for Host gets it, as in HTTP/1.
      let host: StaticString = "host"
      let name = append(UnsafeRawBufferPointer(start: host.utf8Start, count: 4))
      insert(name, .host, authority)
    }
    head.authority = authority
  }

  private mutating func readTarget() {
    guard let scheme = pseudo[.scheme], let path = pseudo[.path] else {
      return fail(.missingPseudoHeader)
    }
    let isSecure = spells(scheme, "https")
    guard isSecure || spells(scheme, "http") else { return fail(.unknownScheme) }
    if isSecure { head.flags.insert(.secureTarget) }
    guard path.count > 0 else { return fail(.invalidPath) }
    head.target = path
    if base.byte(path.start) == 0x2a {
      guard path.count == 1, head.method == .options else { return fail(.invalidPath) }
      head.path = path
      head.flags.insert([.plainPath, .serverTarget])
      return
    }
    guard base.byte(path.start) == 0x2f else { return fail(.invalidPath) }
    // The space that ends every value here ends the target in a request line.
    switch RequestHeadParser.parsePath(base, path.start, byteCount, &head) {
    case .to(let end) where end == path.end: return
    case .invalid(.fragmentInTarget): fail(.http(.fragmentInTarget))
    default: fail(.http(.invalidTarget))
    }
  }

  /// RFC 9113 §8.5, and RFC 8441 §4 for a CONNECT that names a protocol.
  private mutating func readConnect(_ endsStream: Bool) {
    guard let name = pseudo[.protocol] else {
      let isPlain = pseudo[.authority] != nil && pseudo[.scheme] == nil && pseudo[.path] == nil
      return fail(isPlain ? .http(.connectNotSupported) : .invalidConnect)
    }
    guard pseudo[.authority] != nil else { return fail(.missingAuthority) }
    readTarget()
    guard !endsStream, head.contentLength < 0 else { return fail(.contentLengthMismatch) }
    guard spells(name, "websocket") else { return fail(.unknownProtocol) }
    head.method = .get
    head.flags.insert(.webSocket)
  }

  /// RFC 9113 §8.1.1: a length that is announced is the length of what follows.
  private mutating func readLength(_ endsStream: Bool) {
    if endsStream {
      if head.contentLength > 0 { fail(.contentLengthMismatch) }
    } else if head.contentLength < 0 {
      // A body of unknown length follows, which is what a chunked one is.
      head.flags.insert(.chunked)
    }
  }

  /// RFC 9113 §8.2.3: a cookie may come in crumbs, which only HTTP/2 puts together.
  private mutating func joinCookies() {
    guard cookies > 1, error == nil else { return }
    let start = byteCount
    var kept = 0
    var first = 0
    var crumbs = 0
    for index in 0..<fieldCount {
      let field = fieldMemory[index]
      if field.id == .cookie {
        if crumbs > 0 { text?.append("; ") } else { first = kept }
        crumbs += 1
        for offset in field.value.start..<field.value.end {
          // By offset, because what is appended to may move.
          let byte = base.byte(offset)
          text?.append(byte)
        }
        guard crumbs == 1 else { continue }
      }
      fieldMemory[kept] = field
      kept += 1
    }
    let name = fieldMemory[first].name
    fieldMemory[first] = HeaderField(
      nameOffset: name.start, nameLength: name.count, id: .cookie,
      value: ByteSpan(from: start, to: byteCount))
    fieldCount = kept
    indexFields()
  }

  /// Finds the first field of each name anew, after some have moved.
  private mutating func indexFields() {
    head.firstIndex = InlineArray(repeating: 0xff)
    for index in (0..<fieldCount).reversed() where fieldMemory[index].id != .other {
      head.firstIndex[Int(fieldMemory[index].id.rawValue)] = UInt8(truncatingIfNeeded: index)
    }
  }

  private func spells(_ span: ByteSpan, _ text: StaticString) -> Bool {
    span.count == text.utf8CodeUnitCount
      && equalBytes(base + span.start, UnsafeRawPointer(text.utf8Start), span.count)
  }
}
