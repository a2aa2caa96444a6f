/// What other threads have posted to one loop: a locked queue, taken out whole at each wake-up.
///
/// Only the post that finds the queue empty wakes the loop, so a batch costs one system call.
final class PostBox: Sendable {
  private struct Contents: ~Copyable {
    var queue = WorkQueue()
    var isClosed = false
    var hasRun = false
  }

  private let contents = Locked(Contents())
  private let bell: WakeUpBell

  init(bell: WakeUpBell) { self.bell = bell }

  /// Returns false, and takes nothing, once the box is closed.
  func put(_ function: LoopFunction, _ a: UInt64, _ b: UInt64) -> Bool {
    let (isTaken, isFirst) = contents.withLock { contents in
      guard !contents.isClosed else { return (false, false) }
      let isFirst = contents.queue.isEmpty
      contents.queue.push(function, a, b)
      return (true, isFirst)
    }
    // Outside the lock: the bell is closed by the loop's deinit, and the caller holds the loop.
    if isFirst { bell.ring() }
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
