internal import PluginKit

/// A channel that connections of this loop listen to: one subscription on the bus, one group.
final class Channel {
  let name: String
  let group: Group
  /// The number under which publications come.
  var number: UInt64 = 0
  var subscription: Subscription?
  var feed = ChannelFeed<[UInt8]>()
  /// Connections that listen or are about to.
  var holders = 0
  /// Connections that want to know where the channel stands.
  var waiting: [Subscriber] = []

  init(name: String, group: Group) {
    self.name = name
    self.group = group
  }

  /// Whether it is known where the channel stands.
  var isPositioned: Bool { feed.phase == .live || feed.phase == .filling }
}
