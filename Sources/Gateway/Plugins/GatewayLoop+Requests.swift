public import CSluice
internal import Wire

/// What a plugin may do with a request, for whoever stands between the two. All of it is [loop-thread].
///
/// `owner` is the generation on whose behalf is asked: another's request is as good as a stale one. Statuses are those
/// of the contract (status.h).
extension GatewayLoop {
  @inline(__always)
  func request(_ token: UInt64, _ owner: Generation) -> RequestPointer? {
    guard let request = state.request(token), let generation = request.pointee.generation,
      generation.toOpaque() == Unmanaged.passUnretained(owner).toOpaque()
    else { return nil }
    return request
  }

  /// The method as sent.
  public func method(_ token: UInt64, of owner: Generation) -> UnsafeRawBufferPointer? {
    request(token, owner)?.method
  }

  /// The path as sent.
  public func path(_ token: UInt64, of owner: Generation) -> UnsafeRawBufferPointer? {
    request(token, owner)?.path
  }

  /// A path parameter, decoded.
  public func parameter(_ token: UInt64, _ index: Int, of owner: Generation)
    -> UnsafeRawBufferPointer?
  {
    request(token, owner)?.parameter(index)
  }

  /// A query parameter, decoded.
  public func query(_ token: UInt64, _ name: UnsafeRawBufferPointer, of owner: Generation)
    -> UnsafeRawBufferPointer?
  {
    request(token, owner)?.query(name)
  }

  /// A header field; never Authorization.
  public func field(_ token: UInt64, _ name: UnsafeRawBufferPointer, of owner: Generation)
    -> UnsafeRawBufferPointer?
  {
    request(token, owner)?.field(named: name)
  }

  /// The whole body of a buffered route; empty when there is none.
  public func body(_ token: UInt64, of owner: Generation) -> UnsafeRawBufferPointer? {
    guard let request = request(token, owner) else { return nil }
    guard let body = request.pointee.body, request.facts.pointee.body == .buffered else {
      return UnsafeRawBufferPointer(start: UnsafeRawPointer(request), count: 0)
    }
    return UnsafeRawBufferPointer(start: body, count: request.pointee.bodyCount)
  }

  /// The request's id.
  public func requestID(_ token: UInt64, of owner: Generation) -> UnsafeRawBufferPointer? {
    request(token, owner)?.requestID
  }

  /// The client's address as text: the peer's, or what a trusted proxy says of it.
  public func peer(_ token: UInt64, of owner: Generation) -> UnsafeRawBufferPointer? {
    guard let request = request(token, owner), request.pointee.connection != nil else {
      return nil
    }
    let room = 64
    var text = ByteWriter(request.pointee.arena.allocate(room), capacity: room)
    PeerText(address: request.clientAddress).append(to: &text)
    return text.bytes
  }

  /// The subject of the certificate that the client has shown (RFC 4514); nil when it has shown none, or stale.
  public func clientSubject(_ token: UInt64, of owner: Generation) -> UnsafeRawBufferPointer? {
    request(token, owner)?.clientSubject
  }

  /// Who is asking; nil when stale.
  public func principal(_ token: UInt64, of owner: Generation) -> sluice_principal_v1_t? {
    guard let request = request(token, owner) else { return nil }
    guard let principal = request.pointee.principal else { return Principal.anonymous.contract }
    return principal._withUnsafeGuaranteedRef { $0.contract }
  }

  /// Adds a field to the answer.
  public func setHeader(
    _ token: UInt64, _ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer,
    of owner: Generation
  ) -> Int32 {
    guard let request = request(token, owner) else {
      // Fields are not kept for repeats, but the answer that they come before is.
      return claim(token, of: owner) == nil ? SLUICE_E_STALE : SLUICE_OK
    }
    guard request.pointee.stage.rawValue <= RequestStage.responding.rawValue else {
      return SLUICE_E_WRONG_STATE
    }
    guard FieldSyntax.isName(name), FieldSyntax.isValue(value), !HostFields.contains(name) else {
      return SLUICE_E_INVALID
    }
    guard (request.pointee.added?.count ?? 0) + name.count + value.count + 4 <= 8192 else {
      return SLUICE_E_TOO_LARGE
    }
    request.add(name, value)
    if request.pointee.head.first(.origin) == nil,
      equalsIgnoringCase(("cache-control" as StaticString).raw, name), !forbidsStoring(value)
    {
      // It lacks the fields of CORS, so a cache must not give it to a page; with an Origin the head says so anyway.
      request.add(("vary" as StaticString).raw, ("Origin" as StaticString).raw)
    }
    return SLUICE_OK
  }

  /// Gives the whole answer.
  public func respond(
    _ token: UInt64, _ status: UInt32, _ contentType: UnsafeRawBufferPointer,
    _ body: UnsafeRawBufferPointer,
    of owner: Generation
  ) -> Int32 {
    let isLegal = (200...599).contains(status) && isContentType(contentType)
    guard let request = request(token, owner) else {
      // What could not be sent to anybody is not kept for repeats either.
      if isLegal {
        answerOrphan(token, Int(status), contentType: contentType, body: body, of: owner)
      }
      return SLUICE_E_STALE
    }
    guard isLegal else { return SLUICE_E_INVALID }
    if request.holdsAnswers {
      return request.hold(Int(status), contentType: contentType, body: body)
    }
    return request.answer(Int(status), contentType: contentType, body: body)
      ? SLUICE_OK : SLUICE_E_WRONG_STATE
  }

  /// Gives the whole answer as a problem document.
  public func problem(
    _ token: UInt64, _ status: UInt32, code: UnsafeRawBufferPointer, detail: UnsafeRawBufferPointer,
    errors: UnsafeRawBufferPointer, of owner: Generation
  ) -> Int32 {
    let isLegal = isProblem(status, code: code, detail: detail, errors: errors)
    guard let request = request(token, owner) else {
      if isLegal {
        problemOfOrphan(token, status, code: code, detail: detail, errors: errors, of: owner)
      }
      return SLUICE_E_STALE
    }
    guard isLegal else { return SLUICE_E_INVALID }
    if request.holdsAnswers {
      return request.holdProblem(Int(status), code: code, detail: detail, errors: errors)
    }
    return request.problem(Int(status), code: code, detail: detail, errors: errors)
      ? SLUICE_OK : SLUICE_E_WRONG_STATE
  }

  /// Begins an answer in pieces.
  public func begin(
    _ token: UInt64, _ status: UInt32, _ contentType: UnsafeRawBufferPointer, length: Int64,
    of owner: Generation
  ) -> Int32 {
    guard let request = request(token, owner) else { return SLUICE_E_STALE }
    guard (200...599).contains(status), isContentType(contentType),
      length >= -1, status != 204, status != 304
    else { return SLUICE_E_INVALID }
    if request.pointee.greeting != nil { return SLUICE_E_WRONG_STATE }
    if request.holdsAnswers {
      return request.holdBegin(Int(status), contentType: contentType, length: length)
    }
    return request.begin(Int(status), contentType: contentType, length: length)
  }

  /// Sends a piece.
  public func write(
    _ token: UInt64, _ piece: UnsafeRawBufferPointer, resume: Completion, of owner: Generation
  )
    -> Int32
  {
    guard let request = request(token, owner) else { return SLUICE_E_STALE }
    return request.write(piece, resume: resume)
  }

  /// Ends an answer in pieces.
  public func end(_ token: UInt64, of owner: Generation) -> Int32 {
    guard let request = request(token, owner) else { return SLUICE_E_STALE }
    return request.endStream()
  }

  /// Moves head and body to memory of the request's own.
  public func keep(_ token: UInt64, of owner: Generation) -> Int32 {
    guard let request = request(token, owner) else { return SLUICE_E_STALE }
    request.keep()
    return SLUICE_OK
  }

  /// Asks for the next piece of a streamed body.
  public func read(_ token: UInt64, _ completion: Completion, of owner: Generation) -> Int32 {
    guard let request = request(token, owner) else { return SLUICE_E_STALE }
    return request.pull(completion)
  }
}

/// Fields of an answer that are the host's alone.
private enum HostFields {
  static let names: [StaticString] = [
    "content-length", "transfer-encoding", "connection", "date", "x-request-id", "content-type",
    "upgrade",
    "sec-websocket-accept", "sec-websocket-protocol", "x-ratelimit-limit", "x-ratelimit-remaining",
    "x-ratelimit-reset", "access-control-allow-origin", "access-control-allow-methods",
    "access-control-allow-headers", "access-control-allow-credentials", "access-control-max-age",
    "access-control-expose-headers", "idempotency-replayed",
  ]

  static func contains(_ name: UnsafeRawBufferPointer) -> Bool {
    names.contains { equalsIgnoringCase($0.raw, name) }
  }
}

/// Whether a problem document can be made of them.
private func isProblem(
  _ status: UInt32, code: UnsafeRawBufferPointer, detail: UnsafeRawBufferPointer,
  errors: UnsafeRawBufferPointer
) -> Bool {
  guard (400...599).contains(status), code.count > 0, UTF8Validator.isValid(detail),
    code.allSatisfy({ $0 >= 0x61 && $0 <= 0x7a || $0 == 0x5f || $0 >= 0x30 && $0 <= 0x39 }),
    errors.isEmpty || (try? JSONDocument(errors))?.root.kind == .array
  else { return false }
  return true
}

/// Whether a Cache-Control has the directive `no-store` (RFC 9111 §5.2.2.5).
private func forbidsStoring(_ directives: UnsafeRawBufferPointer) -> Bool {
  directives.split(separator: 0x2c).contains { directive in
    let name = directive.drop { $0 == 0x20 || $0 == 0x09 }.prefix { $0 != 0x20 && $0 != 0x09 }
    return equalsIgnoringCase(
      ("no-store" as StaticString).raw, UnsafeRawBufferPointer(rebasing: name))
  }
}

/// Whether the bytes may stand in Content-Type; the one that nearly all answers have is known.
@inline(__always)
private func isContentType(_ type: UnsafeRawBufferPointer) -> Bool {
  if type.count == 16, let base = type.baseAddress,
    base.loadUnaligned(as: UInt64.self) == 0x7461_6369_6c70_7061,
    base.loadUnaligned(fromByteOffset: 8, as: UInt64.self) == 0x6e6f_736a_2f6e_6f69
  {
    return true
  }
  return type.count <= 256 && FieldSyntax.isValue(type)
}
