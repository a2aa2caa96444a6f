/// A global function with two words of context: what is posted to a loop and to a worker pool.
///
/// It allocates nothing and counts no references. Pass pointers with ``Swift/UInt64/init(address:)``.
public typealias LoopFunction = @convention(c) @Sendable (_ a: UInt64, _ b: UInt64) -> Void

/// A global function with one word of context: what timers and hooks call, on the loop's thread.
public typealias LoopCallback = @convention(c) @Sendable (_ context: UInt64) -> Void

extension UInt64 {
  /// A pointer as a word of context; the receiver turns it back with `init(address:)`.
  @inlinable
  public init(address: UnsafeRawPointer) { self = UInt64(UInt(bitPattern: address)) }
}

extension UnsafeMutableRawPointer {
  /// The pointer that was passed as a word of context. Traps on zero.
  @inlinable
  public init(address: UInt64) { self.init(bitPattern: UInt(address))! }
}

/// A closure on its way through a word of context; whoever calls it consumes it.
final class ClosureBox: Sendable {
  let body: @Sendable () -> Void

  init(_ body: @escaping @Sendable () -> Void) { self.body = body }

  static func retained(_ body: @escaping @Sendable () -> Void) -> UInt64 {
    UInt64(address: Unmanaged.passRetained(ClosureBox(body)).toOpaque())
  }

  static func take(_ context: UInt64) -> ClosureBox {
    Unmanaged<ClosureBox>.fromOpaque(UnsafeMutableRawPointer(address: context))
      .takeRetainedValue()
  }
}

/// Runs a ``ClosureBox`` once and releases it.
func runClosureBox(_ box: UInt64, _: UInt64) { ClosureBox.take(box).body() }
