internal import CUV

/// What other threads have posted to one loop: a locked queue, taken out whole at each wake-up.
///
/// Only the post that finds the queue empty wakes the loop, so a batch costs one system call.
///
/// `@unchecked Sendable`: `wakeUp` is used for `uv_async_send` alone, which any thread may call.
final class PostBox: @unchecked Sendable {
  private struct Contents: ~Copyable {
    var queue = WorkQueue()
    var isClosed = false
    var hasRun = false
  }

  private let contents = Locked(Contents())
  private let wakeUp: UnsafeMutablePointer<uv_async_t>

  init(wakeUp: UnsafeMutablePointer<uv_async_t>) { self.wakeUp = wakeUp }

  /// Returns false, and takes nothing, once the box is closed.
  func put(_ function: LoopFunction, _ a: UInt64, _ b: UInt64) -> Bool {
    let (isTaken, isFirst) = contents.withLock { contents in
      guard !contents.isClosed else { return (false, false) }
      let isFirst = contents.queue.isEmpty
      contents.queue.push(function, a, b)
      return (true, isFirst)
    }
    // Outside the lock: the handle is closed by the loop's deinit, and the caller holds the loop.
    if isFirst { uv_async_send(wakeUp) }
    return isTaken
  }

  /// Exchanges the queue for an empty one.
  func swap(_ empty: inout WorkQueue) {
    contents.withLock { Swift.swap(&$0.queue, &empty) }
  }

  /// Returns false the second time.
  func beginRun() -> Bool {
    contents.withLock { contents in
      defer { contents.hasRun = true }
      return !contents.hasRun
    }
  }

  /// Takes no more from here on.
  func close() { contents.withLock { $0.isClosed = true } }

  func discard() { contents.withLock { $0.queue.discard() } }
}
