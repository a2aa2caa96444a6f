internal import EventLoop

/// Samples the memory of the process for all loops: whichever of them looks first in a second takes the sample.
struct MemoryWatch: Sendable {
  /// Milliseconds between two samples, a little less than loops look again.
  private static let interval: UInt64 = 900
  /// Milliseconds between two times that the owner is told while there is too little.
  private static let reminder: UInt64 = 10_000

  private var gate = OverloadGate.memory(bound: 0)
  private var nextSample: UInt64 = 0
  private var nextReminder: UInt64 = 0

  /// Whether the process has more memory than it should.
  var isOver: Bool { gate.isOver }

  /// Takes a sample if it is time.
  ///
  /// - Parameters:
  ///   - bound: bytes; 0 for no bound.
  ///   - now: milliseconds of the loops' clock.
  ///   - resident: reads the bytes of resident memory.
  /// - Returns: bytes of resident memory when the owner is to be told: the state has changed, or lasts.
  mutating func sample(bound: Int, now: UInt64, _ resident: () -> Int) -> Int? {
    guard now >= nextSample else { return nil }
    nextSample = now + Self.interval
    let before = gate.isOver
    gate.bound = bound
    let bytes = bound > 0 ? resident() : 0
    gate.take(bytes, now: now)
    guard gate.isOver != before || gate.isOver && now >= nextReminder else { return nil }
    nextReminder = now + Self.reminder
    return bytes
  }
}
