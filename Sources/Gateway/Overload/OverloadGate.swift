/// Says from samples whether something is over its bound.
///
/// Pure: samples and times are given to it. Between one state and the other lies a gap in value, so that what hovers at the
/// bound does not flap, and a stretch of time, so that one sample alone need not decide.
struct OverloadGate: Sendable {
  /// A sample that is at least this is over; 0 is no bound.
  var bound: Int
  /// Hundredths of the bound: a sample below them is a sign of relief.
  let release: Int
  /// Milliseconds for which every sample must have been over.
  let onset: UInt64
  /// Milliseconds for which every sample must have been a sign of relief.
  let relief: UInt64
  private(set) var isOver = false
  /// When the samples began that speak for the other state.
  private var since: UInt64?

  /// How late a loop is, in milliseconds. A single hiccup is one late sample, or two where it is long; it never sheds.
  static func lag(bound: Int) -> OverloadGate {
    OverloadGate(bound: bound, release: 50, onset: 2000, relief: 3000)
  }

  /// Resident memory in bytes. It does not come and go by itself, and there may be little left: one sample decides.
  static func memory(bound: Int) -> OverloadGate {
    OverloadGate(bound: bound, release: 90, onset: 0, relief: 3000)
  }

  private init(bound: Int, release: Int, onset: UInt64, relief: UInt64) {
    self.bound = bound
    self.release = release
    self.onset = onset
    self.relief = relief
  }

  /// Takes a sample into account.
  ///
  /// - Parameter now: milliseconds of a monotonic clock.
  mutating func take(_ sample: Int, now: UInt64) {
    guard bound > 0 else {
      isOver = false
      since = nil
      return
    }
    guard isOver ? sample < bound * release / 100 : sample >= bound else {
      since = nil
      return
    }
    let began = since ?? now
    since = began
    guard now >= began + (isOver ? relief : onset) else { return }
    isOver.toggle()
    since = nil
  }
}
