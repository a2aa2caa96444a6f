/// One posted call.
struct WorkItem {
  var function: LoopFunction
  var a: UInt64
  var b: UInt64
}

/// A growable FIFO of posted calls in memory of its own; it never shrinks below `keptCapacity`.
///
/// It does no locking.
///
/// `@unchecked Sendable`: it has one owner at a time, a loop's thread or whoever holds the lock around it.
struct WorkQueue: @unchecked Sendable {
  private static let keptCapacity = 4096

  private var items: UnsafeMutablePointer<WorkItem>
  private var capacity: Int
  private var head = 0
  private(set) var end = 0

  init(capacity: Int = 64) {
    items = .allocate(capacity: capacity)
    self.capacity = capacity
  }

  var isEmpty: Bool { head == end }
  var count: Int { end - head }

  mutating func push(_ function: LoopFunction, _ a: UInt64, _ b: UInt64) {
    if end == capacity { makeRoom() }
    (items + end).initialize(to: WorkItem(function: function, a: a, b: b))
    end += 1
  }

  mutating func pop() -> WorkItem? {
    guard head < end else { return nil }
    let item = items[head]
    head += 1
    if head == end {
      head = 0
      end = 0
      if capacity > Self.keptCapacity { resize(to: Self.keptCapacity) }
    }
    return item
  }

  /// Releases the memory, and the closures among the calls that never ran.
  mutating func discard() {
    while let item = pop() {
      let isClosure =
        unsafeBitCast(item.function, to: UInt.self)
        == unsafeBitCast(runClosureBox as LoopFunction, to: UInt.self)
      if isClosure { _ = ClosureBox.take(item.a) }
    }
    items.deallocate()
    capacity = 0
  }

  private mutating func makeRoom() {
    // Moving down what is left beats growing, unless the queue is really more than half full.
    if head > capacity / 2 {
      items.update(from: items + head, count: count)
      end -= head
      head = 0
    } else {
      resize(to: capacity * 2)
    }
  }

  private mutating func resize(to newCapacity: Int) {
    let grown = UnsafeMutablePointer<WorkItem>.allocate(capacity: newCapacity)
    grown.moveInitialize(from: items + head, count: count)
    items.deallocate()
    items = grown
    capacity = newCapacity
    end -= head
    head = 0
  }
}
