public import PluginKit

/// How an app looks, for whoever opens a page of it: name, logo and colours, as `control` has put them.
public struct Branding: Plugin {
  /// There is nothing to set.
  public init(_ context: InstanceContext) throws {}

  /// One for each loop; they share nothing.
  public func makeShard(_ context: ShardContext) throws -> BrandingShard { BrandingShard(context) }
}

/// The plugin on one loop.
public final class BrandingShard: PluginShard {
  private let context: ShardContext

  init(_ context: ShardContext) { self.context = context }

  /// The route that `plugin.json` declares.
  public static func register(_ on: inout Registry<BrandingShard>) {
    on.route("read_branding") { shard, _ in try shard.read() }
  }

  /// `GET /v1/branding`: what was put under the tenant's name for it, which is no secret.
  private func read() throws -> Response {
    let branding = try context.secrets.get("tenant.branding") ?? Array(#"{"colors":{}}"#.utf8)
    return .json(branding).header("cache-control", "public, max-age=60")
  }
}
