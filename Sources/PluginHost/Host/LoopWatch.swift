internal import Gateway
internal import Synchronization

/// Sees when one call of a plugin goes on from one look to the next. Confined to the control thread.
///
/// `@unchecked Sendable`: its own state belongs to the control thread, the mark is atomic.
final class LoopWatch: @unchecked Sendable {
  private let mark: UnsafeMutablePointer<CallMark>
  private var seen: UInt64 = 0
  private var reported: UInt64 = 0

  /// - Parameter mark: of the loop that is watched; it lives as long as the process.
  init(_ mark: UnsafeMutablePointer<CallMark>) { self.mark = mark }

  /// The call that goes on since the last look, once for each call: the word for its instance and the function's
  /// name. [control-thread]
  func overstayed() -> (instance: UInt, function: String)? {
    let now = mark.pointee.step.load(ordering: .acquiring)
    defer { seen = now }
    guard now & 1 == 1, now == seen, now != reported else { return nil }
    reported = now
    let instance = mark.pointee.instance.load(ordering: .relaxed)
    let name = UnsafePointer<CChar>(bitPattern: mark.pointee.function.load(ordering: .relaxed))
    // What was read belongs to this call only if the call still goes on.
    guard let name, mark.pointee.step.load(ordering: .acquiring) == now else { return nil }
    return (instance, String(cString: name))
  }
}
