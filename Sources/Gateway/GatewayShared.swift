internal import EventLoop
internal import Synchronization

/// What all loops of a gateway share.
///
/// `@unchecked Sendable`: `loops` is written once, before any of them accepts; the rest is atomic or locked.
final class GatewayShared: @unchecked Sendable {
  let accessLog: LogWriter?
  /// Lets TLS handshakes begin.
  let handshakes: RateLimiter
  var loops: [GatewayLoop] = []
  /// Connections open on all loops.
  let openConnections = Atomic<Int>(0)
  /// Connections open from each address, on all loops.
  private let addresses = Mutex<[Address: Int]>([:])
  /// Compression states that connections hold, on all loops.
  private let compressionStates = Atomic<Int>(0)
  /// 1 while new work is taken.
  let isReady = Atomic<Bool>(false)

  /// Loops that shed new connections.
  let sheddingLoops = Atomic<Int>(0)
  private let memory = Mutex(MemoryWatch())
  let userLimiters = UserLimiters()

  private let undrained = Mutex<(count: Int, then: (@Sendable () -> Void)?)>((0, nil))

  init(accessLog: LogWriter?, settings: GatewaySettings) {
    self.accessLog = accessLog
    handshakes = RateLimiter(limit: settings.handshakesPerSecond)
  }

  private struct Address: Hashable {
    let high: UInt64
    let low: UInt64
  }

  /// Counts a connection from an address; false, and not counted, when there are `limit` already.
  func enter(_ peer: PeerAddress, limit: Int) -> Bool {
    addresses.withLock { addresses in
      let count = addresses[Address(high: peer.high, low: peer.low), default: 0]
      guard count < limit else { return false }
      addresses[Address(high: peer.high, low: peer.low)] = count + 1
      return true
    }
  }

  /// A connection that was counted is gone.
  func leave(_ peer: PeerAddress) {
    addresses.withLock { addresses in
      let address = Address(high: peer.high, low: peer.low)
      guard let count = addresses[address] else { return }
      addresses[address] = count > 1 ? count - 1 : nil
    }
  }

  /// Counts a compression state; false, and not counted, when there are `limit` already. [any-thread]
  func takeCompressionState(limit: Int) -> Bool {
    if compressionStates.add(1, ordering: .relaxed).newValue <= limit { return true }
    giveCompressionState()
    return false
  }

  /// A compression state that was counted is gone. [any-thread]
  func giveCompressionState() { compressionStates.subtract(1, ordering: .relaxed) }

  /// Whether the process has more memory than `bound`, sampled anew if it is time; and bytes of it when the owner is to
  /// be told. [any-thread]
  func sampleMemory(bound: Int, now: UInt64) -> (isOver: Bool, news: Int?) {
    memory.withLock { memory in
      let news = memory.sample(bound: bound, now: now) { EventLoop.residentMemory() }
      return (memory.isOver, news)
    }
  }

  /// Calls `then` once, when every loop has drained.
  func whenDrained(_ then: @escaping @Sendable () -> Void) {
    undrained.withLock { $0 = (loops.count, then) }
  }

  /// A loop has no connection left. [any-thread]
  func loopHasDrained() {
    let then = undrained.withLock { state -> (@Sendable () -> Void)? in
      state.count -= 1
      guard state.count == 0 else { return nil }
      defer { state.then = nil }
      return state.then
    }
    then?()
  }
}
