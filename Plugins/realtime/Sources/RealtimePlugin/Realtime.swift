public import PluginKit

/// Owns the sockets of an app's users and hands them what is published in their channels.
///
/// Who may do what in a channel is the word of whoever provides `sluice.channel-authority/1` for the channel's
/// namespace; for the namespaces that a tenant's settings describe it is the settings'.
public struct Realtime: Plugin {
  let settings: Settings

  /// - Throws: when the tenant's settings are not those of `plugin.json`.
  public init(_ context: InstanceContext) throws {
    settings = try context.config()
    try settings.check()
    for (name, options) in settings.namespaces {
      try context.namespaces.keep(
        name, size: options.historySize, seconds: options.historySeconds)
    }
  }

  /// One for each loop, with the sockets and subscriptions of that loop.
  public func makeShard(_ context: ShardContext) throws -> RealtimeShard {
    try RealtimeShard(settings, context)
  }
}
