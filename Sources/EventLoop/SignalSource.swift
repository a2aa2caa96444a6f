internal import CUV

/// Process signals, delivered as calls on one loop: SIGTERM, SIGINT, SIGHUP, SIGUSR1 and the like.
///
/// While a source is open its signals do not have their default effect. [loop-thread]
public final class SignalSource {
  private struct Storage {
    var handle = uv_signal_t()
    /// Holds the source until the handle is closed.
    var owner: Unmanaged<SignalSource>?
  }

  private let body: (Int32) -> Void
  private var handles: [UnsafeMutablePointer<Storage>] = []

  /// Watches signals from now on. The loop keeps the source until it is closed.
  ///
  /// - Parameters:
  ///   - signals: numbers such as `SIGTERM`; not `SIGKILL` or `SIGSTOP`.
  ///   - body: called with the number. Signals of one kind that come close together may be one call.
  /// - Throws: ``SystemError`` when a number cannot be watched; none is watched then.
  public init(
    loop: EventLoop, signals: [Int32], _ body: @escaping (Int32) -> Void
  ) throws(SystemError) {
    self.body = body
    for signal in signals {
      let storage = UnsafeMutablePointer<Storage>.allocate(capacity: 1)
      storage.initialize(to: Storage())
      let handle = UnsafeMutableRawPointer(storage).assumingMemoryBound(to: uv_signal_t.self)
      uv_signal_init(loop.core.pointee.uv, handle)
      handle.pointee.data = UnsafeMutableRawPointer(loop.core)
      storage.pointee.owner = .passRetained(self)
      handles.append(storage)
      let status = uv_signal_start(
        handle,
        { handle, signal in
          let handle = UnsafeMutableRawPointer(handle.unsafelyUnwrapped)
            .assumingMemoryBound(to: uv_handle_t.self)
          loopCore(of: handle.pointee.data).pointee.enter()
          SignalSource.owner(of: handle).body(signal)
        }, signal)
      guard status == 0 else {
        close()
        throw SystemError("uv_signal_start(\(signal))", code: status)
      }
    }
  }

  /// Stops watching; the signals have their default effect again. Idempotent.
  public func close() {
    for storage in handles {
      let handle = UnsafeMutableRawPointer(storage).assumingMemoryBound(to: uv_handle_t.self)
      uv_close(handle) { handle in
        let storage = UnsafeMutableRawPointer(handle.unsafelyUnwrapped)
          .assumingMemoryBound(to: Storage.self)
        let owner = storage.pointee.owner
        storage.deallocate()
        owner?.release()
      }
    }
    handles = []
  }

  static func owner(of handle: UnsafeMutablePointer<uv_handle_t>) -> SignalSource {
    UnsafeMutableRawPointer(handle).assumingMemoryBound(to: Storage.self)
      .pointee.owner.unsafelyUnwrapped.takeUnretainedValue()
  }
}
