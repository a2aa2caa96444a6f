internal import EventLoop
internal import Wire

extension UnsafeMutablePointer where Pointee == Connection {
  /// Sends what the loop's output holds for this connection.
  func flush() {
    let loop = loop
    guard loop.pointee.outputOwner == self else { return }
    loop.pointee.outputOwner = nil
    guard !loop.pointee.output.isEmpty else { return }
    if pointee.secure != nil {
      settle(writeEncrypted(UnsafeRawBufferPointer(loop.pointee.output.bytes)))
      return loop.pointee.output.removeAll()
    }
    settle(pointee.stream.flush(loop.pointee.output))
  }

  /// Sends bytes after what has been flushed before.
  func send(_ bytes: UnsafeRawBufferPointer) {
    settle(pointee.secure == nil ? pointee.stream.write(bytes) : writeEncrypted(bytes))
  }

  /// Draws the consequences of a write.
  func settle(_ outcome: WriteOutcome) {
    switch outcome {
    case .written: return
    case .failed: pointee.stream.close()
    case .queued: holdBackIfNeeded()
    }
  }

  /// Stops reading from a peer that does not read.
  private func holdBackIfNeeded() {
    guard !pointee.stream.isClosing, !pointee.flags.contains(.isHeldBack),
      pointee.stream.queuedBytes > loop.pointee.settings.answerQueueBytes
    else { return }
    guard pointee.socket == nil else {
      // It goes on being read from: its time to take some does not begin anew with each frame more.
      if pointee.timeout != .write { watchWriting() }
      return
    }
    pointee.flags.insert(.isHeldBack)
    loop.pointee.metrics.add(.answersHeldBack)
    pointee.stream.stopReading()
    watchWriting()
  }

  /// Puts the peer under the limit for taking some of what is queued, from now on.
  func watchWriting() {
    pointee.waitingPieces = undeliveredPieces
    watch(.write)
  }

  /// The peer's time to take some is over; true when it has taken some, and gets it anew.
  func hasTakenSome() -> Bool {
    guard undeliveredPieces < pointee.waitingPieces else { return false }
    watchWriting()
    return true
  }

  private var undeliveredPieces: UInt16 { UInt16(clamping: pointee.stream.undeliveredBytes >> 14) }

  /// The kernel has taken everything.
  func hasDrained() {
    if let socket = pointee.socket { return socket.hasDrained() }
    if let http2 = pointee.http2 { return http2.hasDrained() }
    if pointee.flags.contains(.isHeldBack) {
      pointee.flags.remove(.isHeldBack)
      unwatch()
      // What it was under before the answers to others took its place.
      pointee.request?.watchAgain()
    }
    if let request = pointee.request, request.pointee.stage == .streaming { request.hasDrained() }
    if pointee.request?.wantsBody ?? true { resume() }
  }

  /// A request has been answered; the next may follow.
  func requestHasEnded() {
    guard !pointee.flags.contains(.isProcessing) else { return }
    // The time of this one is not the next one's.
    if pointee.timeout == .request { unwatch() }
    flush()
    if pointee.stream.isClosing { return }
    if pointee.flags.contains(.isFinishing) {
      unwatch()
      dropInput()
      shutDown()
      return
    }
    if loop.pointee.mark.pointee.isInside { return resumeOutsidePlugins() }
    resume()
  }

  /// Goes on with the next request when the plugin that has answered this one has returned: none is called from inside
  /// its own call.
  private func resumeOutsidePlugins() {
    guard !pointee.flags.contains(.awaitsPlugin) else { return }
    pointee.flags.insert(.awaitsPlugin)
    let loop = loop
    loop.pointee.resuming.append(self)
    guard loop.pointee.resuming.count == 1 else { return }
    loop.pointee.eventLoop.post(
      { loop, _ in
        UnsafeMutableRawPointer(address: loop).assumingMemoryBound(to: LoopState.self)
          .resumeConnections()
      }, UInt64(address: loop), 0)
  }

  /// Puts the connection under the limit for the time between two requests.
  @inline(__always)
  func watchIdle() {
    let loop = loop
    guard pointee.timeout == .idle else { return watch(.idle) }
    let node = UnsafeMutableRawPointer(self).assumingMemoryBound(to: DeadlineNode.self)
    loop.pointee.idle.refresh(node, now: loop.pointee.eventLoop.now)
  }

  /// Puts the connection under a time limit, from now on.
  func watch(_ timeout: Timeout) {
    if pointee.timeout != timeout { unwatch() }
    pointee.timeout = timeout
    let loop = loop
    let now = loop.pointee.eventLoop.now
    let node = UnsafeMutableRawPointer(self).assumingMemoryBound(to: DeadlineNode.self)
    switch timeout {
    case .none, .linger: return
    case .handshake: loop.pointee.handshakes.refresh(node, now: now)
    case .idle: loop.pointee.idle.refresh(node, now: now)
    case .head, .greeting: loop.pointee.heads.refresh(node, now: now)
    case .body: loop.pointee.bodies.refresh(node, now: now)
    case .request: loop.pointee.pending.refresh(node, now: now)
    case .write: loop.pointee.writes.refresh(node, now: now)
    case .ping: loop.pointee.pings.refresh(node, now: now)
    }
  }

  /// Takes the connection out of its time limit.
  func unwatch() {
    let loop = loop
    let node = UnsafeMutableRawPointer(self).assumingMemoryBound(to: DeadlineNode.self)
    switch pointee.timeout {
    case .none, .linger: return
    case .handshake: loop.pointee.handshakes.remove(node)
    case .idle: loop.pointee.idle.remove(node)
    case .head, .greeting: loop.pointee.heads.remove(node)
    case .body: loop.pointee.bodies.remove(node)
    case .request: loop.pointee.pending.remove(node)
    case .write: loop.pointee.writes.remove(node)
    case .ping: loop.pointee.pings.remove(node)
    }
    pointee.timeout = .none
  }
}

extension UnsafeMutablePointer where Pointee == LoopState {
  /// Connections whose requests plugins have answered from inside a call go on.
  fileprivate func resumeConnections() {
    while let connection = pointee.resuming.popLast() {
      connection.pointee.flags.remove(.awaitsPlugin)
      connection.resume()
    }
  }
}
