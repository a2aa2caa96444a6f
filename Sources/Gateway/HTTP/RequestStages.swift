internal import CSluice
internal import EventLoop
internal import Wire

extension UnsafeMutablePointer where Pointee == RequestSlot {
  var loop: LoopPointer { pointee.connection.unsafelyUnwrapped.loop }

  /// The route; there is one from the stage `identify` on.
  func withRoute<T>(_ body: (borrowing Route) -> T) -> T {
    pointee.generation.unsafelyUnwrapped._withUnsafeGuaranteedRef { generation in
      body(generation.routes.routes[Int(pointee.route)])
    }
  }

  /// The plain part of the route.
  var facts: UnsafeMutablePointer<RouteFacts> {
    pointee.generation.unsafelyUnwrapped._withUnsafeGuaranteedRef { $0.routes.facts }
      + Int(pointee.route)
  }

  /// Takes the request through its stages until it is answered or must wait for something outside.
  ///
  /// Whoever ends a wait sets the stage that comes next and calls this again; calls from further up the same stack
  /// only leave the stage behind for the loop below.
  func advance() {
    guard !pointee.flags.contains(.isAdvancing) else { return }
    pointee.flags.insert(.isAdvancing)
    while true {
      // In order, because a stage nearly always ends at the next.
      if pointee.stage == .tenant { findTenant() }
      if pointee.stage == .open { openTenant() }
      if pointee.stage == .route { findRoute() }
      if pointee.stage == .identify { identify() }
      if pointee.stage == .limit { limit() }
      if pointee.stage == .body { readBody() }
      if pointee.stage == .handle { handle() }
      if pointee.stage == .answered { return recycle() }
      if pointee.stage == .held {
        giveHeldAnswer()
        continue
      }
      if pointee.stage.isWaiting {
        pointee.flags.remove(.isAdvancing)
        if pointee.stage.awaitsAnswer { awaitAnswer() }
        return keep()
      }
    }
  }

  // MARK: - tenant

  @inline(__always)
  private func findTenant() {
    guard pointee.head.isPlain || checkHead() else { return }
    switch loop.resolveTenant(of: self) {
    case .tenant(let tenant):
      pointee.tenant = tenant
      pointee.stage = .open
    case .builtIn(let page): loop.answer(self, with: page)
    case .disagreement:
      add(("www-authenticate" as StaticString).raw, ("Bearer" as StaticString).raw)
      problem(
        .unauthenticated, "The credential, the host name and ?app= do not name the same app.")
    case .unknownApp: refuseUnknownApp()
    case .none: problem(.notFound, "Nothing is served here.")
    }
  }

  @inline(__always)
  private func openTenant() {
    let loop = loop
    pointee.tenant.unsafelyUnwrapped._withUnsafeGuaranteedRef { tenant in
      if let generation = tenant.service {
        pointee.generation = generation
        generation._withUnsafeGuaranteedRef { $0.enter() }
        pointee.stage = .route
        return
      }
      switch tenant.state {
      case .open: return
      case .opening:
        pointee.stage = .opening
        tenant.waiting.append(pointee.token)
      case .closed:
        tenant.state = .opening
        pointee.stage = .opening
        tenant.waiting.append(pointee.token)
        loop.pointee.host.open(tenant.id, on: GatewayLoop(state: loop))
      case .failed(let reason):
        problem(.pluginUnavailable, detail: "This app cannot be served now: \(reason)")
      }
    }
  }

  // MARK: - route

  @inline(__always)
  private func findRoute() {
    if isPreflight { return answerPreflight() }
    let match = pointee.generation.unsafelyUnwrapped._withUnsafeGuaranteedRef { generation in
      withUnsafeMutableBytes(of: &pointee.parameters) { parameters in
        generation.routes.match(
          pointee.head.method, path,
          parameters: parameters.baseAddress.unsafelyUnwrapped.assumingMemoryBound(
            to: ByteSpan.self))
      }
    }
    switch match {
    case .route(let index):
      pointee.route = Int32(index)
      if facts.pointee.socket != nil, !facts.pointee.isForeign, pointee.head.first(.origin) != nil,
        !originIsAllowed
      {
        problem(.forbidden, "The app does not allow pages of this origin.")
        return
      }
      if facts.pointee.looksFurther || !pointee.flags.isDisjoint(with: .leadsElsewhere),
        looksFurther()
      {
        return
      }
      if let phases = facts.pointee.phases { beginPassage(phases) }
      pointee.stage = .identify
    default: refuseRoute(match)
    }
  }

  // MARK: - identify, authorize

  @inline(__always)
  private func identify() {
    let auth = facts.pointee.auth
    if auth == .none {
      pointee.stage = .limit
    } else {
      identify(auth)
    }
  }

  /// Finds out who asks, of whom the route wants to know something, or who shows a credential that nothing vouches for.
  @inline(never)
  func identify(_ auth: RouteAuth) {
    let loop = loop
    guard let credential = loop.credential(of: self) else {
      if auth.contains(.optional) {
        pointee.stage = .limit
      } else {
        refuseNobody(facts.pointee.takesTokenInQuery)
      }
      return
    }
    if pointee.flags.contains(.isMistyped) { return refuseCredential() }
    if loop.showsAnother(than: credential, self) { return refuseBothCredentials() }
    let digest = pointee.identityDigest ?? Digest(of: credential)
    pointee.identityDigest = digest
    let now = Int64(loop.pointee.eventLoop.unixMilliseconds)
    let tenant = pointee.tenant.unsafelyUnwrapped
    if let known = loop.pointee.identities.find(digest, now: now),
      known.tenant === tenant.takeUnretainedValue()
    {
      loop.pointee.metrics.add(.identityHits)
      if let use = known.use, use.note(now) { loop.pointee.usedKeys.append(use) }
      return authorize(known.principal, known.limiter)
    }
    loop.pointee.metrics.add(.identityMisses)
    pointee.stage = .identifying
    let token = pointee.token
    let kind = loop.pointee.directory.key(digest).map(CredentialKind.key) ?? .bearer
    let use = loop.pointee.directory.use(of: digest)
    let generation = pointee.generation.unsafelyUnwrapped.takeUnretainedValue()
    let revocations = tenant._withUnsafeGuaranteedRef { $0.revocations }
    loop.pointee.host.identify(kind, credential, in: generation, on: GatewayLoop(state: loop)) {
      answer in
      guard let request = loop.request(token), request.pointee.stage == .identifying else { return }
      switch answer {
      case .known(let principal):
        let tenant = tenant.takeUnretainedValue()
        guard tenant.revocations == revocations else {
          // Something was revoked while the authenticator looked, perhaps this: it is asked again.
          request.pointee.stage = .identify
          break
        }
        let limiter = loop.userLimiter(of: principal, tenant)
        loop.pointee.identities.insert(
          digest,
          IdentityCache.Entry(
            tenant: tenant, principal: principal, revocations: revocations, use: use,
            limiter: limiter, isLeading: !request.pointee.flags.contains(.isUnknown)))
        if let use, use.note(now) { loop.pointee.usedKeys.append(use) }
        request.authorize(principal, limiter)
      default: request.refuseCredential(as: answer)
      }
      // It may have been answered, and its slot be another's.
      loop.request(token)?.continueLater()
    }
  }

  /// Goes on after a wait; harmless when `advance` is further up the stack or the request is answered.
  func continueLater() {
    guard pointee.stage != .answered, !pointee.flags.contains(.isAdvancing) else { return }
    let connection = pointee.connection.unsafelyUnwrapped
    advance()
    connection.resumeAfterWait()
  }

  /// Puts another principal in the place of the one that was let in.
  func renew(_ principal: Principal) {
    pointee.principal?.release()
    pointee.principal = .passRetained(principal)
  }

  private func authorize(_ principal: Principal, _ limiter: RateLimiter?) {
    pointee.principal = .passRetained(principal)
    if let limiter {
      let answer = limiter.take(now: pointee.began)
      guard answer.isAllowed else {
        loop.pointee.metrics.add(.usersRateLimited)
        // In place of the app's rate, which is not looked at any more.
        add("x-ratelimit-limit", limiter.limit)
        add("x-ratelimit-remaining", answer.remaining)
        add("x-ratelimit-reset", answer.reset)
        return refuseRate(
          reset: answer.reset, "This user sends more requests than a user may. Try again later.")
      }
    }
    let auth = facts.pointee.auth
    guard auth.contains(principal.kind.auth) || auth == .optional || auth == .none else {
      // A public key stands in every client: elsewhere it is no credential.
      if principal.kind == .anonymous { return refuseCredential() }
      if refusesInPluginsWords(SLUICE_E_DENIED) { return }
      problem(.forbidden, "This kind of credential is not for this route.")
      return
    }
    guard facts.pointee.needsScopes else {
      pointee.stage = .limit
      return
    }
    let missing = withRoute { route in
      principal.has(route.scopes) ? nil : route.scopes.joined(separator: " ")
    }
    if let missing {
      if refusesInPluginsWords(SLUICE_E_DENIED) { return }
      problem(.forbidden, detail: "The credential lacks a scope; this needs: \(missing)")
      return
    }
    pointee.stage = .limit
  }

  // MARK: - limit

  @inline(__always)
  private func limit() {
    guard passes(.authorize) else { return }
    pointee.stage = .body
    guard let tenant = pointee.tenant else { return }
    tenant._withUnsafeGuaranteedRef { tenant in
      let counts = tenant.counts
      // Strangers, and who shows what stands in every client of the app, use up nothing of its plan.
      if let principal = pointee.principal,
        principal._withUnsafeGuaranteedRef({ $0.kind != .anonymous })
      {
        counts.pointee.requests &+= 1
        pointee.flags.insert(.isCounted)
      }
      if counts.pointee.needsAttention, isOverQuota() { return }
      let began = pointee.began
      guard let answer = tenant.pacer._withUnsafeGuaranteedRef({ $0.pace(now: began) }) else {
        return
      }
      pointee.rateRemaining = answer.remaining
      pointee.rateReset = answer.reset
      if answer.isAllowed { return }
      takeBackCount(tenant)
      loop.pointee.metrics.add(.rateLimited)
      refuseRate(reset: answer.reset, "This app sends more requests than its limit allows.")
    }
  }

  @inline(never)
  private func refuseRate(reset: Int, _ detail: StaticString) {
    add("retry-after", max(reset, 1))
    problem(.rateLimited, detail)
  }

  // MARK: - handle

  @inline(__always)
  private func handle() {
    let facts = facts
    guard !facts.pointee.declaresQuery || validateQuery() else { return }
    if pointee.flags.contains(.isTunnel), facts.pointee.socket == nil { return refuseTunnel() }
    if !pointee.flags.isDisjoint(with: [.awaitsGreeting, .awaitsCredential]) {
      return findCredential()
    }
    if facts.pointee.isForeign { return refuseForeigner() }
    // Behind whatever the host refuses by itself: that leaves no record, and whose key it is must be known.
    if facts.pointee.takesIdempotencyKey, pointee.claim == nil, let key = field(.idempotencyKey) {
      return beginClaim(key)
    }
    let loop = loop
    let generation = pointee.generation.unsafelyUnwrapped
    pointee.stage = .handling
    pointee.flags.insert(.isWithPlugin)
    let token = pointee.token
    let status: Int32 = generation._withUnsafeGuaranteedRef { generation in
      let plugin = Int(facts.pointee.plugin)
      if let table = facts.pointee.socket {
        return openSocket(table, handler: facts.pointee.handler, plugin: plugin, generation)
      }
      guard let function = facts.pointee.function else { return -4 }
      let mark = loop.pointee.mark
      mark.pointee.enter(generation.instanceWords[plugin], "handle")
      let status = function(generation.shards[plugin], facts.pointee.handler, token)
      mark.pointee.leave()
      return status
    }
    guard pointee.stage == .handling else { return }
    settle(status)
  }

  @inline(never)
  private func refuseTunnel() { problem(.invalidRequest, "There is no WebSocket at this path.") }

  /// At a path that leads to apps, with nothing that names one.
  @inline(never)
  private func refuseForeigner() {
    if pointee.flags.contains(.namesNoApp) { return refuseUnknownApp() }
    problem(
      .unauthenticated,
      "Nothing names the app: show a user's token, use the app's host name, or add ?app=.")
  }

  /// What a plugin's status means when it has not answered.
  @inline(never)
  private func settle(_ status: Int32) {
    let connection = pointee.connection.unsafelyUnwrapped
    switch status {
    case 0:
      if connection.pointee.socket == nil {
        problem(.internalError, "The plugin returned without an answer.")
      }
    case 1: return
    default:
      let (code, detail) = ProblemCode.forStatus(status)
      problem(code, detail)
    }
  }

  private func validateQuery() -> Bool {
    var problems: [FieldProblem] = []
    withRoute { route in
      for parameter in route.query {
        var name = parameter.name
        let (value, isRepeated) = name.withUTF8 { name in
          let name = UnsafeRawBufferPointer(name)
          let value = query(name)
          return (value, value != nil && repeatsQuery(name))
        }
        if isRepeated {
          problems.append(
            FieldProblem(pointer: "/query/\(parameter.name)", message: "is given more than once"))
        } else if let value {
          problems += parameter.check(value)
        } else if parameter.isRequired {
          problems.append(FieldProblem(pointer: "/query/\(parameter.name)", message: "is required"))
        }
      }
    }
    guard !problems.isEmpty else { return true }
    problem(
      .invalidRequest, detail: "The query is not as this route declares it.", errors: problems)
    return false
  }
}

extension UnsafeMutablePointer where Pointee == Connection {
  /// After a request that had waited has gone on: sends what it answered, or reads what it asks for.
  func resumeAfterWait() {
    guard !pointee.flags.contains(.isProcessing), !pointee.stream.isClosing else { return }
    flush()
    if pointee.stream.isClosing { return }
    if let socket = pointee.socket, !socket.pointee.flags.contains(.isTakenOver) {
      return socket.takeOver()
    }
    if let request = pointee.request, request.pointee.stage == .receiving { resume() }
  }
}

extension UnsafeMutablePointer where Pointee == LoopState {
  /// The request that a token names, unless it is stale.
  func request(_ token: UInt64) -> RequestPointer? {
    pointee.tokens.resolve(token, .request)?.assumingMemoryBound(to: RequestSlot.self)
  }
}
