internal import EventLoop
internal import HTTP2
internal import Wire

typealias StreamPointer = UnsafeMutablePointer<HTTP2Stream>

/// One stream of an HTTP/2 connection: a request with its answer, or a WebSocket. Confined to its loop.
struct HTTP2Stream {
  /// First, so that a deadline's address is the stream's.
  var deadline = DeadlineNode()
  let http2: HTTP2Pointer
  let id: Int32
  var timeout = Timeout.none
  var flags: StreamFlags = []
  /// The request that is being read or answered.
  var request: RequestPointer?
  /// The WebSocket that the stream has become.
  var socket: SocketPointer?
  /// Neighbours among the streams of the connection.
  var previous: StreamPointer?
  var next: StreamPointer?
  /// What is to be sent.
  var output = StreamOutput()
  /// Bytes sent since the peer's time to take some began anew.
  var progress = 0
  /// Body bytes that have come and are not consumed: in the endpoint's input while it hands them over, else in `input`.
  var view: UnsafeMutableRawPointer?
  var viewCount = 0
  /// The stream's own memory, if `view` points into it.
  var input: UnsafeMutableRawPointer?
  var inputCapacity = 0
  /// Bytes of body that Content-Length announced; else -1.
  var announced: Int64 = -1
  /// Bytes of body that have come.
  var received: Int64 = 0
}

struct StreamFlags: OptionSet {
  let rawValue: UInt8
  /// The peer has sent all it will send.
  static let hasEnded = StreamFlags(rawValue: 1)
  /// All that will be sent is in `output`.
  static let isComplete = StreamFlags(rawValue: 2)
  /// What came is malformed: the stream ends with an error behind its answer.
  static let isMalformed = StreamFlags(rawValue: 4)
  /// The head of the answer is laid out.
  static let hasHead = StreamFlags(rawValue: 8)
  /// It is being reset: nothing that still comes is looked at.
  static let isReset = StreamFlags(rawValue: 16)
  /// It is being reset for a reason of ours, which is nothing to hold against the peer.
  static let isGivenUp = StreamFlags(rawValue: 32)
}

extension UnsafeMutablePointer where Pointee == HTTP2Stream {
  var loop: LoopPointer { pointee.http2.loop }

  var endpoint: HTTP2Endpoint { pointee.http2.endpoint }

  /// Ends the stream with an error of ours.
  func reset(_ code: HTTP2ErrorCode) {
    guard !pointee.http2.pointee.flags.contains(.isOver) else { return }
    pointee.flags.insert([.isReset, .isGivenUp])
    endpoint.reset(pointee.id, code)
    pointee.http2.arm()
  }

  /// Ends a stream on which something malformed has come (RFC 9113 §8.1.1).
  func resetMalformed() {
    pointee.flags.insert(.isReset)
    loop.pointee.metrics.add(.malformedRequests)
    endpoint.resetMalformed(pointee.id)
  }

  /// Puts the stream under a time limit, from now on.
  func watch(_ timeout: Timeout) {
    if pointee.timeout != timeout { unwatch() }
    pointee.timeout = timeout
    let loop = loop
    let now = loop.pointee.eventLoop.now
    let node = UnsafeMutableRawPointer(self).assumingMemoryBound(to: DeadlineNode.self)
    switch timeout {
    case .request: loop.pointee.http2.pending.refresh(node, now: now)
    case .body: loop.pointee.http2.bodies.refresh(node, now: now)
    case .write: loop.pointee.http2.writes.refresh(node, now: now)
    case .ping: loop.pointee.http2.pings.refresh(node, now: now)
    case .greeting: loop.pointee.http2.greetings.refresh(node, now: now)
    case .linger: loop.pointee.http2.lingering.refresh(node, now: now)
    default: return
    }
  }

  /// Takes the stream out of its time limit.
  func unwatch() {
    let loop = loop
    let node = UnsafeMutableRawPointer(self).assumingMemoryBound(to: DeadlineNode.self)
    switch pointee.timeout {
    case .request: loop.pointee.http2.pending.remove(node)
    case .body: loop.pointee.http2.bodies.remove(node)
    case .write: loop.pointee.http2.writes.remove(node)
    case .ping: loop.pointee.http2.pings.remove(node)
    case .greeting: loop.pointee.http2.greetings.remove(node)
    case .linger: loop.pointee.http2.lingering.remove(node)
    default: break
    }
    pointee.timeout = .none
  }

  /// The time limit that the stream was under has passed.
  func timedOut() {
    let timeout = pointee.timeout
    let metrics = loop.pointee.metrics
    pointee.timeout = .none
    switch timeout {
    case .body:
      metrics.add(.bodyTimeouts)
      guard let request = pointee.request, request.pointee.stage == .receiving else {
        return reset(.cancel)
      }
      request.problem(.requestTimeout, "The body did not come in time.")
    case .request:
      // It may be one of those that wait for their turn.
      pointee.http2.forgetWaiting(self)
      pointee.request?.hasTakenTooLong()
    case .write:
      let connection = pointee.http2.pointee.connection
      // One peer that does not read is counted once, by the limit of its connection.
      if connection.pointee.stream.isClosing { return }
      if connection.pointee.flags.contains(.isHeldBack) { return watch(.write) }
      metrics.add(.writeTimeouts)
      reset(.cancel)
    case .linger: reset(.noError)
    case .ping: pointee.socket?.isSilent()
    case .greeting:
      metrics.add(.headTimeouts)
      pointee.socket?.greetingIsLate()
    default: return
    }
  }

  /// The stream is over: what hangs on it ends, and its memory goes.
  func end() {
    let http2 = pointee.http2
    unwatch()
    if let request = pointee.request {
      pointee.request = nil
      http2.forgetWaiting(self)
      let isOurs =
        http2.pointee.flags.contains(.isOver) || pointee.flags.contains(.isGivenUp)
      if !isOurs, request.pointee.flags.contains(.isWithPlugin) { endpoint.countAbandonedWork() }
      request.connectionHasClosed()
    }
    if let socket = pointee.socket {
      pointee.socket = nil
      socket.end(
        code: socket.pointee.closeCode, reason: UnsafeRawBufferPointer(start: nil, count: 0))
      socket.destroy()
    }
    if !http2.pointee.flags.contains(.isOver) { endpoint.consumeLeft(pointee.viewCount) }
    http2.pointee.queuedBytes -= pointee.output.count
    pointee.output.removeAll()
    pointee.input?.deallocate()
    if let previous = pointee.previous {
      previous.pointee.next = pointee.next
    } else {
      http2.pointee.first = pointee.next
    }
    pointee.next?.pointee.previous = pointee.previous
    deinitialize(count: 1)
    deallocate()
  }
}

extension UnsafeMutablePointer where Pointee == HTTP2Connection {
  func link(_ stream: StreamPointer) {
    stream.pointee.next = pointee.first
    pointee.first?.pointee.previous = stream
    pointee.first = stream
  }

  func endStreams() { while let stream = pointee.first { stream.end() } }
}

extension RequestPointer {
  /// Puts the request under a time limit, or what it came on, from now on.
  func watch(_ timeout: Timeout) {
    if let stream = pointee.http2 { return stream.watch(timeout) }
    pointee.connection.unsafelyUnwrapped.watch(timeout)
  }

  /// The time limit that the request is under, or what it came on.
  var timeout: Timeout {
    pointee.http2?.pointee.timeout ?? pointee.connection.unsafelyUnwrapped.pointee.timeout
  }

  /// Takes the request out of its time limit.
  func unwatch() {
    if let stream = pointee.http2 { return stream.unwatch() }
    pointee.connection.unsafelyUnwrapped.unwatch()
  }

  /// Puts the request under the limit for its answer. One that has waited before goes on under the same, because all its
  /// waits together are bounded.
  func awaitAnswer() {
    if let stream = pointee.http2 {
      if stream.pointee.timeout != .request { stream.watch(.request) }
      return
    }
    let connection = pointee.connection.unsafelyUnwrapped
    // A peer that does not take earlier answers is under a limit for that, which comes first.
    guard !connection.pointee.flags.contains(.isHeldBack) else { return }
    if connection.pointee.timeout != .request { connection.watch(.request) }
  }

  /// Puts a request of HTTP/1 under the limit that its state asks for.
  func watchAgain() {
    if wantsBody {
      watch(.body)
    } else if pointee.stage.awaitsAnswer {
      awaitAnswer()
    }
  }
}

extension UnsafeMutablePointer where Pointee == LoopState {
  /// Ends what has taken too long on streams.
  func sweepStreams(now: UInt64) {
    func expire(_ node: UnsafeMutablePointer<DeadlineNode>) {
      UnsafeMutableRawPointer(node).assumingMemoryBound(to: HTTP2Stream.self).timedOut()
    }
    while let node = pointee.http2.pending.popExpired(now: now) { expire(node) }
    while let node = pointee.http2.bodies.popExpired(now: now) { expire(node) }
    while let node = pointee.http2.writes.popExpired(now: now) { expire(node) }
    while let node = pointee.http2.pings.popExpired(now: now) { expire(node) }
    while let node = pointee.http2.lingering.popExpired(now: now) { expire(node) }
    while let node = pointee.http2.greetings.popExpired(now: now) { expire(node) }
  }
}
