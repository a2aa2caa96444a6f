public import CUV
internal import Glibc
internal import Synchronization

/// One libuv loop on one thread: it owns sockets, timers and whatever is posted to it.
///
/// Everything that hangs on a loop is confined to the loop's thread; what may be called from any
/// other thread says so. Making the first loop ignores `SIGPIPE` for the process, because a write to
/// a peer that has gone must be an error code.
///
/// `@unchecked Sendable`: `core` belongs to the loop's thread, but for its atomics; `posts` is locked;
/// `starter` is written once before `spawn` returns, and read by `join`.
public final class EventLoop: @unchecked Sendable {
  /// The loop's position among the process's loops, as given; a shard number.
  public let index: Int

  let core: CorePointer
  /// The core's `uv`, for those who may not touch the core.
  @usableFromInline let uv: UnsafeMutablePointer<uv_loop_t>
  let posts: PostBox
  let starter = Locked<pthread_t?>(nil)

  /// Makes a loop that runs nowhere yet; what is posted before ``run()`` runs first.
  ///
  /// - Throws: ``SystemError`` when descriptors or memory run out.
  public init(index: Int) throws(SystemError) {
    precondition(MemoryLayout<StreamStorage>.size <= TCPStream.userOffset)
    Self.ignoreBrokenPipes()
    self.index = index
    let bell = try WakeUpBell()
    uv = .allocate(capacity: 1)
    let wakeUp = UnsafeMutablePointer<uv_poll_t>.allocate(capacity: 1)
    core = .allocate(capacity: 1)
    posts = PostBox(bell: bell)
    var status = uv_loop_init(uv)
    var operation = "uv_loop_init"
    if status == 0 {
      status = uv_poll_init(uv, wakeUp, bell.descriptor)
      operation = "uv_poll_init"
      if status != 0 { uv_loop_close(uv) }
    }
    guard status == 0 else {
      uv.deallocate()
      wakeUp.deallocate()
      core.deallocate()
      bell.close()
      throw SystemError(operation, code: status)
    }
    core.initialize(
      to: LoopCore(uv: uv, bell: bell, wakeUp: wakeUp, owner: .passUnretained(self)))
    uv.pointee.data = UnsafeMutableRawPointer(core)
    wakeUp.pointee.data = UnsafeMutableRawPointer(core)
    // It fails for handles that are closing alone.
    uv_poll_start(wakeUp, Int32(UV_READABLE.rawValue), loopWokenUp)
  }

  deinit {
    // Only now can nobody post any more, so only now may the bell go.
    let wakeUp = core.pointee.wakeUp
    uv_close(UnsafeMutableRawPointer(wakeUp).assumingMemoryBound(to: uv_handle_t.self), nil)
    closeAllHandles()
    uv_run(uv, UV_RUN_DEFAULT)
    let status = uv_loop_close(uv)
    assert(status == 0, "a libuv handle outlived its loop")
    posts.discard()
    core.pointee.bell.close()
    core.pointee.destroy()
    core.deinitialize(count: 1)
    core.deallocate()
    wakeUp.deallocate()
    uv.deallocate()
    if let thread = starter.withLock({ $0.take() }) { pthread_detach(thread) }
  }

  /// The loop whose thread this is; nil on any other thread. [any-thread]
  public static var current: EventLoop? {
    guard let pointer = pthread_getspecific(currentLoopKey) else { return nil }
    return Unmanaged<EventLoop>.fromOpaque(pointer).takeUnretainedValue()
  }

  /// Whether the caller is on this loop's thread. [any-thread]
  public var isCurrent: Bool {
    core.pointee.thread.load(ordering: .relaxed) == UInt(pthread_self())
  }

  /// A pointer of the owner's choice, for the state that it keeps per loop. [loop-thread]
  ///
  /// ``TCPStream/loopContext`` reads it without counting references.
  public var context: UnsafeMutableRawPointer? {
    get { core.pointee.context }
    set { core.pointee.context = newValue }
  }

  /// The loop's one output buffer: fill it, flush it into a stream, all in one callback. [loop-thread]
  public var output: OutputBuffer { core.pointee.output }

  /// TCP streams that are open or closing on this loop. [loop-thread]
  public var openStreams: Int { core.pointee.openStreams }

  /// Registers a callback that runs at the end of each tick in which its hook is armed. [loop-thread]
  ///
  /// Hooks run in the order of registration, after the tick's I/O, posts and jobs, and always before
  /// the loop waits. They cannot be removed; there may be 64.
  ///
  /// - Parameters:
  ///   - function: runs on the loop's thread.
  ///   - context: handed to `function`; what it points to must outlive the loop.
  public func addTickEndHook(_ function: LoopCallback, _ context: UInt64) -> TickHook {
    TickHook(core: core, bit: core.pointee.tickHooks.add(function, context))
  }

  /// Registers a callback that runs once a second, on the loop's one ticker. [loop-thread]
  ///
  /// It is meant for sweeping a ``DeadlineList`` and for rendering the date. It cannot be removed;
  /// there may be 64. `context` must outlive the loop.
  public func addTickerHook(_ function: LoopCallback, _ context: UInt64) {
    _ = core.pointee.tickerHooks.add(function, context)
  }

  /// Ignores `SIGPIPE` in this process. Idempotent. [any-thread]
  public static func ignoreBrokenPipes() { signal(SIGPIPE, SIG_IGN) }
}

/// The slot that holds the loop of a thread.
let currentLoopKey: pthread_key_t = {
  var key = pthread_key_t()
  let status = pthread_key_create(&key, nil)
  precondition(status == 0, "no thread-specific key left: error \(status)")
  return key
}()
