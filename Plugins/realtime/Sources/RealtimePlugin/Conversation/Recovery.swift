/// What a client missed since a position in a channel, out of pages of the channel's history. Pure.
///
/// It has all of it or it says that it has not: nothing in between.
struct Recovery {
  /// The most publications that are read at once: as a rule all that was missed, so that what one client is given is known before the
  /// next one's is read.
  static let slice = 1_000

  /// The most publications that a client is given.
  let limit: Int
  /// The most that they may have together, in bytes.
  private let bytes: Int
  private(set) var size = 0
  /// The client's epoch; "" where it does not know one.
  private let epoch: String
  private(set) var events: [ChannelEvent] = []
  /// Whether nothing is missing up to `through`.
  private(set) var isComplete = true
  /// The offset up to which the client has everything.
  private(set) var through: UInt64

  init(after offset: UInt64, epoch: String, limit: Int, bytes: Int = .max) {
    self.bytes = bytes
    through = offset
    self.epoch = epoch
    self.limit = limit
  }

  /// A page of what is above `through`, oldest first.
  ///
  /// - Parameters:
  ///   - top: the channel's newest offset when it was read.
  ///   - epoch: the channel's.
  mutating func add(_ page: [ChannelEvent], top: UInt64, epoch: String) {
    guard isComplete else { return }
    guard self.epoch.isEmpty || self.epoch == epoch, through <= top else { return fail() }
    for event in page where event.offset > through {
      size += event.size
      guard event.offset == through + 1, events.count < limit, size <= bytes else { return fail() }
      events.append(event)
      through = event.offset
    }
    // A history that brings nothing although there is more has let go of it.
    if through < top && page.isEmpty { fail() }
  }

  private mutating func fail() {
    isComplete = false
    events = []
  }
}
