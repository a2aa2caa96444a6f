public import PluginKit

/// The sockets of one event loop and the channels that they listen to.
public final class RealtimeShard: PluginShard {
  let settings: Settings
  let context: ShardContext
  let authority: ChannelAuthority
  let hub: Hub
  var deadlines = Deadlines()
  /// Armed for the first of the deadlines, and not later than in an hour.
  var deadlineTimer: Timer?
  let connections: Metric

  init(_ settings: Settings, _ context: ShardContext) throws {
    self.settings = settings
    self.context = context
    authority = ChannelAuthority(context)
    hub = try Hub(context)
    connections = try context.metrics.gauge("connections", "WebSocket connections that are open.")
  }

  /// The socket and the routes that `plugin.json` declares.
  public static func register(_ on: inout Registry<RealtimeShard>) {
    on.socket(
      "uni_websocket",
      open: { shard, request, connection in try shard.open(request, connection) },
      // The socket goes one way: what a client says on it is read, so that it can close, and ignored.
      message: { _, _, _, _ in },
      closed: { shard, subscriber, _, _ in shard.closed(subscriber) })
    on.publication { shard, number, event in shard.hub.receive(event, number: number) }
    on.route("history", RealtimeShard.history)
  }
}
