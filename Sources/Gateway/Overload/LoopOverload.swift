internal import EventLoop

/// Why new connections are shed.
public enum OverloadCause: Sendable {
  /// The process has more memory than `memory_bytes`.
  case memory
  /// The loop is later than `loop_lag_ms`.
  case lag

  /// What counts the connections that it sheds.
  var metric: Metric { self == .memory ? .shedForMemory : .shedForLag }
}

/// Whether a loop sheds new connections, as it stood when it last looked. Confined to its loop.
struct LoopOverload {
  /// Connections that are let in to be refused, at once on one loop: what a refusal costs has a bound too.
  static let refusalLimit = 256

  /// nil: it sheds none.
  var cause: OverloadCause?
  var lag = OverloadGate.lag(bound: 0)
  /// Looked at by the first loop, for all.
  var memoryReturn = MemoryReturn()
  /// Connections open that have come while the loop shed, and whose request has not been let in.
  var refusing = 0
}

extension UnsafeMutablePointer where Pointee == LoopState {
  /// Once a second, from the loop itself: decides whether connections are shed until the next time.
  func sampleLoad() {
    pointee.requests.trim()
    let now = pointee.eventLoop.now
    let connections = pointee.shared.openConnections.load(ordering: .relaxed)
    if pointee.index == 0,
      pointee.overload.memoryReturn.isDue(
        connections: connections, now: now, EventLoop.residentMemory)
    {
      pointee.host.returnFreedMemory()
    }
    let late = Int(max(pointee.eventLoop.takeLongestTick(), pointee.eventLoop.lag) / 1_000_000)
    pointee.metrics.set(.loopLag, late)
    let wasLate = pointee.overload.lag.isOver
    pointee.overload.lag.bound = pointee.settings.loopLag
    pointee.overload.lag.take(late, now: now)
    let isLate = pointee.overload.lag.isOver
    if isLate != wasLate {
      pointee.host.overload(.lag, isOver: isLate, late, on: GatewayLoop(state: self))
    }
    let (isShort, news) = pointee.shared.sampleMemory(
      bound: pointee.settings.memoryBytes, now: now)
    if let news {
      pointee.host.overload(.memory, isOver: isShort, news, on: GatewayLoop(state: self))
    }
    shed(for: isLate ? .lag : isShort ? .memory : nil)
  }

  private func shed(for cause: OverloadCause?) {
    let before = pointee.overload.cause
    pointee.overload.cause = cause
    guard (before == nil) != (cause == nil) else { return }
    let change = cause == nil ? -1 : 1
    pointee.metrics.add(.sheddingLoops, change)
    pointee.shared.sheddingLoops.add(change, ordering: .relaxed)
  }
}

extension UnsafeMutablePointer where Pointee == Connection {
  /// Lets a new connection in for one answer, which is a refusal unless the loop has recovered by then or the peer asks
  /// how the gateway is. False when the connection is closed instead.
  func admitForRefusal(_ cause: OverloadCause) -> Bool {
    let loop = loop
    // A handshake takes the time of some seventy requests: where time is short, none begins.
    guard pointee.secure == nil || cause == .memory,
      loop.pointee.overload.refusing < LoopOverload.refusalLimit
    else {
      loop.pointee.metrics.add(cause.metric)
      pointee.stream.close()
      return false
    }
    loop.pointee.overload.refusing += 1
    pointee.flags.insert(.isShed)
    return true
  }

  /// The connection is one like any other from now on, or closed.
  func leaveRefusal() {
    guard pointee.flags.contains(.isShed) else { return }
    pointee.flags.remove(.isShed)
    loop.pointee.overload.refusing -= 1
  }
}

extension UnsafeMutablePointer where Pointee == RequestSlot {
  /// Refuses the first request of a connection that came while its loop shed. False when the request goes its way.
  @inline(never)
  func isShed() -> Bool {
    let connection = pointee.connection.unsafelyUnwrapped
    let loop = connection.loop
    guard let cause = loop.pointee.overload.cause else {
      connection.leaveRefusal()
      return false
    }
    pointee.flags.insert(.mustClose)
    let stream = pointee.http2
    let isAnswered = !asksForState
    if isAnswered {
      loop.pointee.metrics.add(cause.metric)
      pointee.flags.insert(.isAdvancing)
      add(("retry-after" as StaticString).raw, ("5" as StaticString).raw)
      problem(.overloaded, "The gateway takes no new connections now. Try again later.")
      recycle()
    }
    stream?.pointee.http2.endFromWithin()
    return isAnswered
  }

  /// Whether it is one of the questions that are answered truly whatever the load is.
  private var asksForState: Bool {
    switch BuiltInPage(self) {
    case .health, .ready, .metrics: true
    default: false
    }
  }
}
