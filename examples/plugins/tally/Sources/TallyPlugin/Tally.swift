public import PluginKit

/// Counts the messages of each channel, without knowing anything of the plugin that sends them but its event.
public struct Tally: Plugin {
  /// There are no settings to read.
  public init(_ context: InstanceContext) throws {}

  /// Called once for each loop.
  public func makeShard(_ context: ShardContext) throws -> TallyShard { TallyShard(context) }
}

/// What one loop has of the plugin. Loop thread only.
public final class TallyShard: PluginShard {
  private struct Message: Decodable { var channel: String }

  private struct Row: Codable {
    var channel: String
    var messages: Int
  }

  private struct Page: Encodable { var data: [Row] }

  private let context: ShardContext

  init(_ context: ShardContext) { self.context = context }

  /// The handler and the listener that `plugin.json` names.
  public static func register(_ on: inout Registry<TallyShard>) {
    on.event("chat.message.created") { shard, event in try await shard.count(event) }
    on.route("read", TallyShard.read)
  }

  /// The batch settles its event: count and cursor move together, so each message counts once.
  private func count(_ event: Event) async throws {
    let message = try event.decode(Message.self)
    try await context.store.commit(
      Batch(settling: event) {
        SQL(
          """
          INSERT INTO tally_channels (channel, messages) VALUES (\(message.channel), 1)
          ON CONFLICT (channel) DO UPDATE SET messages = messages + 1
          """)
      })
  }

  private func read(_ request: Request) async throws -> Response {
    let rows = try await context.store.read(
      "SELECT channel, messages FROM tally_channels ORDER BY messages DESC, channel LIMIT 100")
    return try .json(Page(data: try rows.decode(Row.self)))
  }
}
