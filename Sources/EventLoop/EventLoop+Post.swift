internal import CUV

extension EventLoop {
  /// Runs a global function on the loop's thread, later; nothing is allocated. [any-thread]
  ///
  /// Calls of one thread run in their order. A call posted from the loop's own thread runs at the end
  /// of the tick, never inside the caller, and needs no wake-up.
  ///
  /// - Returns: true when the call will run (or the loop is never run at all); false, and the call
  ///   will not run, when the loop has stopped.
  @discardableResult
  public func post(_ function: LoopFunction, _ a: UInt64, _ b: UInt64) -> Bool {
    guard isCurrent else { return posts.put(function, a, b) }
    core.pointee.local.push(function, a, b)
    return true
  }

  /// Runs a closure on the loop's thread, later; it costs one allocation. [any-thread]
  ///
  /// As ``post(_:_:_:)`` in all else.
  @discardableResult
  public func post(_ work: @escaping @Sendable () -> Void) -> Bool {
    let box = ClosureBox.retained(work)
    if post(runClosureBox, box, 0) { return true }
    _ = ClosureBox.take(box)
    return false
  }

  /// Runs all that other threads have posted. [loop-thread]
  func drainPosts() {
    posts.swap(&core.pointee.remote)
    while let item = core.pointee.remote.pop() { item.function(item.a, item.b) }
  }
}

func loopWokenUp(_ handle: UnsafeMutablePointer<uv_poll_t>?, _ status: Int32, _ events: Int32) {
  let core = loopCore(of: handle.unsafelyUnwrapped.pointee.data)
  core.pointee.enter()
  // Before the queue is taken, so that whoever finds it empty after that is heard.
  core.pointee.bell.silence()
  core.pointee.owner._withUnsafeGuaranteedRef { $0.drainPosts() }
}
