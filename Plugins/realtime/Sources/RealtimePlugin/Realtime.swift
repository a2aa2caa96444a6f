public import PluginKit

/// Owns the sockets of an app's users and hands them what is published in their channels.
///
/// It knows no channel of its own: who may listen is the word of whoever provides
/// `sluice.channel-authority/1` for the channel's namespace.
public struct Realtime: Plugin {
  let settings: Settings

  /// - Throws: when the tenant's settings are not those of `plugin.json`.
  public init(_ context: InstanceContext) throws {
    settings = try context.config()
  }

  /// One for each loop, with the sockets and subscriptions of that loop.
  public func makeShard(_ context: ShardContext) throws -> RealtimeShard {
    try RealtimeShard(settings, context)
  }
}

/// What a tenant may set; `plugin.json` has the bounds.
struct Settings: Decodable, Sendable {
  /// The most channels that one connection may listen to.
  let channelsPerConnection: Int

  private enum CodingKeys: String, CodingKey {
    case channelsPerConnection = "channels_per_connection"
  }

  init(from decoder: any Decoder) throws {
    let settings = try decoder.container(keyedBy: CodingKeys.self)
    channelsPerConnection =
      try settings.decodeIfPresent(Int.self, forKey: .channelsPerConnection) ?? 100
  }
}
