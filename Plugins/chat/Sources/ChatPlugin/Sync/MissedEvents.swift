internal import PluginKit

/// What a client missed since a place in a channel, out of pages of the channel's history. Pure.
///
/// Nothing is missing in it, or it says that it is lost: nothing in between.
struct MissedEvents {
  /// What an answer has room for, over all its channels.
  struct Room {
    /// The most bytes of events.
    static let bytes = 4 << 20
    /// The most events that are read at a time, since each may be large.
    static let page = 200

    private(set) var events: Int
    private(set) var bytes = Self.bytes

    init(events: Int) { self.events = events }

    var isUsedUp: Bool { events <= 0 || bytes <= 0 }
    /// How many events are to be read next.
    var page: Int { min(events, Self.page) }

    fileprivate mutating func take(_ count: Int) {
      events -= 1
      bytes -= count
    }
  }

  private let channel: ChannelAddress
  /// The channel's newest offset, as far as it is known.
  private(set) var top: UInt64
  private(set) var epoch: String
  /// Up to where the client has everything.
  private(set) var through: UInt64
  private(set) var isLost = false
  /// Whether there was nothing behind `through` when it was looked.
  private(set) var isDone = false
  private var bytes: [UInt8] = []

  init(of channel: ChannelAddress, after offset: UInt64, epoch: String) {
    self.channel = channel
    through = offset
    top = offset
    self.epoch = epoch
  }

  /// The events as a list.
  var json: RawJSON { RawJSON(unchecked: Array("[".utf8) + bytes + Array("]".utf8)) }

  /// A page of what is above `through`, oldest first. What there is no room for is left to another answer.
  mutating func add(_ page: History, _ room: inout Room) {
    top = page.topOffset
    guard page.epoch == epoch, through <= page.topOffset else { return lose(page) }
    for event in page.entries {
      guard event.offset == through + 1 else { return lose(page) }
      guard !room.isUsedUp else { return }
      let count = bytes.count
      append(event)
      room.take(bytes.count - count)
      through = event.offset
    }
    if through == page.topOffset {
      isDone = true
    } else if page.entries.isEmpty {
      // There is more, and the history has let go of it.
      lose(page)
    }
  }

  private mutating func lose(_ page: History) {
    isLost = true
    isDone = true
    bytes = []
    epoch = page.epoch
  }

  /// As sockets show it. None of the names needs escaping.
  private mutating func append(_ event: History.Entry) {
    if !bytes.isEmpty { bytes.append(UInt8(ascii: ",")) }
    bytes.append(
      contentsOf: #"{"type":"\#(event.type)","id":"\#(event.id)","time":"\#(event.time.rfc3339)","#
        .utf8)
    bytes.append(
      contentsOf: #""channel":"\#(channel.realTimeName)","offset":\#(event.offset),"data":"#.utf8)
    bytes.append(contentsOf: event.data.bytes)
    bytes.append(UInt8(ascii: "}"))
  }
}
