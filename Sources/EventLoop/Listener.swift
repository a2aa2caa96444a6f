public import CUV
internal import Glibc
internal import Synchronization

/// A loop's listening socket: it accepts TCP connections and makes streams of them.
///
/// Each loop has its own on the same port (`SO_REUSEPORT`), so the kernel spreads connections and nothing is
/// handed between threads. [loop-thread], but for the counters.
///
/// `@unchecked Sendable`: the counters are atomic; all else belongs to the loop's thread, and a closed listener
/// refers to nothing.
public final class Listener: PollOwner, @unchecked Sendable {
  /// Called with each new stream, on the loop's thread: set up its memory, then start reading or close it.
  public typealias OnAccept =
    @convention(c) @Sendable (_ stream: TCPStream, _ context: UInt64) -> Void

  /// Connections accepted from one listener before the loop does something else.
  static let acceptsPerTick = 64
  static let backlog: Int32 = 4096
  static let pauseMilliseconds: UInt64 = 100

  /// What the listener is bound to, with its real port.
  public let address: ListenAddress

  private let core: CorePointer
  private let descriptor: Int32
  private let callbacks: UnsafePointer<StreamCallbacks>
  private let userSize: Int
  private let onAccept: OnAccept
  private let context: UInt64
  private let storage: UnsafeMutablePointer<PollStorage>
  private let retry: Timer
  private var isClosed = false
  private let acceptedCount = Atomic<Int>(0)
  private let pauseCount = Atomic<Int>(0)

  /// Makes sure that nobody has the port, and holds it until each loop has made its listener.
  ///
  /// - Throws: ``ListenError``, with a text for the operator.
  public static func reserve(_ address: ListenAddress) throws(ListenError) -> PortReservation {
    try PortReservation(address)
  }

  /// Listens, and accepts from now on. [loop-thread, or any thread before the loop runs]
  ///
  /// The loop keeps the listener until it is closed.
  ///
  /// - Parameters:
  ///   - address: of a ``PortReservation``.
  ///   - callbacks: of the streams accepted.
  ///   - userSize: bytes of memory that the owner gets with each stream, at most 1 MiB.
  ///   - context: handed to `onAccept`; what it points to must outlive the listener.
  public init(
    loop: EventLoop, address: ListenAddress, callbacks: StreamCallbackTable, userSize: Int,
    context: UInt64, onAccept: OnAccept
  ) throws(ListenError) {
    precondition((0...1 << 20).contains(userSize))
    let socket = try ListenSocket.bound(to: address, sharing: .listeners)
    self.address = address.with(port: socket.port)
    descriptor = try socket.listen(backlog: Self.backlog)
    core = loop.core
    self.callbacks = callbacks.pointer
    self.userSize = userSize
    self.onAccept = onAccept
    self.context = context
    storage = .allocate(capacity: 1)
    storage.initialize(to: PollStorage())
    let status = uv_poll_init(core.pointee.uv, storage.poll, descriptor)
    guard status == 0 else {
      storage.deallocate()
      Glibc.close(descriptor)
      throw ListenError(address: address, operation: "uv_poll_init", code: -status)
    }
    retry = Timer(
      loop: loop, { Listener.owner(at: .init(address: $0)).start() }, UInt64(address: storage))
    storage.pointee.poll.data = UnsafeMutableRawPointer(core)
    storage.pointee.owner = .passRetained(self as AnyObject)
    start()
  }

  /// Connections accepted so far. [any-thread]
  public var accepted: Int { acceptedCount.load(ordering: .relaxed) }

  /// Times that accepting paused because descriptors or memory ran out. [any-thread]
  ///
  /// Connections then wait in the kernel's backlog; a tenth of a second later the listener tries again.
  public var pauses: Int { pauseCount.load(ordering: .relaxed) }

  /// Stops taking connections for now; they wait in the kernel's backlog. Idempotent. [loop-thread]
  public func pause() {
    guard !isClosed else { return }
    retry.stop()
    uv_poll_stop(storage.poll)
  }

  /// Takes connections again. Idempotent. [loop-thread]
  public func resume() {
    guard !isClosed else { return }
    retry.stop()
    start()
  }

  /// Stops listening; the kernel refuses what comes from now on, and resets what waited in the backlog.
  /// Streams already accepted live on. Idempotent. [loop-thread]
  public func close() {
    guard !isClosed else { return }
    isClosed = true
    retry.close()
    storage.close()
    // libuv has taken the descriptor out of its poll set by now, and nobody else knows it.
    Glibc.close(descriptor)
  }

  // MARK: - Inside the room

  private static func owner(at storage: UnsafeMutableRawPointer) -> Listener {
    unsafeDowncast(PollStorage.owner(at: storage), to: Listener.self)
  }

  private func start() {
    uv_poll_start(storage.poll, Int32(UV_READABLE.rawValue)) { poll, _, _ in
      Listener.owner(at: UnsafeMutableRawPointer(poll.unsafelyUnwrapped)).acceptWaiting()
    }
  }

  private func acceptWaiting() {
    core.pointee.enter()
    for _ in 0..<Self.acceptsPerTick {
      guard !isClosed, acceptOne() else { return }
    }
  }

  /// Accepts one connection; false when there is no more to accept now.
  private func acceptOne() -> Bool {
    var address = sockaddr_storage()
    var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
    let flags = Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
    let connection = withUnsafeMutableBytes(of: &address) {
      cuv_accept4(descriptor, $0.baseAddress!.assumingMemoryBound(to: sockaddr.self), &size, flags)
    }
    guard connection >= 0 else { return shouldGoOn(after: errno) }
    let stream = TCPStream.open(
      connection, peer: PeerAddress(&address), core: core, callbacks: callbacks,
      userSize: userSize)
    if let stream {
      acceptedCount.add(1, ordering: .relaxed)
      onAccept(stream, context)
    }
    return true
  }

  private func shouldGoOn(after code: Int32) -> Bool {
    switch code {
    case EAGAIN:
      return false
    case EMFILE, ENFILE, ENOBUFS, ENOMEM:
      // The connection stays in the backlog, so the socket stays readable: without a pause this would spin.
      pauseCount.add(1, ordering: .relaxed)
      uv_poll_stop(storage.poll)
      retry.start(after: Self.pauseMilliseconds)
      return false
    default:
      // accept(2): the connection died before it was taken; the next one may be well.
      return true
    }
  }
}
