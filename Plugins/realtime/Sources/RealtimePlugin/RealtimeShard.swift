public import PluginKit

/// The sockets of one event loop and the channels that they listen to.
public final class RealtimeShard: PluginShard {
  let settings: Settings
  let context: ShardContext
  let authority: ChannelAuthority
  let rules: ChannelRules
  let credentials: Credentials
  let writer: EventWriter
  let histories: HistoryReads
  let hub: Hub
  private(set) var link: ShardLink!
  /// Every open unidirectional connection by its token, also those that have not been let in yet.
  var subscribers: [UInt64: Subscriber] = [:]
  /// Streams that are not among them yet.
  var openings: [ObjectIdentifier: Opening] = [:]
  var deadlines = Deadlines()
  /// Armed for the first of the deadlines, and not later than in an hour.
  var deadlineTimer: Timer?
  /// Every open connection of the protocol.
  var wheel: PingWheel<Client>
  /// Every open unidirectional connection that is a stream.
  var readers: PingWheel<Subscriber>
  /// Runs while there are connections.
  var ticker: Timer?
  /// Connections whose commands come beside them, by what only their clients know.
  var sessions: [String: Client] = [:]
  /// Channels whose listeners are about to be told that they cannot go on with them; kept, so that none is taken for another.
  var losses: [ObjectIdentifier: (channel: Channel, isGap: Bool)] = [:]
  /// Clients that keep replies until the end of this turn of the loop; one may be there twice.
  var answered: [Client] = []
  /// Whether no more streams begin here.
  var isDraining = false
  let connections: Metric
  let refusals: Metric
  let nonsense: Metric
  let slowStreams: Metric

  init(_ settings: Settings, _ context: ShardContext) throws {
    self.settings = settings
    self.context = context
    authority = ChannelAuthority(context)
    credentials = Credentials(context: context)
    rules = ChannelRules(namespaces: settings.namespaces)
    writer = EventWriter(context)
    histories = HistoryReads(context.history)
    hub = try Hub(context, writer, histories, interval: settings.positionInterval)
    wheel = PingWheel(interval: settings.pingInterval)
    readers = PingWheel(interval: settings.pingInterval)
    refusals = try context.metrics.counter(
      "refused_commands_total",
      "Commands refused or dropped because too many of their connection's were under way.")
    nonsense = try context.metrics.counter(
      "nonsense_closed_total", "Connections closed for saying too much that makes no sense.")
    connections = try context.metrics.gauge(
      "connections", "Connections of clients that are open, sockets and streams.")
    slowStreams = try context.metrics.counter(
      "slow_streams_total", "Streams that were closed because their clients did not read.")
    link = ShardLink(context) { [unowned self] question in answer(question) }
    hub.onLoss = { [unowned self] channel, isGap in lose(channel, isGap: isGap) }
  }

  /// Tells clients of sockets where they want to hear of it, and ends streams, which have no end of their own.
  public func drain() {
    // Whoever is not to come back is told so by the code alone.
    guard !context.isLeaving else { return endStreams(.disabled) }
    warnOfEnd()
    endStreams(.shutdown)
  }

  /// The sockets and the routes that `plugin.json` declares.
  public static func register(_ on: inout Registry<RealtimeShard>) {
    on.socket(
      "websocket",
      open: { shard, request, connection in try shard.open(client: request, connection) },
      message: { shard, client, _, message in
        shard.received(Array(message.bytes), from: client)
      },
      closed: { shard, client, _, _ in shard.closed(client: client) })
    on.credential(ofSocket: "websocket", .connect)
    on.socket(
      "ws",
      open: { shard, request, connection in try shard.open(plain: request, connection) },
      message: { shard, client, _, message in shard.received(plain: message, from: client) },
      closed: { shard, client, _, _ in shard.closed(client: client) })
    on.credential(ofSocket: "ws", .auth)
    on.socket(
      "uni_websocket",
      open: { shard, request, connection in try shard.open(request, connection) },
      // The socket goes one way: what a client says on it is read, so that it can close, and ignored.
      message: { _, _, _, _ in },
      closed: { shard, subscriber, _, _ in shard.closed(subscriber) })
    on.credential(ofSocket: "uni_websocket", .listener)
    on.publication { shard, number, event in
      if number == ShardLink.number || number == ShardLink.ownNumber {
        shard.link.receive(Array(event.data))
      } else if number == ShardLink.usersNumber {
        shard.closeRevoked(Array(event.data), at: event.time)
      } else if number == ShardLink.identitiesNumber {
        shard.endIdentities(Array(event.data), at: event.time)
      } else if number == ShardLink.subscriptionsNumber {
        shard.endSubscriptions(Array(event.data))
      } else {
        shard.hub.receive(event, number: number)
      }
    }
    on.route("sse", RealtimeShard.openEvents)
    on.credential(ofRoute: "sse", .connect(.sse))
    on.route("http_stream", RealtimeShard.openLines)
    on.credential(ofRoute: "http_stream", .connect(.httpStream))
    on.route("emulation", RealtimeShard.emulate)
    on.credential(ofRoute: "emulation", .node)
    on.route("uni_sse", RealtimeShard.openPlainEvents)
    on.route("history", RealtimeShard.history)
    on.route("publish", RealtimeShard.publish)
    on.route("broadcast", RealtimeShard.broadcast)
    on.route("presence", RealtimeShard.presence)
    on.route("presence_stats", RealtimeShard.presenceStats)
    on.route("disconnect", RealtimeShard.disconnect)
    on.route("connections", RealtimeShard.connections)
  }
}
