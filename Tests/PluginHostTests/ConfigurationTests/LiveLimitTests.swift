import PluginHost
import Testing

@testable import Gateway
@testable import PluginHost

@Suite struct `Limits that a reload puts in force` {
  /// What loops know of the limits: with one of them changed, or none.
  private func settings(_ limit: Limit? = nil) throws -> GatewaySettings {
    var configuration = SluiceConfiguration.default(
      dataDirectory: "data", listen: [], pluginFolders: [])
    if let limit {
      let range = limit.range
      configuration.limits[limit] =
        limit.standard < range.upperBound ? limit.standard + 1 : limit.standard - 1
    }
    return GatewaySettings(configuration)
  }

  /// Kept for each tenant, not for each loop.
  private static let ofTenants: Set<String> = ["requests_per_second", "websocket_message_bytes"]

  @Test(arguments: Limit.all)
  func `are all that say so, and no other`(limit: Limit) throws {
    let (former, next) = (try settings(), try settings(limit))
    guard !Self.ofTenants.contains(limit.name) else {
      #expect(limit.isLive && former == next)
      return
    }
    #expect(former != next, "no loop knows of it")
    #expect(former.adopting(next) == (limit.isLive ? next : former))
  }
}
