internal import EventLoop

/// What the gateway does about the events of its streams.
let connectionCallbacks: StreamCallbackTable = StreamCallbacks(
  onRead: { stream, bytes, count in connection(of: stream).received(bytes, count) },
  onEOF: { stream in connection(of: stream).endOfInput() },
  onError: { stream, _ in connection(of: stream).unwatch() },
  onDrained: { stream in connection(of: stream).hasDrained() },
  onClosed: { stream in connection(of: stream).hasClosed() }
).makeTable()

/// The connection that a stream's memory holds.
func connection(of stream: TCPStream) -> ConnectionPointer {
  stream.userMemory.assumingMemoryBound(to: Connection.self)
}

/// A connection has been accepted.
func connectionAccepted(_ stream: TCPStream, _ context: UInt64) {
  let loop = UnsafeMutableRawPointer(address: context).assumingMemoryBound(to: LoopState.self)
  let connection = connection(of: stream)
  connection.initialize(to: Connection(stream: stream, loop: loop))
  connection.admit(.idle)
}

extension UnsafeMutablePointer where Pointee == Connection {
  /// Counts a new connection and starts to read, unless it is one too many.
  func admit(_ timeout: Timeout) {
    let loop = loop
    loop.pointee.metrics.add(.connectionsAccepted)
    loop.pointee.metrics.add(.connectionsOpen)
    let open = loop.pointee.shared.openConnections.add(1, ordering: .relaxed).newValue
    guard open <= loop.pointee.settings.connections else { return refuse(.connectionsRefused) }
    if loop.pointee.settings.trustedProxies.isEmpty || !isOfTrustedProxy {
      guard
        loop.pointee.shared.enter(
          pointee.stream.peer, limit: loop.pointee.settings.connectionsPerAddress)
      else { return refuse(.addressesRefused) }
      pointee.flags.insert(.isCounted)
    }
    if let cause = loop.pointee.overload.cause {
      guard admitForRefusal(cause) else { return }
      // Whoever is let in for one answer has to ask for it.
      watch(timeout == .idle ? .head : timeout)
    } else {
      watch(timeout)
    }
    pointee.stream.startReading()
  }

  /// Turns a connection away that is one too many.
  private func refuse(_ metric: Metric) {
    loop.pointee.metrics.add(metric)
    // A word would take the handshake that there is no room for.
    if pointee.secure != nil { return pointee.stream.close() }
    pointee.flags.insert(.isFinishing)
    let refusal: StaticString = #"""
      HTTP/1.1 503 Service Unavailable\#r
      content-type: application/problem+json\#r
      retry-after: 5\#r
      connection: close\#r
      content-length: 162\#r
      \#r
      {"type":"urn:sluice:problem:overloaded","title":"Service Unavailable","status":503,"code":"overloaded",\#
      "detail":"Too many connections are open. Try again later."}
      """#
    _ = pointee.stream.tryWrite(refusal.raw)
    pointee.stream.shutdownThenClose()
  }

  /// The stream is closed: everything that hangs on it ends.
  func hasClosed() {
    let loop = loop
    unwatch()
    if pointee.flags.contains(.awaitsPlugin) { loop.pointee.resuming.removeAll { $0 == self } }
    if loop.pointee.outputOwner == self {
      loop.pointee.outputOwner = nil
      loop.pointee.output.removeAll()
    }
    if let request = pointee.request { request.connectionHasClosed() }
    if let socket = pointee.socket {
      socket.end(
        code: socket.pointee.closeCode, reason: UnsafeRawBufferPointer(start: nil, count: 0))
      socket.destroy()
      pointee.socket = nil
    }
    pointee.http2?.hasClosed()
    dropInput()
    if pointee.secure != nil { dropSecure() }
    leaveRefusal()
    loop.pointee.metrics.add(.connectionsOpen, -1)
    loop.pointee.shared.openConnections.subtract(1, ordering: .relaxed)
    if pointee.flags.contains(.isCounted) { loop.pointee.shared.leave(pointee.stream.peer) }
    deinitialize(count: 1)
  }

  /// The time limit that the connection was under has passed.
  func timedOut() {
    let loop = loop
    let timeout = pointee.timeout
    pointee.timeout = .none
    if let http2 = pointee.http2 { return http2.timedOut(timeout) }
    switch timeout {
    case .none, .linger: return
    case .handshake:
      loop.pointee.metrics.add(.handshakeTimeouts)
      pointee.stream.close()
    case .idle:
      loop.pointee.metrics.add(.idleTimeouts)
      dropInput()
      shutDown()
    case .head where pointee.flags.contains(.isShed):
      // Now, for the peer may be back before the stream has closed.
      leaveRefusal()
      pointee.stream.close()
    case .head:
      loop.pointee.metrics.add(.headTimeouts)
      refuseSlowHead()
    case .body:
      loop.pointee.metrics.add(.bodyTimeouts)
      guard let request = pointee.request else { return }
      request.pointee.flags.insert(.mustClose)
      if request.pointee.stage == .receiving {
        request.problem(.requestTimeout, "The body did not come in time.")
      } else {
        pointee.stream.close()
      }
    case .request: pointee.request?.hasTakenTooLong()
    case .write:
      if hasTakenSome() { return }
      loop.pointee.metrics.add(.writeTimeouts)
      pointee.stream.reset()
    case .ping: pointee.socket?.isSilent()
    case .greeting:
      loop.pointee.metrics.add(.headTimeouts)
      pointee.socket?.greetingIsLate()
    }
  }

  private func refuseSlowHead() {
    let view = pointee.view ?? UnsafeMutableRawPointer(self)
    refuse(
      at: UnsafeRawPointer(view), .requestTimeout, "The head of the request did not come in time.")
  }
}

extension UnsafeMutablePointer where Pointee == RequestSlot {
  /// The time for the answer has passed. One that is held is on its way, and goes out.
  func hasTakenTooLong() {
    guard pointee.stage.takesAnswer else { return }
    loop.pointee.metrics.add(.requestTimeouts)
    tellPluginOfCancellation()
    problem(.deadlineExceeded, "The request was not answered in time.")
  }

  /// The peer is gone before the answer.
  func connectionHasClosed() {
    let loop = loop
    loop.pointee.metrics.add(.cancelledRequests)
    tellPluginOfCancellation()
    dropGreeting()
    pointee.stage = .answered
    leaveConnections()
    if pointee.status == 0 { pointee.status = 499 }
    if pointee.passage != nil { runObservers() }
    loop.pointee.tokens.remove(pointee.token)
    loop.observe(self)
    pointee.connection.unsafelyUnwrapped.pointee.request = nil
    cancelCalls()
    recycle()
  }

  /// Makes the token stale and tells the plugin, if it has the request in hand.
  func tellPluginOfCancellation() {
    guard pointee.flags.contains(.isWithPlugin),
      pointee.stage == .handling || pointee.stage == .streaming || isHeldStream,
      let generation = pointee.generation
    else { return tellPhaseOfCancellation() }
    pointee.flags.remove(.isWithPlugin)
    if pointee.claim != nil { orphan() }
    let loop = loop
    let mark = loop.pointee.mark
    loop.pointee.tokens.remove(pointee.token)
    let token = pointee.token
    generation._withUnsafeGuaranteedRef { generation in
      let facts = generation.routes.facts[Int(pointee.route)]
      guard let cancelled = facts.cancelled else { return }
      let plugin = Int(facts.plugin)
      mark.pointee.enter(generation.instanceWords[plugin], "cancelled")
      cancelled(generation.shards[plugin], facts.handler, token)
      mark.pointee.leave()
    }
    // The plugins that see the answer need one that is alive.
    if pointee.passage != nil { renewToken() }
  }
}

extension UnsafeMutablePointer where Pointee == LoopState {
  /// Once a second: ends what has taken too long.
  func sweep() {
    let now = pointee.eventLoop.now
    while let node = pointee.handshakes.popExpired(now: now) { expire(node) }
    while let node = pointee.idle.popExpired(now: now) { expire(node) }
    while let node = pointee.heads.popExpired(now: now) { expire(node) }
    while let node = pointee.bodies.popExpired(now: now) { expire(node) }
    while let node = pointee.pending.popExpired(now: now) { expire(node) }
    while let node = pointee.writes.popExpired(now: now) { expire(node) }
    while let node = pointee.pings.popExpired(now: now) { expire(node) }
    sweepStreams(now: now)
    if !pointee.orphans.isEmpty { sweepOrphans() }
    sampleLoad()
    let dropped = pointee.access.flush()
    if dropped > 0 { pointee.metrics.add(.logLinesDropped, dropped) }
  }

  private func expire(_ node: UnsafeMutablePointer<DeadlineNode>) {
    UnsafeMutableRawPointer(node).assumingMemoryBound(to: Connection.self).timedOut()
  }
}
