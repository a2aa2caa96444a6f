internal import CUV

/// What a socket is ready for.
public struct Readiness: OptionSet, Sendable {
  public let rawValue: Int32

  /// - Parameter rawValue: of libuv.
  public init(rawValue: Int32) { self.rawValue = rawValue }

  /// There is something to read, or an end.
  public static let readable = Readiness(rawValue: Int32(UV_READABLE.rawValue))
  /// There is room to write.
  public static let writable = Readiness(rawValue: Int32(UV_WRITABLE.rawValue))
}

/// Tells of a socket of somebody else's when it is ready: for libraries that do their own reading and writing. [loop-thread]
///
/// The loop keeps it until it is closed, which must be before the socket is.
public final class SocketWatch: PollOwner {
  private let core: CorePointer
  private let storage: UnsafeMutablePointer<PollStorage>
  private let onReady: (Readiness) -> Void
  private var isClosed = false

  /// Watches for nothing yet.
  ///
  /// - Parameters:
  ///   - descriptor: a socket without blocking, which nobody else watches on this loop.
  ///   - onReady: told what it is ready for, on the loop's thread, as long as it is; of a failed socket, all that is watched for. It
  ///     may close the watch.
  /// - Throws: ``SystemError``: the descriptor cannot be polled.
  public init(
    loop: EventLoop, descriptor: Int32, onReady: @escaping (Readiness) -> Void
  ) throws(SystemError) {
    core = loop.core
    assert(core.isCurrentOrIdle, "a socket is watched on its loop's thread")
    self.onReady = onReady
    storage = .allocate(capacity: 1)
    storage.initialize(to: PollStorage())
    let status = uv_poll_init(core.pointee.uv, storage.poll, descriptor)
    guard status == 0 else {
      storage.deallocate()
      throw SystemError("uv_poll_init", code: status)
    }
    storage.pointee.poll.data = UnsafeMutableRawPointer(core)
    storage.pointee.owner = .passRetained(self as AnyObject)
  }

  /// Tells of this from now on, and of nothing else.
  public func watch(for readiness: Readiness) {
    guard !isClosed else { return }
    guard !readiness.isEmpty else {
      uv_poll_stop(storage.poll)
      return
    }
    uv_poll_start(storage.poll, readiness.rawValue) { poll, status, events in
      let storage = UnsafeMutableRawPointer(poll.unsafelyUnwrapped)
      unsafeDowncast(PollStorage.owner(at: storage), to: SocketWatch.self)
        .tell(status < 0 ? [.readable, .writable] : Readiness(rawValue: events))
    }
  }

  private func tell(_ readiness: Readiness) {
    core.pointee.enter()
    defer { core.pointee.measureTick() }
    onReady(readiness)
  }

  /// Ends it. Idempotent.
  public func close() {
    guard !isClosed else { return }
    isClosed = true
    storage.close()
  }
}
