internal import Gateway
internal import Synchronization

/// Sees when one call of a plugin goes on from one look to the next.
///
/// Confined to the control thread, which is also the only one that destroys instances: so an instance seen here is
/// still there.
///
/// `@unchecked Sendable`: its own state belongs to the control thread, the mark is atomic.
final class LoopWatch: @unchecked Sendable {
  private let mark: UnsafeMutablePointer<CallMark>
  private var seen: UInt64 = 0
  private var reported: UInt64 = 0

  init(_ loop: GatewayLoop) { mark = loop.mark }

  /// The call that goes on since the last look, once for each call. [control-thread]
  func overstayed() -> (instance: Instance, function: String)? {
    let now = mark.pointee.step.load(ordering: .acquiring)
    defer { seen = now }
    guard now & 1 == 1, now == seen, now != reported else { return nil }
    reported = now
    guard
      let address = UnsafeRawPointer(bitPattern: mark.pointee.instance.load(ordering: .relaxed)),
      let name = UnsafePointer<CChar>(bitPattern: mark.pointee.function.load(ordering: .relaxed)),
      mark.pointee.step.load(ordering: .acquiring) == now
    else { return nil }
    return (Unmanaged<Instance>.fromOpaque(address).takeUnretainedValue(), String(cString: name))
  }
}
