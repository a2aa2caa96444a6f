public import Synchronization

/// What a loop is doing inside plugins, for a watchdog to look at: which instance, which function, since which step.
///
/// The loop's thread writes it with a few plain stores; any thread may read it.
public struct CallMark: ~Copyable {
  /// Odd while a plugin runs; moves with every call.
  public let step = Atomic<UInt64>(0)
  /// Names the instance: the word that its generation gave for it.
  public let instance = Atomic<UInt>(0)
  /// The address of the function's name, which ends with a zero byte.
  public let function = Atomic<UInt>(0)
  @usableFromInline let depth = Atomic<Int>(0)

  /// No plugin is being called.
  public init() {}

  /// A plugin is about to be called. [loop-thread]
  @inlinable @inline(__always)
  public func enter(_ instance: UInt, _ function: StaticString) {
    let depth = self.depth.load(ordering: .relaxed)
    self.depth.store(depth + 1, ordering: .relaxed)
    guard depth == 0 else { return }
    self.instance.store(instance, ordering: .relaxed)
    self.function.store(UInt(bitPattern: function.utf8Start), ordering: .relaxed)
    step.store(step.load(ordering: .relaxed) &+ 1, ordering: .releasing)
  }

  /// The plugin has returned. [loop-thread]
  @inlinable @inline(__always)
  public func leave() {
    let depth = self.depth.load(ordering: .relaxed) - 1
    self.depth.store(depth, ordering: .relaxed)
    guard depth == 0 else { return }
    step.store(step.load(ordering: .relaxed) &+ 1, ordering: .releasing)
  }

  /// Whether a plugin is being called further up the stack. [loop-thread]
  public var isInside: Bool { depth.load(ordering: .relaxed) > 0 }
}
