internal import CSluice
internal import EventLoop
internal import Wire

/// A request that was given up, by its peer or for its time, while its plugin had it in hand: what the plugin still says of
/// it is kept for the client's next attempt.
struct OrphanedRequest {
  let claim: any RequestClaim
  let owner: Unmanaged<Generation>
  let requestID: [UInt8]
  /// Milliseconds of the loop's clock.
  let since: UInt64

  /// A plugin that has not answered for so long does not.
  static let patience: UInt64 = 60_000
}

extension RequestSlot {
  /// Statuses whose answers are kept: what a repeat could not change.
  static func isKept(_ status: Int) -> Bool {
    200..<300 ~= status || 400..<500 ~= status && status != 401 && status != 429
  }
}

extension UnsafeMutablePointer where Pointee == RequestSlot {
  /// Asks whether a request with an `Idempotency-Key` may be carried out. It is in the stage `handle`, and comes back to it.
  @inline(never)
  func beginClaim(_ key: UnsafeRawBufferPointer) {
    guard 1...255 ~= key.count, key.allSatisfy({ 0x20...0x7e ~= $0 }) else {
      problem(.invalidRequest, "Idempotency-Key is not 1 to 255 printable ASCII characters.")
      return
    }
    let loop = loop
    pointee.stage = .claiming
    let token = pointee.token
    let request = ClaimRequest(
      principal: claimant,
      key: String(decoding: key, as: UTF8.self), fingerprint: fingerprint)
    loop.pointee.host.claim(
      request, in: pointee.generation.unsafelyUnwrapped.takeUnretainedValue(),
      on: GatewayLoop(state: loop)
    ) { answer in
      guard let request = loop.request(token), request.pointee.stage == .claiming else {
        if case .claimed(let claim) = answer { claim.release() }
        return
      }
      request.settle(answer)
      loop.request(token)?.continueLater()
    }
  }

  /// Whose keys it has. Whoever shows no credential of his own has them with his network address, so that strangers who choose the same
  /// key do not meet.
  private var claimant: String {
    let principal = pointee.principal?.takeUnretainedValue()
    guard let principal, principal.kind != .anonymous else {
      return "anonymous:\(principal?.id ?? "")@\(clientAddress.host)"
    }
    return "\(principal.kind.name):\(principal.id)"
  }

  /// A digest of what the key stands for: method, target and body.
  private var fingerprint: Digest {
    let body = Digest(of: UnsafeRawBufferPointer(start: pointee.body, count: pointee.bodyCount))
    var text = ByteWriter(growingFrom: 512)
    defer { text.deallocate() }
    text.append(method)
    text.append(" ")
    text.append(path)
    text.append("?")
    text.append(bytes(pointee.head.query))
    text.append(" ")
    body.bytes.withUnsafeBytes { text.append($0) }
    return Digest(of: text.bytes)
  }

  private func settle(_ answer: ClaimAnswer) {
    let metrics = loop.pointee.metrics
    switch answer {
    case .claimed(let claim):
      pointee.claim = .passRetained(claim as AnyObject)
      pointee.stage = .handle
    case .answered(let kept):
      metrics.add(.repeatsAnswered)
      add(("idempotency-replayed" as StaticString).raw, ("true" as StaticString).raw)
      // What fields the first answer had is not known; it may have been a secret.
      add(("cache-control" as StaticString).raw, ("no-store" as StaticString).raw)
      kept.contentType.withUnsafeBytes { type in
        kept.body.withUnsafeBytes { _ = self.answer(kept.status, contentType: type, body: $0) }
      }
    case .underWay:
      metrics.add(.repeatsRefused)
      add(("retry-after" as StaticString).raw, ("1" as StaticString).raw)
      problem(.conflict, "A request with this Idempotency-Key is being carried out.")
    case .mismatch:
      metrics.add(.repeatsRefused)
      problem(
        .idempotencyMismatch,
        "This Idempotency-Key was used for another request: with another method, target or body.")
    case .lost:
      metrics.add(.repeatsRefused)
      problem(
        .conflict,
        "The request with this Idempotency-Key has been carried out; its answer was not kept.")
    case .unavailable:
      problem(
        .pluginUnavailable, "It cannot be told now whether this is a repeat. Try again later.")
    }
  }

  /// Keeps the answer for repeats before it is sent, if it is one that they get. Whether it will be sent later.
  @inline(never)
  func keepForRepeats(
    _ status: Int, contentType: UnsafeRawBufferPointer, body: UnsafeRawBufferPointer
  ) -> Bool {
    guard let claim = takeClaim() else { return false }
    // A refusal that says when to ask again would be no use to who does.
    guard RequestSlot.isKept(status), status < 300 || !hasRetryAfter else {
      claim.release()
      return false
    }
    let answer = KeptAnswer(status: status, contentType: Array(contentType), body: Array(body))
    let isTooLarge = body.count > loop.pointee.settings.idempotencyAnswerBytes
    if isTooLarge { loop.pointee.metrics.add(.answersTooLargeToKeep) }
    // Inside `advance` it is kept there.
    if !pointee.flags.contains(.isAdvancing) { keep() }
    pointee.stage = .recording
    renewToken()
    let (loop, token) = (GatewayLoop(state: loop), pointee.token)
    claim.keep(isTooLarge ? nil : answer, status: status) {
      loop.eventLoop.post {
        guard let request = loop.state.request(token), request.pointee.stage == .recording else {
          return
        }
        request.pointee.stage = .handling
        answer.contentType.withUnsafeBytes { type in
          answer.body.withUnsafeBytes { _ = request.answer(status, contentType: type, body: $0) }
        }
      }
    }
    return true
  }

  /// The answer is sent in pieces: that it was given is kept, and not what it was.
  @inline(never)
  func keepNothingForRepeats(_ status: Int) {
    guard let claim = takeClaim() else { return }
    if RequestSlot.isKept(status) { claim.keep(nil, status: status) {} } else { claim.release() }
  }

  /// The request ends without an answer while its plugin has it in hand.
  @inline(never)
  func orphan() {
    guard let claim = takeClaim(), let generation = pointee.generation else { return }
    let loop = loop
    loop.pointee.orphans[pointee.token] = OrphanedRequest(
      claim: claim, owner: generation, requestID: Array(requestID),
      since: loop.pointee.eventLoop.now)
  }

  private func takeClaim() -> (any RequestClaim)? {
    defer { pointee.claim = nil }
    return pointee.claim?.takeRetainedValue() as? any RequestClaim
  }

  /// Gives back a claim that nobody has taken.
  @inline(never)
  func dropClaim() { takeClaim()?.release() }
}

extension GatewayLoop {
  /// The claim of a request, by the token that its handler was given; nil when it has none. [loop-thread]
  public func claim(_ token: UInt64, of owner: Generation) -> (any RequestClaim)? {
    if let request = request(token, owner) {
      return request.pointee.claim?.takeUnretainedValue() as? any RequestClaim
    }
    guard let orphan = state.pointee.orphans[token],
      orphan.owner.toOpaque() == Unmanaged.passUnretained(owner).toOpaque()
    else { return nil }
    return orphan.claim
  }

  /// Whether the claim of a request was given up because its handler said nothing for too long: what that commits now must
  /// be refused. [loop-thread]
  public func hasLapsed(_ token: UInt64) -> Bool { state.pointee.lapsed.contains(token) }

  /// Keeps what a plugin answers though nobody waits for it any more.
  func answerOrphan(
    _ token: UInt64, _ status: Int, contentType: UnsafeRawBufferPointer,
    body: UnsafeRawBufferPointer, of owner: Generation
  ) {
    guard !state.pointee.orphans.isEmpty, claim(token, of: owner) != nil,
      let orphan = state.pointee.orphans.removeValue(forKey: token)
    else { return }
    // Nobody has heard a refusal, and it has done nothing: a repeat is asked anew.
    guard 200..<300 ~= status else { return orphan.claim.release() }
    let isTooLarge = body.count > state.pointee.settings.idempotencyAnswerBytes
    let answer = KeptAnswer(status: status, contentType: Array(contentType), body: Array(body))
    orphan.claim.keep(isTooLarge ? nil : answer, status: status) {}
  }

  /// As ``answerOrphan(_:_:contentType:body:of:)`` for a problem document.
  func problemOfOrphan(
    _ token: UInt64, _ status: UInt32, code: UnsafeRawBufferPointer, detail: UnsafeRawBufferPointer,
    errors: UnsafeRawBufferPointer, of owner: Generation
  ) {
    guard let orphan = state.pointee.orphans[token] else { return }
    var text = ByteWriter(growingFrom: 512)
    defer { text.deallocate() }
    orphan.requestID.withUnsafeBytes {
      ProblemDocument.render(
        status: Int(status), code: code, detail: detail, requestID: $0, errors: errors, into: &text)
    }
    answerOrphan(
      token, Int(status), contentType: ProblemDocument.contentType.raw, body: text.bytes, of: owner)
  }
}

extension UnsafeMutablePointer where Pointee == LoopState {
  /// Once a second: gives up those whose plugins say nothing.
  func sweepOrphans() {
    let now = pointee.eventLoop.now
    for (token, orphan) in pointee.orphans where now > orphan.since + OrphanedRequest.patience {
      pointee.orphans[token] = nil
      // Before anybody else can have the claim: the handler may run still.
      pointee.lapsed.insert(token)
      orphan.claim.release()
    }
  }
}
