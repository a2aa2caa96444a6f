internal import Wire

/// The routes of every plugin that is installed, whether or not a tenant has it: asked only where a tenant's own routes
/// have nothing, so that the answer can say why. Immutable, and shared by all loops.
public final class InstalledRoutes: Sendable {
  /// Why a tenant has nothing at a path where some plugin has a route.
  enum Absence: Equatable {
    /// The plugin suits the tenant and is not switched on for it.
    case notEnabled(plugin: String, RouteAuth, takesTokenInQuery: Bool)
    /// The route is for tenants of the other kind, and lets these in.
    case otherKind(RouteAuth, takesTokenInQuery: Bool)
  }

  private let plugins: [String]
  private let platform: RouteTable
  private let apps: RouteTable

  /// Of routes that claim one method and path shape, the first stands.
  ///
  /// - Parameters:
  ///   - plugins: ids; a route's `plugin` is a place among them.
  ///   - platform: what the platform would have with every plugin that suits it.
  ///   - apps: what an app would have.
  public init(
    plugins: [String], platform: [(patterns: [String], route: Route)],
    apps: [(patterns: [String], route: Route)]
  ) {
    self.plugins = plugins
    self.platform = RouteTable(overlapping: platform)
    self.apps = RouteTable(overlapping: apps)
  }

  /// Why a tenant with these plugins has no such route; nil when no plugin has one either.
  ///
  /// - Parameter parameters: room for ``RouteTable/parameterLimit`` spans; its content is lost.
  func absence(
    of method: HTTPMethod, _ path: UnsafeRawBufferPointer, onPlatform: Bool, with enabled: [String],
    parameters: UnsafeMutablePointer<ByteSpan>
  ) -> Absence? {
    let (own, others) = onPlatform ? (platform, apps) : (apps, platform)
    if case .route(let index) = own.match(method, path, parameters: parameters) {
      let route = own.routes[index]
      let plugin = plugins[route.plugin]
      return enabled.contains(plugin)
        ? nil
        : .notEnabled(plugin: plugin, route.auth, takesTokenInQuery: route.takesTokenInQuery)
    }
    guard case .route(let index) = others.match(method, path, parameters: parameters) else {
      return nil
    }
    let route = others.routes[index]
    return .otherKind(route.auth, takesTokenInQuery: route.takesTokenInQuery)
  }

  /// What an app with all plugins has at a path.
  ///
  /// - Parameter parameters: room for ``RouteTable/parameterLimit`` spans.
  func match(
    inApps method: HTTPMethod, _ path: UnsafeRawBufferPointer,
    parameters: UnsafeMutablePointer<ByteSpan>
  ) -> RouteTable.Match {
    apps.match(method, path, parameters: parameters)
  }

  /// The methods that a path has in apps or on the platform, a bit for each.
  ///
  /// - Parameter parameters: room for ``RouteTable/parameterLimit`` spans; its content is lost.
  func methods(
    at path: UnsafeRawBufferPointer, _ parameters: UnsafeMutablePointer<ByteSpan>
  ) -> UInt16 {
    platform.methods(at: path, parameters) | apps.methods(at: path, parameters)
  }
}
