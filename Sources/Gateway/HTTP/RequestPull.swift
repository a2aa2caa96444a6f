internal import CSluice
internal import EventLoop
internal import Wire

extension UnsafeMutablePointer where Pointee == RequestSlot {
  /// Whether somebody waits for more of its body.
  var wantsBody: Bool {
    guard pointee.head.hasBody, !pointee.flags.contains(.bodyIsComplete) else { return false }
    return pointee.stage == .receiving || pointee.pull != nil
  }

  /// Asks for the next piece of a streamed body; it comes later, never from inside this call.
  func pull(_ completion: Completion) -> Int32 {
    guard pointee.stage == .handling || pointee.stage == .streaming || isHeldStream else {
      return -6
    }
    guard facts.pointee.body == .streamed else { return -4 }
    guard pointee.pull == nil else { return -12 }
    pointee.pull = completion
    pointee.flags.insert(.hasWaited)
    askToContinue()
    let loop = loop
    loop.pointee.eventLoop.post(
      { loop, token in
        let loop = UnsafeMutableRawPointer(address: loop).assumingMemoryBound(to: LoopState.self)
        loop.request(token)?.feedPull()
      }, UInt64(address: loop), pointee.token)
    return 0
  }

  /// Hands the next piece to whoever waits for it, if something has come.
  func feedPull() {
    guard let pull = pointee.pull else { return }
    if let stream = pointee.http2 { return feedPull(pull, from: stream) }
    if !pointee.head.hasBody || pointee.flags.contains(.bodyIsComplete) {
      return complete(pull, 0, UnsafeRawBufferPointer(start: UnsafeRawPointer(self), count: 0))
    }
    let connection = pointee.connection.unsafelyUnwrapped
    guard connection.pointee.viewCount > 0 else { return awaitPiece() }
    if pointee.bodyLeft >= 0 { return feedFixed(pull) }
    feedChunked(pull)
  }

  private func feedFixed(_ pull: Completion) {
    let connection = pointee.connection.unsafelyUnwrapped
    let count = Swift.min(Int(connection.pointee.viewCount), Int(pointee.bodyLeft))
    let piece = UnsafeRawBufferPointer(start: connection.pointee.view, count: count)
    connection.consume(count)
    pointee.bodyLeft -= Int64(count)
    pointee.bodyCount += count
    if pointee.bodyLeft == 0 { pointee.flags.insert(.bodyIsComplete) }
    complete(pull, 0, piece)
  }

  private func feedChunked(_ pull: Completion) {
    let connection = pointee.connection.unsafelyUnwrapped
    let view = UnsafeRawBufferPointer(
      start: connection.pointee.view, count: Int(connection.pointee.viewCount))
    var offset = 0
    let event = pointee.chunks.next(view, offset: &offset, limits: ChunkedLimits())
    connection.consume(offset)
    switch event {
    case .data(let span):
      pointee.bodyCount += span.count
      let most = Swift.min(facts.pointee.bodyLimit, loop.pointee.settings.bodyBytes)
      guard pointee.bodyCount <= most else {
        loop.pointee.metrics.add(.bodyBytesBreaches)
        pointee.flags.insert(.mustClose)
        return complete(pull, -11, UnsafeRawBufferPointer(start: nil, count: 0))
      }
      complete(pull, 0, UnsafeRawBufferPointer(rebasing: view[span.start..<span.end]))
    case .end:
      pointee.flags.insert(.bodyIsComplete)
      complete(pull, 0, UnsafeRawBufferPointer(start: UnsafeRawPointer(self), count: 0))
    case .needMore: awaitPiece()
    case .invalid:
      loop.pointee.metrics.add(.malformedRequests)
      pointee.flags.insert(.mustClose)
      complete(pull, -2, UnsafeRawBufferPointer(start: nil, count: 0))
    }
  }

  /// A piece that has been handed over ends the time for it, so what is between two pieces, as chunks are framed, gets none of its
  /// own.
  private func awaitPiece() { pointee.connection.unsafelyUnwrapped.awaitBody(isAnew: false) }

  private func complete(_ pull: Completion, _ status: Int32, _ piece: UnsafeRawBufferPointer) {
    pointee.pull = nil
    let connection = pointee.connection.unsafelyUnwrapped
    watchReader(piece)
    // The piece lies in the connection's memory, which must not move while the plugin reads it.
    let wasProcessing = connection.pointee.flags.contains(.isProcessing)
    connection.pointee.flags.insert(.isProcessing)
    let token = pointee.token
    let loop = connection.loop
    end(pull, "read completion", status, sluice_slice_t(piece))
    guard !wasProcessing else { return }
    connection.pointee.flags.remove(.isProcessing)
    if loop.request(token) == nil { return connection.requestHasEnded() }
    connection.settle()
    connection.flush()
    if Int(connection.pointee.viewCount) < 65_536 { connection.pointee.stream.startReading() }
  }

  /// Puts the plugin that gets a piece of the body under the limit for its answer: anew with what has come, but not with
  /// the end.
  func watchReader(_ piece: UnsafeRawBufferPointer) {
    if pointee.stage != .handling {
      // A peer that does not take the answer stays under the limit for that.
      if timeout == .body { unwatch() }
    } else if piece.count > 0 {
      watch(.request)
    } else {
      awaitAnswer()
    }
  }
}
