internal import PluginKit

/// A channel that connections of this loop listen to: one subscription on the bus, and an audience for each way in
/// which a publication is written.
final class Channel: WheelMember {
  let name: String
  /// Whether it keeps nothing: then its publications have no order to be kept.
  let isEphemeral: Bool
  /// The number under which publications come.
  var number: UInt64 = 0
  var subscription: Subscription?
  var feed = ChannelFeed<ChannelEvent>()
  /// Whether something durable has come since its position was looked at last.
  var isFresh = true
  /// Whether it waits to be looked at.
  var awaitsLook = false
  var wheelSlot: UInt16 = 0
  var wheelIndex: Int32 = -1
  /// Connections that listen or are about to.
  var holders = 0
  /// Plain events, for the unidirectional socket.
  var plain = Audience.nobody
  /// Events under their names on sockets, for `/ws`.
  var named = Audience.nobody
  /// Clients of the protocol.
  var clients = Audience.nobody
  /// What few channels have.
  var extras: Extras?
  /// Who waits for it to be known where the channel stands.
  var waiting: [UnsafeContinuation<Bool, Never>] = []

  final class Extras {
    /// Clients that get differences and have what the next one is made from.
    var delta = Audience.nobody
    /// Clients that will get differences, and need a whole publication first.
    var fresh: [Transport] = []
    /// What the last publication was, while somebody gets differences.
    var base: [UInt8] = []
    /// Clients without an SDK on streams, with the channel's place among theirs.
    var readers: [UInt64: (subscriber: Subscriber, index: Int)] = [:]
    /// Clients that hear who comes and goes.
    var witnesses = Audience.nobody
  }

  init(name: String, isEphemeral: Bool) {
    self.name = name
    self.isEphemeral = isEphemeral
  }

  /// Whether it is known where the channel stands.
  var isPositioned: Bool { isEphemeral || feed.phase == .live || feed.phase == .filling }

  var needed: Extras {
    if let extras { return extras }
    let made = Extras()
    extras = made
    return made
  }

  /// Gives up its audiences.
  func dismiss() {
    plain.end()
    named.end()
    clients.end()
    extras?.delta.end()
    extras?.witnesses.end()
    extras = nil
  }
}
