public import CUV
internal import Glibc
internal import Synchronization

extension EventLoop {
  /// Bytes of stack for a loop's thread: what C code expects of a thread on Linux.
  ///
  /// Plugins run on it. It is address space; only the pages touched take memory.
  static let stackBytes = 8 * 1024 * 1024

  /// Runs the loop on the calling thread until ``stop()``. A loop runs once.
  ///
  /// On return every stream, timer, listener and signal source of the loop is closed (with its
  /// `onClosed` called) and every post that was accepted has run.
  public func run() {
    precondition(EventLoop.current == nil, "this thread already runs a loop")
    precondition(posts.beginRun(), "a loop runs once")
    pthread_setspecific(currentLoopKey, Unmanaged.passUnretained(self).toOpaque())
    core.pointee.thread.store(UInt(pthread_self()), ordering: .relaxed)
    startPhases()
    uv_run(core.pointee.uv, UV_RUN_DEFAULT)
    posts.close()
    // Closing streams may resume tasks and post; a few rounds let them finish.
    for _ in 0..<LoopCore.roundLimit {
      drainPosts()
      core.finishTick()
      closeAllHandles()
      uv_run(core.pointee.uv, UV_RUN_DEFAULT)
    }
    core.pointee.busySince.store(0, ordering: .relaxed)
    core.pointee.thread.store(0, ordering: .relaxed)
    pthread_setspecific(currentLoopKey, nil)
  }

  /// Ends ``run()`` at the end of the tick in which this request arrives. [any-thread]
  ///
  /// Nothing is drained: streams are closed as they are. Stopping twice is harmless.
  public func stop() { post(stopLoop, UInt64(address: uv), 0) }

  /// Starts a thread that runs a new loop, and returns when it runs. [any-thread, blocking]
  ///
  /// - Parameters:
  ///   - index: the loop's ``index``.
  ///   - name: the thread's name; the kernel keeps 15 bytes of it.
  /// - Throws: ``SystemError`` when threads, descriptors or memory run out.
  public static func spawn(index: Int, name: String) throws(SystemError) -> EventLoop {
    let loop = try EventLoop(index: index)
    let started = Flag()
    loop.post { started.raise() }
    let thread = try startThread(name: name, stackBytes: stackBytes) { loop.run() }
    loop.starter.withLock { $0 = thread }
    started.wait()
    return loop
  }

  /// Waits until the thread of a spawned loop has ended; call ``stop()`` first. [not this loop's thread]
  ///
  /// Returns at once for a loop that was not spawned, or was joined before.
  public func join() {
    precondition(!isCurrent, "a loop cannot wait for itself")
    if let thread = starter.withLock({ $0.take() }) { pthread_join(thread, nil) }
  }

  /// Calls `body` with every stream of the loop that is not closing: for draining. [loop-thread]
  ///
  /// `body` may close the stream it is given.
  public func forEachStream(_ body: (TCPStream) -> Void) {
    withoutActuallyEscaping(body) { body in
      var visit = body
      withUnsafeMutablePointer(to: &visit) { visit in
        uv_walk(
          core.pointee.uv,
          { handle, visit in
            guard let handle, uv_handle_get_type(handle) == UV_TCP, uv_is_closing(handle) == 0
            else { return }
            visit.unsafelyUnwrapped
              .assumingMemoryBound(to: ((TCPStream) -> Void).self)
              .pointee(TCPStream(storage: UnsafeMutableRawPointer(handle)))
          }, visit)
      }
    }
  }

  private func startPhases() {
    let uv = core.pointee.uv
    let data = UnsafeMutableRawPointer(core)
    uv_prepare_init(uv, core.pointee.beforePoll)
    uv_check_init(uv, core.pointee.afterPoll)
    uv_idle_init(uv, core.pointee.spin)
    uv_timer_init(uv, core.pointee.ticker)
    core.pointee.beforePoll.pointee.data = data
    core.pointee.afterPoll.pointee.data = data
    core.pointee.spin.pointee.data = data
    core.pointee.ticker.pointee.data = data
    uv_prepare_start(core.pointee.beforePoll, loopBeforePoll)
    uv_check_start(core.pointee.afterPoll, loopAfterPoll)
    let period = LoopCore.tickerMilliseconds
    core.pointee.nextTick = uv_hrtime() + period * 1_000_000
    uv_timer_start(core.pointee.ticker, loopTicker, period, period)
  }

  /// Begins to close every handle but the wake-up, which lives as long as someone can post.
  func closeAllHandles() {
    uv_walk(
      core.pointee.uv,
      { handle, _ in
        guard let handle, uv_is_closing(handle) == 0 else { return }
        switch uv_handle_get_type(handle) {
        case UV_TCP: TCPStream(storage: UnsafeMutableRawPointer(handle)).close()
        case UV_TIMER where UnsafeMutableRawPointer(handle) != ticker(of: handle):
          Timer(storage: UnsafeMutableRawPointer(handle)).close()
        case UV_POLL where UnsafeMutableRawPointer(handle) == wakeUp(of: handle): uv_unref(handle)
        case UV_POLL:
          (PollStorage.owner(at: UnsafeMutableRawPointer(handle)) as? any PollOwner)?.close()
        case UV_SIGNAL: SignalSource.owner(of: handle).close()
        default: uv_close(handle, nil)
        }
      }, nil)
  }
}

private func wakeUp(of handle: UnsafeMutablePointer<uv_handle_t>) -> UnsafeMutableRawPointer {
  UnsafeMutableRawPointer(loopCore(of: handle.pointee.loop.pointee.data).pointee.wakeUp)
}

private func ticker(of handle: UnsafeMutablePointer<uv_handle_t>) -> UnsafeMutableRawPointer {
  UnsafeMutableRawPointer(loopCore(of: handle.pointee.loop.pointee.data).pointee.ticker)
}

private func stopLoop(_ uv: UInt64, _: UInt64) {
  uv_stop(UnsafeMutableRawPointer(address: uv).assumingMemoryBound(to: uv_loop_t.self))
}
