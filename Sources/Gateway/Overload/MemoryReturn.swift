/// Says when it is worth giving the machine back what the process has freed and still holds.
///
/// The allocator keeps what is freed. In steady work that is used again at once; after a rush, when all clients have come
/// back together or have left, it is much and of no use. Pure: samples and times are given to it.
struct MemoryReturn: Sendable {
  /// Milliseconds between two looks, and so between two returns.
  static let interval: UInt64 = 10_000
  /// Bytes by which resident memory must have grown since the last return.
  static let growth = 16 << 20
  /// Connections that must have left since the last look; and they must have been a quarter of all.
  static let departure = 100

  private var nextLook: UInt64 = 0
  /// As it stood after the last return; nil until there is a sample since.
  private var resident: Int?
  private var connections = 0

  /// Whether it is time.
  ///
  /// - Parameters:
  ///   - connections: open now.
  ///   - now: milliseconds of a monotonic clock.
  ///   - memory: reads the bytes of resident memory; called seldom.
  mutating func isDue(connections: Int, now: UInt64, _ memory: () -> Int) -> Bool {
    guard now >= nextLook else { return false }
    nextLook = now + Self.interval
    let sample = memory()
    let haveLeft = self.connections - connections
    let isEmptier = haveLeft >= Self.departure && haveLeft * 4 >= self.connections
    self.connections = connections
    guard let floor = resident else {
      resident = isEmptier ? nil : sample
      return isEmptier
    }
    guard isEmptier || sample >= floor + Self.growth else { return false }
    resident = nil
    return true
  }
}
