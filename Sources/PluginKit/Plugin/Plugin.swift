/// A plugin: the instance that serves one tenant.
///
/// One value is made for each tenant that has the plugin switched on. It is immutable and shared by
/// the loops, so it is `Sendable`; what changes lives in its shards.
public protocol Plugin: Sendable {
  /// All mutable state of the plugin on one event loop.
  associatedtype Shard: PluginShard

  /// Reads the tenant's settings. Control thread; may take its time.
  ///
  /// - Throws: `ConfigurationError` to refuse the settings with a reason that reaches whoever changed
  ///   them; any other error is logged and refuses the instance without one.
  init(_ context: InstanceContext) throws

  /// Makes the shard for one event loop, on that loop's thread. Must be quick.
  func makeShard(_ context: ShardContext) throws -> Shard
}

/// The part of a plugin that lives on one event loop, for one tenant.
///
/// A shard is a plain class: only its loop's thread ever touches it, so it needs no locks and is not
/// `Sendable`. Handlers, completions and timers of one shard never run at the same time; between two
/// `await`s nothing else of the shard runs.
public protocol PluginShard: AnyObject {
  /// Names the handlers that the manifest refers to. Called once, when the plugin is loaded.
  static func register(_ on: inout Registry<Self>)

  /// No new requests come; what is in hand goes on until it ends. Loop thread.
  func drain()
}

extension PluginShard {
  /// Does nothing: enough for a shard whose work ends with its connections.
  public func drain() {}
}

/// Why a tenant's settings are refused.
public struct ConfigurationError: Error {
  /// An RFC 6901 JSON pointer into the settings, "" for the whole.
  public let pointer: String
  /// What is wrong, and what would be right.
  public let message: String

  /// - Parameter pointer: an RFC 6901 JSON pointer into the settings, "" for the whole.
  public init(pointer: String, message: String) {
    self.pointer = pointer
    self.message = message
  }
}
