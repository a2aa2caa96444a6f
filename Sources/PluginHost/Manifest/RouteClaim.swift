/// A method and a path that a plugin wants for itself.
struct RouteClaim: Sendable {
  var plugin: PluginManifest
  /// The tenants for which it is claimed, among those of the plugin.
  var tenants: TenantScope
  var method: RouteMethod
  var pattern: PathPattern
  /// Where the pattern stands in the manifest.
  var pointer: String

  /// What two claims must not have in common: on one kind of tenant a method and a path are one plugin's.
  private var keys: [String] {
    TenantKind.allCases.filter { plugin.tenants.includes($0) && tenants.includes($0) }.map {
      "\($0.rawValue) \(method.rawValue) \(pattern.shape)"
    }
  }

  /// A claim that came second, and why it is refused.
  struct Conflict: Sendable {
    var plugin: PluginManifest
    var pointer: String
    var message: String
    /// Where the earlier claim stands.
    var rival: String
  }

  /// The claims that meet an earlier one.
  static func conflicts(among claims: [RouteClaim]) -> [Conflict] {
    var first: [String: RouteClaim] = [:]
    var conflicts: [Conflict] = []
    for claim in claims {
      guard let earlier = claim.keys.lazy.compactMap({ first[$0] }).first else {
        for key in claim.keys { first[key] = claim }
        continue
      }
      let same = claim.pattern == earlier.pattern ? "" : " as \(earlier.pattern)"
      conflicts.append(
        Conflict(
          plugin: claim.plugin, pointer: claim.pointer,
          message: "\(claim.method.rawValue) \(claim.pattern) is claimed\(same) by "
            + "plugin \"\(earlier.plugin.id)\" too",
          rival: earlier.plugin.place(of: earlier.pointer)))
    }
    return conflicts
  }
}

extension PluginManifest {
  /// Everything that the manifest claims, aliases and sockets too.
  var claims: [RouteClaim] {
    var claims: [RouteClaim] = []
    for route in routes {
      claims.append(claim(route.tenants, route.method, route.path, at: "\(route.pointer)/path"))
      for (index, alias) in route.aliases.enumerated() {
        claims.append(
          claim(route.tenants, route.method, alias, at: "\(route.pointer)/aliases/\(index)"))
      }
    }
    for socket in sockets {
      claims.append(claim(.both, .get, socket.path, at: "\(socket.pointer)/path"))
    }
    return claims
  }

  private func claim(
    _ tenants: TenantScope, _ method: RouteMethod, _ pattern: PathPattern, at pointer: String
  ) -> RouteClaim {
    RouteClaim(plugin: self, tenants: tenants, method: method, pattern: pattern, pointer: pointer)
  }
}
