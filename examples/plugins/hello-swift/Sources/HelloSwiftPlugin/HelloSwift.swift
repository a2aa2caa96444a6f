public import PluginKit

/// The smallest plugin: one answer, given in the two ways a handler can give it.
public struct HelloSwift: Plugin {
  /// There are no settings to read.
  public init(_ context: InstanceContext) throws {}

  /// Called once for each loop.
  public func makeShard(_ context: ShardContext) throws -> HelloSwiftShard {
    HelloSwiftShard()
  }
}

/// What one loop has of the plugin. Loop thread only.
public final class HelloSwiftShard: PluginShard {
  /// The handlers that `plugin.json` names.
  public static func register(_ on: inout Registry<HelloSwiftShard>) {
    // Synchronous: called, answered, done.
    on.route("hello") { _, _ in .json(#"{"message":"hello, world"}"#) }
    // Asynchronous: a task on the loop, for handlers that have something to wait for.
    on.route("hello_async", HelloSwiftShard.helloAsync)
  }

  private func helloAsync(_ request: Request) async throws -> Response {
    .json(#"{"message":"hello, world"}"#)
  }
}
