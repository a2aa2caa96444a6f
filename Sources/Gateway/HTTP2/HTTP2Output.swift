internal import CSluice
internal import EventLoop
internal import HTTP2

extension UnsafeMutablePointer where Pointee == HTTP2Connection {
  /// Sends bytes behind what the connection is about to send.
  func write(_ bytes: UnsafeRawBufferPointer) {
    let connection = pointee.connection
    let loop = connection.loop
    loop.own(connection)
    loop.pointee.output.append(bytes)
    if loop.pointee.output.isFull { connection.flush() }
  }

  /// Whether the kernel has more than enough.
  fileprivate var isBehind: Bool {
    let stream = pointee.connection.pointee.stream
    return stream.isClosing || stream.queuedBytes > loop.pointee.settings.answerQueueBytes
  }

  /// Calls the writers of answers whose streams have sent everything.
  func callDrainedWriters() {
    guard pointee.flags.contains(.hasDrainedStream) else { return }
    pointee.flags.remove(.hasDrainedStream)
    var next = pointee.first
    while let stream = next {
      next = stream.pointee.next
      if stream.pointee.output.count == 0, let request = stream.pointee.request,
        request.pointee.stage == .streaming
      {
        request.hasDrained()
      }
    }
  }
}

extension UnsafeMutablePointer where Pointee == HTTP2Stream {
  /// Bytes in a row after which a peer's time to take some begins anew: less is no progress.
  private static var progressBytes: Int { 1024 }

  /// Lays bytes out behind what the stream is about to send.
  func append(_ bytes: UnsafeRawBufferPointer) {
    grow { $0.append(bytes) }
  }

  /// As ``append(_:)``, for bytes that others send too.
  func append(shared chunk: SharedChunk) {
    grow { $0.append(shared: chunk) }
  }

  private func grow(_ body: (inout StreamOutput) -> Void) {
    let before = pointee.output.count
    body(&pointee.output)
    pointee.http2.pointee.queuedBytes += pointee.output.count - before
    resume()
  }

  /// There is something to send, or to end.
  func resume() {
    guard !pointee.http2.pointee.flags.contains(.isOver) else { return }
    if pointee.flags.contains(.hasHead) { endpoint.resume(pointee.id) }
    pointee.http2.arm()
  }

  /// No more will be laid out.
  func complete() {
    pointee.flags.insert(.isComplete)
    resume()
  }

  /// How much can be sent now.
  func pull(_ room: Int) -> HTTP2Pull {
    if pointee.http2.isBehind { return .paused }
    let isComplete = pointee.flags.contains(.isComplete)
    let isMalformed = pointee.flags.contains(.isMalformed)
    let queued = pointee.output.count
    guard queued > 0 else {
      if !isComplete { return .deferred }
      return isMalformed ? .malformed : .bytes(0, isLast: true)
    }
    let count = Swift.min(room, queued)
    return .bytes(count, isLast: count == queued && isComplete && !isMalformed)
  }

  /// Sends bytes that were promised.
  func send(_ count: Int) {
    let http2 = pointee.http2
    pointee.output.take(count) { http2.write($0) }
    http2.pointee.queuedBytes -= count
    pointee.progress += count
    if pointee.output.count == 0 {
      http2.pointee.flags.insert(.hasDrainedStream)
      if pointee.timeout == .write { unwatch() }
    } else if pointee.progress >= Self.progressBytes, pointee.timeout == .write {
      pointee.progress = 0
      watch(.write)
    }
  }
}
