internal import Synchronization

/// What a loop is doing inside plugins, for the watchdog to look at.
///
/// Written by the loop's thread, read by the control thread, which is also the only one that destroys instances: so an
/// instance seen here is still there.
final class LoopWatch: Sendable {
  /// Odd while a plugin runs; moves with every call.
  private let step = Atomic<UInt64>(0)
  private let instance = Atomic<UInt>(0)
  private let function = Atomic<UInt>(0)
  private let depth = Atomic<Int>(0)
  private let seen = Atomic<UInt64>(0)
  private let reported = Atomic<UInt64>(0)

  /// A plugin is about to be called. [loop-thread]
  @inline(__always)
  func enter(_ instance: Instance, _ function: StaticString) {
    let depth = self.depth.load(ordering: .relaxed)
    self.depth.store(depth + 1, ordering: .relaxed)
    guard depth == 0 else { return }
    self.instance.store(
      UInt(bitPattern: Unmanaged.passUnretained(instance).toOpaque()), ordering: .relaxed)
    self.function.store(UInt(bitPattern: function.utf8Start), ordering: .relaxed)
    step.store(step.load(ordering: .relaxed) &+ 1, ordering: .releasing)
  }

  /// The plugin has returned. [loop-thread]
  @inline(__always)
  func leave() {
    let depth = self.depth.load(ordering: .relaxed) - 1
    self.depth.store(depth, ordering: .relaxed)
    guard depth == 0 else { return }
    step.store(step.load(ordering: .relaxed) &+ 1, ordering: .releasing)
  }

  /// Whether a plugin is being called further up the stack. [loop-thread]
  var isInside: Bool { depth.load(ordering: .relaxed) > 0 }

  /// The call that goes on since the last look, once for each call. [control-thread]
  func overstayed() -> (instance: Instance, function: String)? {
    let now = step.load(ordering: .acquiring)
    let last = seen.exchange(now, ordering: .relaxed)
    guard now & 1 == 1, now == last, now != reported.load(ordering: .relaxed) else { return nil }
    reported.store(now, ordering: .relaxed)
    guard let address = UnsafeRawPointer(bitPattern: instance.load(ordering: .relaxed)),
      let name = UnsafePointer<CChar>(bitPattern: function.load(ordering: .relaxed))
    else { return nil }
    return (Unmanaged<Instance>.fromOpaque(address).takeUnretainedValue(), String(cString: name))
  }
}
