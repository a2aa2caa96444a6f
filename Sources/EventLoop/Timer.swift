internal import CUV

/// A one-shot or repeating timer of a loop: a pointer to memory that lives until ``close()``.
///
/// All of it is [loop-thread]. Many connections with the same time limit want a ``DeadlineList``.
public struct Timer {
  private struct Storage {
    var handle: uv_timer_t
    var function: LoopCallback
    var context: UInt64
    /// Called in place of `function`.
    var closure: (() -> Void)?
    var closesAtExpiry: Bool
  }

  private let storage: UnsafeMutablePointer<Storage>

  /// Makes a timer that is not started.
  ///
  /// - Parameters:
  ///   - function: called on the loop's thread at each expiry.
  ///   - context: handed to `function`; what it points to must outlive the timer.
  public init(loop: EventLoop, _ function: LoopCallback, _ context: UInt64) {
    self.init(core: loop.core, function, context)
  }

  init(
    core: CorePointer, _ function: LoopCallback, _ context: UInt64,
    closure: (() -> Void)? = nil, closesAtExpiry: Bool = false
  ) {
    assert(core.isCurrentOrIdle, "a timer is made on its loop's thread")
    storage = .allocate(capacity: 1)
    storage.initialize(
      to: Storage(
        handle: uv_timer_t(), function: function, context: context, closure: closure,
        closesAtExpiry: closesAtExpiry))
    uv_timer_init(core.pointee.uv, handle)
    handle.pointee.data = UnsafeMutableRawPointer(core)
  }

  init(storage: UnsafeMutableRawPointer) {
    self.storage = storage.assumingMemoryBound(to: Storage.self)
  }

  private var handle: UnsafeMutablePointer<uv_timer_t> {
    UnsafeMutableRawPointer(storage).assumingMemoryBound(to: uv_timer_t.self)
  }

  private var anyHandle: UnsafeMutablePointer<uv_handle_t> {
    UnsafeMutableRawPointer(storage).assumingMemoryBound(to: uv_handle_t.self)
  }

  /// Starts the timer, or starts it anew.
  ///
  /// - Parameters:
  ///   - milliseconds: to the first expiry, from the beginning of this tick; 0 is the next tick.
  ///   - period: milliseconds between later expiries; 0 means that there are none.
  public func start(after milliseconds: UInt64, repeating period: UInt64 = 0) {
    uv_timer_start(
      handle, { Timer(storage: UnsafeMutableRawPointer($0.unsafelyUnwrapped)).expire() },
      milliseconds, period)
  }

  private func expire() {
    let core = loopCore(of: handle.pointee.data)
    core.pointee.enter()
    defer { core.pointee.measureTick() }
    guard let closure = storage.pointee.closure else {
      return storage.pointee.function(storage.pointee.context)
    }
    if storage.pointee.closesAtExpiry { close() }
    closure()
  }

  /// Stops the timer; it can be started again. Idempotent.
  public func stop() { uv_timer_stop(handle) }

  /// Whether an expiry is to come.
  public var isActive: Bool { uv_is_active(anyHandle) != 0 }

  /// Stops the timer for good. Its memory goes at the end of the tick, so this is the last call on it;
  /// a loop that stops closes what is left.
  public func close() {
    guard uv_is_closing(anyHandle) == 0 else { return }
    uv_close(anyHandle) { handle in
      let timer = Timer(storage: UnsafeMutableRawPointer(handle.unsafelyUnwrapped))
      timer.storage.deinitialize(count: 1)
      timer.storage.deallocate()
    }
  }
}

extension EventLoop {
  /// Makes a timer that is not started and calls a closure at each expiry. [loop-thread]
  public func timer(_ body: @escaping () -> Void) -> Timer {
    Timer(core: core, { _ in }, 0, closure: body)
  }

  /// Runs a closure every `period` milliseconds until the timer is closed. [loop-thread]
  public func every(_ period: UInt64, _ body: @escaping () -> Void) -> Timer {
    let timer = Timer(core: core, { _ in }, 0, closure: body)
    timer.start(after: period, repeating: period)
    return timer
  }

  /// Runs a closure once, `milliseconds` from now, unless the loop stops first. [loop-thread]
  ///
  /// It cannot be called off; a ``Timer`` can.
  public func after(_ milliseconds: UInt64, _ body: @escaping () -> Void) {
    Timer(core: core, { _ in }, 0, closure: body, closesAtExpiry: true).start(after: milliseconds)
  }
}
