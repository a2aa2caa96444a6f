internal import EventLoop

/// What never changes about a loop, in memory of its own before the loop's state: any thread may read it while the loop's
/// thread changes the state.
struct LoopFacts {
  let eventLoop: EventLoop
  let index: Int
  /// Never freed: a watchdog may look at it at any time.
  let mark: UnsafeMutablePointer<CallMark>
}

extension UnsafeMutablePointer where Pointee == LoopState {
  private static var factsBytes: Int { (MemoryLayout<LoopFacts>.stride + 15) & ~15 }

  /// Memory for a loop's state and its facts, until the process ends.
  static func makeMemory() -> LoopPointer {
    let memory = UnsafeMutableRawPointer.allocate(
      byteCount: factsBytes + MemoryLayout<LoopState>.stride, alignment: 16)
    return (memory + factsBytes).bindMemory(to: LoopState.self, capacity: 1)
  }

  private var factsMemory: UnsafeMutableRawPointer {
    UnsafeMutableRawPointer(self) - Self.factsBytes
  }

  /// [any-thread]
  var facts: UnsafePointer<LoopFacts> {
    UnsafePointer(factsMemory.assumingMemoryBound(to: LoopFacts.self))
  }

  /// Fills both in, once.
  func begin(_ state: consuming LoopState) {
    factsMemory.initializeMemory(
      as: LoopFacts.self,
      to: LoopFacts(eventLoop: state.eventLoop, index: state.index, mark: state.mark))
    initialize(to: state)
  }
}
