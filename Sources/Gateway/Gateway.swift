public import EventLoop
internal import Glibc
internal import Synchronization
public import TLS

/// The gateway: loops that accept connections and carry their requests to the plugins of their tenants.
///
/// It knows no feature: tenants and plugins come from its ``TenantHost``.
public final class Gateway: Sendable {
  /// The loops, in the order of their indexes. [any-thread]
  public let loops: [GatewayLoop]
  private let shared: GatewayShared
  private let settings: GatewaySettings

  /// Starts the loops, each on its own thread, without accepting anything yet. [control-thread]
  ///
  /// - Parameters:
  ///   - count: loops to start.
  ///   - accessLog: where a line for each request goes; nil for nowhere.
  /// - Throws: ``SystemError`` when threads or descriptors run out.
  public init(
    loops count: Int, settings: GatewaySettings, accessLog: LogWriter?, host: any TenantHost
  ) throws(SystemError) {
    self.settings = settings
    shared = GatewayShared(accessLog: accessLog, settings: settings)
    var loops: [GatewayLoop] = []
    for index in 0..<count {
      let eventLoop = try EventLoop.spawn(index: index, name: "loop-\(index)")
      loops.append(Self.prepare(eventLoop, settings, shared, host))
    }
    self.loops = loops
    shared.loops = loops
  }

  private static func prepare(
    _ eventLoop: EventLoop, _ settings: GatewaySettings, _ shared: GatewayShared,
    _ host: any TenantHost
  ) -> GatewayLoop {
    let state = LoopPointer.makeMemory()
    let loop = GatewayLoop(state: state)
    let seed = Randomness.word()
    let ready = Signal()
    eventLoop.post {
      let address = loop.address
      let hook = eventLoop.addTickEndHook(
        { address in GatewayLoop(address: address).state.endTick() }, address)
      loop.state.begin(
        LoopState(
          eventLoop: eventLoop, settings: settings, shared: shared, host: host, seed: seed,
          groupHook: hook))
      eventLoop.context = UnsafeMutableRawPointer(loop.state)
      eventLoop.addTickerHook({ address in GatewayLoop(address: address).state.sweep() }, address)
      ready.raise()
    }
    ready.wait()
    return loop
  }

  /// Listens on every loop. [control-thread]
  ///
  /// ``replace(_:ofListener:)`` numbers those with TLS in the order of these calls, from 0.
  ///
  /// - Parameters:
  ///   - reservation: of the port, which the caller may let go of afterwards.
  ///   - secure: how to speak TLS; nil for plain HTTP.
  /// - Throws: ``ListenError`` with a text for the operator.
  public func listen(
    on reservation: PortReservation, secure: SecureListening? = nil
  ) throws(ListenError) {
    let failure = Mutex<ListenError?>(nil)
    for loop in loops {
      let done = Signal()
      let bound = reservation.address
      loop.eventLoop.post {
        do throws(ListenError) {
          loop.state.pointee.listeners.append(try loop.state.listen(bound, secure))
        } catch {
          failure.withLock { $0 = error }
        }
        done.raise()
      }
      done.wait()
    }
    if let error = failure.withLock({ $0 }) { throw error }
  }

  /// Has sessions on a listener with TLS begin with another context from now on. [any-thread]
  ///
  /// - Parameter number: the listener, by the order of the calls of ``listen(on:secure:)`` that had TLS.
  public func replace(_ context: TLSContext, ofListener number: Int) {
    for loop in loops {
      loop.eventLoop.post { loop.state.pointee.secureListeners[number].pointee.context = context }
    }
  }

  /// From now on `/readyz` says yes. [any-thread]
  public func isReady() { shared.isReady.store(true, ordering: .relaxed) }

  /// Stops accepting, lets requests in hand end, closes sockets with a code that has clients come back; then calls
  /// `then` on some thread. What is left after the drain time is cut. [control-thread]
  public func drain(then: @escaping @Sendable () -> Void) {
    shared.isReady.store(false, ordering: .relaxed)
    shared.whenDrained(then)
    for loop in loops { loop.eventLoop.post { loop.state.drain() } }
  }

  /// Ends the loops' threads. [control-thread, blocking]
  public func stop() {
    for loop in loops { loop.eventLoop.stop() }
    for loop in loops { loop.eventLoop.join() }
  }
}

extension UnsafeMutablePointer where Pointee == LoopState {
  fileprivate func listen(
    _ address: ListenAddress, _ secure: SecureListening?
  ) throws(ListenError) -> Listener {
    guard let secure = secure.map({ addSecureListener($0) }) else {
      return try Listener(
        loop: pointee.eventLoop, address: address, callbacks: connectionCallbacks,
        userSize: MemoryLayout<Connection>.size, context: UInt64(address: self),
        onAccept: { connectionAccepted($0, $1) })
    }
    return try Listener(
      loop: pointee.eventLoop, address: address, callbacks: secureCallbacks,
      userSize: MemoryLayout<Connection>.size, context: UInt64(address: secure),
      onAccept: { secureConnectionAccepted($0, $1) })
  }

  /// Whether all that is left are connections whose last answer is with the kernel.
  fileprivate var isDrained: Bool {
    var isBusy = false
    pointee.eventLoop.forEachStream { stream in
      let connection = stream.userMemory.assumingMemoryBound(to: Connection.self)
      let isEnding =
        connection.pointee.flags.contains(.isFinishing)
        || connection.pointee.socket?.pointee.flags.contains(.hasEnded) == true
      if !isEnding || stream.queuedBytes > 0 { isBusy = true }
    }
    return !isBusy
  }

  fileprivate func drain() {
    pointee.isDraining = true
    for listener in pointee.listeners { listener.close() }
    pointee.listeners = []
    pointee.eventLoop.forEachStream { stream in
      let connection = stream.userMemory.assumingMemoryBound(to: Connection.self)
      if let http2 = connection.pointee.http2 {
        http2.drain()
      } else if let socket = connection.pointee.socket {
        socket.close(HostCloseCode.shutdown, ("shutdown" as StaticString).raw)
      } else if connection.pointee.request == nil, connection.pointee.viewCount == 0 {
        connection.unwatch()
        // Nothing is on its way in either direction, so there is nothing to wait for.
        if stream.queuedBytes == 0, connection.pointee.secure == nil {
          stream.close()
        } else {
          connection.pointee.flags.insert(.isFinishing)
          connection.shutDown()
        }
      }
    }
    endTick()
    let state = self
    var timer: Timer?
    timer = pointee.eventLoop.every(20) {
      guard state.isDrained else { return }
      timer?.close()
      state.pointee.shared.loopHasDrained()
    }
    // A peer that does not say that it has heard of the end is told of its last stream all the same.
    pointee.eventLoop.after(1000) {
      state.pointee.eventLoop.forEachStream { stream in
        stream.userMemory.assumingMemoryBound(to: Connection.self).pointee.http2?.end()
      }
    }
    pointee.eventLoop.after(pointee.settings.drainTimeout) {
      state.pointee.eventLoop.forEachStream { $0.close() }
    }
  }
}

/// Something that one thread waits for until another has done it.
final class Signal: Sendable {
  private let lock = Mutex(false)

  func raise() { lock.withLock { $0 = true } }

  func wait() { while !lock.withLock({ $0 }) { usleep(200) } }
}
