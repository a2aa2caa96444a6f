/// Callbacks registered for a loop's life, called in the order of registration.
///
/// An armed callback is one bit of a word, so a tick in which nothing is armed costs one comparison.
struct HookTable {
  static let limit = 64

  struct Hook {
    var function: LoopCallback
    var context: UInt64
  }

  private var hooks: [Hook] = []
  private(set) var armed: UInt64 = 0

  var isQuiet: Bool { armed == 0 }

  /// Returns the bit that arms the callback.
  mutating func add(_ function: LoopCallback, _ context: UInt64) -> UInt64 {
    precondition(hooks.count < Self.limit, "a loop takes at most \(Self.limit) hooks of a kind")
    hooks.append(Hook(function: function, context: context))
    return 1 << UInt64(hooks.count - 1)
  }

  @inline(__always)
  mutating func arm(_ bit: UInt64) { armed |= bit }

  /// The armed bits, which are none afterwards.
  mutating func takeArmed() -> UInt64 {
    defer { armed = 0 }
    return armed
  }

  var count: Int { hooks.count }

  subscript(index: Int) -> Hook { hooks[index] }
}

/// A callback that runs at the end of each tick in which it was armed.
///
/// It is the place to batch: the first piece of work in a tick arms it, and it does all of them at once.
/// [loop-thread] only; valid while its loop lives.
public struct TickHook {
  let core: CorePointer
  let bit: UInt64

  /// Runs the callback once at the end of this tick, before the loop waits for I/O. Idempotent.
  public func arm() { core.pointee.tickHooks.arm(bit) }
}
