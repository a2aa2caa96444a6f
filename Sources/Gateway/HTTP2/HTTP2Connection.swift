internal import EventLoop
internal import HTTP2
internal import Wire

typealias HTTP2Pointer = UnsafeMutablePointer<HTTP2Connection>

/// What a connection has beside the rest while it speaks HTTP/2. Confined to its loop.
struct HTTP2Connection {
  let connection: ConnectionPointer
  /// There from `begin` to the end of the connection.
  var endpoint: HTTP2Endpoint?
  /// The streams that are open, in no order.
  var first: StreamPointer?
  /// Bytes of answers that wait in the streams.
  var queuedBytes = 0
  /// Requests that wait until less is queued, in the order in which they came.
  var waiting: [StreamPointer] = []
  var flags: HTTP2Flags = []

  init(connection: ConnectionPointer) { self.connection = connection }
}

struct HTTP2Flags: OptionSet {
  let rawValue: UInt8
  /// The endpoint is at work further up the stack, and what it has to send is sent when that returns.
  static let isInside = HTTP2Flags(rawValue: 1)
  /// In the loop's list of those that have something to send at the end of the tick.
  static let isArmed = HTTP2Flags(rawValue: 2)
  /// The endpoint is over and must not be used.
  static let isOver = HTTP2Flags(rawValue: 4)
  /// The last stream has been named.
  static let hasEnded = HTTP2Flags(rawValue: 8)
  /// An answer's writer may be waiting for a stream that has nothing to send any more.
  static let hasDrainedStream = HTTP2Flags(rawValue: 16)
}

/// What the HTTP/2 connections of one loop share.
struct HTTP2Loop: ~Copyable {
  /// Streams under a time limit, by its kind; connections as such are in the loop's own lists.
  var pending: DeadlineList
  var bodies: DeadlineList
  var writes: DeadlineList
  var pings: DeadlineList
  var lingering: DeadlineList
  var greetings: DeadlineList
  /// Connections with something to send at the end of the tick.
  var armed: [HTTP2Pointer] = []

  init(settings: GatewaySettings) {
    pending = DeadlineList(duration: settings.requestTimeout)
    bodies = DeadlineList(duration: settings.bodyTimeout)
    writes = DeadlineList(duration: settings.writeTimeout)
    pings = DeadlineList(duration: settings.pingInterval)
    lingering = DeadlineList(duration: 2000)
    greetings = DeadlineList(duration: settings.headTimeout)
  }
}

extension UnsafeMutablePointer where Pointee == Connection {
  /// Whether the peer begins as an HTTP/2 client does that knows what it speaks to (RFC 9113 §3.3).
  ///
  /// Asked only about what is no request of HTTP/1, and only of a connection's first bytes. Inside TLS the choice is made
  /// by ALPN alone (§3.2).
  var speaksHTTP2: Bool {
    guard !pointee.flags.contains(.hasBegun), pointee.secure == nil else { return false }
    let preface = HTTP2Endpoint.preface
    let count = Swift.min(Int(pointee.viewCount), preface.utf8CodeUnitCount)
    return UnsafeRawBufferPointer(start: pointee.view, count: count)
      .elementsEqual(UnsafeRawBufferPointer(start: preface.utf8Start, count: count))
  }

  /// From now on the connection speaks HTTP/2.
  func beginHTTP2() {
    let loop = loop
    let http2 = HTTP2Pointer.allocate(capacity: 1)
    http2.initialize(to: HTTP2Connection(connection: self))
    pointee.http2 = http2
    pointee.progress = HeadProgress()
    http2.pointee.endpoint = HTTP2Endpoint.make(
      owner: UnsafeMutableRawPointer(http2), events: http2Events,
      limits: loop.pointee.settings.http2, headLimits: loop.pointee.headLimits,
      now: loop.pointee.eventLoop.now)
    loop.pointee.metrics.add(.http2Connections)
    if http2.pointee.endpoint == nil { pointee.stream.close() }
  }
}

extension UnsafeMutablePointer where Pointee == HTTP2Connection {
  var loop: LoopPointer { pointee.connection.loop }

  var endpoint: HTTP2Endpoint { pointee.endpoint.unsafelyUnwrapped }

  private var isUsable: Bool {
    pointee.flags.isDisjoint(with: [.isInside, .isOver])
      && !pointee.connection.pointee.stream.isClosing
  }

  /// Takes the bytes that the connection has in view.
  func takeView() {
    let connection = pointee.connection
    guard let view = connection.pointee.view, connection.pointee.viewCount > 0 else {
      return produce()
    }
    let count = Int(connection.pointee.viewCount)
    received(view, count)
    connection.dropInput()
  }

  /// Bytes have come.
  func received(_ bytes: UnsafeMutableRawPointer, _ count: Int) {
    guard isUsable else { return }
    let now = loop.pointee.eventLoop.now
    pointee.flags.insert(.isInside)
    var state = endpoint.receive(
      UnsafeMutableRawBufferPointer(start: bytes, count: count), now: now)
    if state == .open, !pointee.connection.pointee.flags.contains(.isHeldBack) {
      state = endpoint.produce(now: now)
    }
    pointee.flags.remove(.isInside)
    settle(state)
  }

  /// Sends what can be sent.
  func produce() {
    guard isUsable, !pointee.connection.pointee.flags.contains(.isHeldBack) else { return }
    pointee.flags.insert(.isInside)
    let state = endpoint.produce(now: loop.pointee.eventLoop.now)
    pointee.flags.remove(.isInside)
    settle(state)
  }

  /// Has what there is to send sent: by whoever is at work, or else at the end of the tick.
  func arm() {
    guard pointee.flags.isDisjoint(with: [.isInside, .isArmed, .isOver]) else { return }
    pointee.flags.insert(.isArmed)
    loop.pointee.http2.armed.append(self)
    loop.pointee.groupHook.arm()
  }

  private func settle(_ state: HTTP2Endpoint.State) {
    let connection = pointee.connection
    connection.flush()
    if connection.pointee.stream.isClosing { return }
    if state == .finished { return finish() }
    callDrainedWriters()
    startWaiting()
    watch()
  }

  /// The endpoint is over: what is laid out is sent, streams that are still open end, and the connection is closed.
  func finish() {
    let connection = pointee.connection
    pointee.flags.insert(.isOver)
    endStreams()
    connection.pointee.flags.insert(.isFinishing)
    connection.unwatch()
    connection.shutDown()
  }

  /// Puts the connection under the time limit that its state asks for. Streams have limits of their own.
  private func watch() {
    let connection = pointee.connection
    if connection.pointee.flags.contains(.isHeldBack) { return }
    if endpoint.isWaitingForHead {
      if connection.pointee.timeout != .head { connection.watch(.head) }
    } else if endpoint.openStreams > 0 {
      connection.unwatch()
    } else if connection.pointee.flags.contains(.isShed) {
      // It is let in for one request, which has the time that a head has.
      if connection.pointee.timeout != .head { connection.watch(.head) }
    } else if connection.pointee.timeout != .idle {
      connection.watch(.idle)
    }
  }

  /// The time limit that the connection was under has passed.
  func timedOut(_ timeout: Timeout) {
    let metrics = loop.pointee.metrics
    switch timeout {
    case .write:
      if pointee.connection.hasTakenSome() { return }
      metrics.add(.writeTimeouts)
      return pointee.connection.pointee.stream.reset()
    case .head where pointee.connection.pointee.flags.contains(.isShed):
      pointee.connection.leaveRefusal()
    case .head: metrics.add(.headTimeouts)
    default: metrics.add(.idleTimeouts)
    }
    end()
    // No stream is open, or none that could be: whoever keeps us waiting is not waited for.
    if !pointee.flags.contains(.isOver) { finish() }
  }

  /// The kernel has taken everything.
  func hasDrained() {
    let connection = pointee.connection
    if connection.pointee.flags.contains(.isHeldBack) {
      connection.pointee.flags.remove(.isHeldBack)
      connection.unwatch()
      connection.pointee.stream.startReading()
    }
    produce()
  }

  /// The peer has sent all it will send. What it asked for in full is still answered; sockets, and requests whose bodies
  /// will never be whole, end.
  func inputHasEnded() {
    guard isUsable else { return }
    end()
    guard isUsable else { return }
    var next = pointee.first
    while let stream = next {
      next = stream.pointee.next
      if let socket = stream.pointee.socket {
        socket.hasEnded()
      } else if !stream.pointee.flags.contains(.hasEnded), stream.pointee.request != nil {
        stream.reset(.cancel)
      }
    }
    produce()
    guard isUsable else { return }
    if endpoint.openStreams == 0 { finish() }
  }

  /// Tells the peer to open no more streams, and of its last one when it has heard that.
  func drain() {
    guard isUsable, !pointee.flags.contains(.hasEnded) else { return }
    var next = pointee.first
    while let stream = next {
      next = stream.pointee.next
      stream.pointee.socket?.close(HostCloseCode.shutdown, ("shutdown" as StaticString).raw)
    }
    endpoint.announceEnd()
    produce()
  }

  /// Names the last stream. When those that are open have ended, so does the connection.
  func end() {
    guard isUsable, !pointee.flags.contains(.hasEnded) else { return }
    pointee.flags.insert(.hasEnded)
    endpoint.end()
    produce()
  }

  /// The stream beneath is closed: everything that hangs on it ends.
  func hasClosed() {
    pointee.flags.insert(.isOver)
    endStreams()
    if pointee.flags.contains(.isArmed) { loop.pointee.http2.armed.removeAll { $0 == self } }
    pointee.endpoint?.destroy()
    deinitialize(count: 1)
    deallocate()
  }
}

extension UnsafeMutablePointer where Pointee == LoopState {
  /// Sends what HTTP/2 connections have laid out since the last tick.
  @inline(__always)
  func produceHTTP2() {
    while let http2 = pointee.http2.armed.popLast() {
      http2.pointee.flags.remove(.isArmed)
      http2.produce()
    }
  }
}
