import Testing
import Wire

@testable import Gateway

@Suite struct `Routes of plugins that are installed` {
  private static let installed = InstalledRoutes(
    plugins: ["notes", "people", "office"],
    platform: [route(.post, "/sign-up", of: 1, .none), route(.get, "/office", of: 2, .account)],
    apps: [
      route(.get, "/notes/{id}", of: 0, [.user, .key]), route(.get, "/people", of: 1, .key),
      // Another plugin's that an app could have in place of the first.
      route(.get, "/notes/{name}", of: 2, .account),
    ])

  private func absence(
    _ path: String, _ method: HTTPMethod = .get, onPlatform: Bool = false,
    with enabled: [String] = []
  ) -> InstalledRoutes.Absence? {
    withUnsafeTemporaryAllocation(of: ByteSpan.self, capacity: RouteTable.parameterLimit) { spans in
      spans.initialize(repeating: .empty)
      return withBytes(path) {
        Self.installed.absence(
          of: method, $0, onPlatform: onPlatform, with: enabled,
          parameters: spans.baseAddress!)
      }
    }
  }

  @Test func `belong to a plugin that the tenant could switch on`() {
    let notes = InstalledRoutes.Absence.notEnabled(
      plugin: "notes", [.user, .key], takesTokenInQuery: false)
    #expect(absence("/notes/7") == notes)
    #expect(
      absence("/people", with: ["notes"])
        == .notEnabled(plugin: "people", .key, takesTokenInQuery: false))
    #expect(absence("/notes/7", .head) == notes)
  }

  @Test func `are no news of a plugin that is switched on`() {
    #expect(absence("/people", with: ["people"]) == nil)
  }

  @Test func `belong to tenants of the other kind, with whom they let in`() {
    #expect(absence("/office") == .otherKind(.account, takesTokenInQuery: false))
    #expect(
      absence("/notes/7", onPlatform: true) == .otherKind([.user, .key], takesTokenInQuery: false))
    #expect(absence("/sign-up", .post) == .otherKind(.none, takesTokenInQuery: false))
  }

  @Test func `are not there for a path or a method that nobody has`() {
    for path in ["/", "/nowhere", "/notes", "/notes/7/8", ""] { #expect(absence(path) == nil) }
    #expect(absence("/notes/7", .delete) == nil)
    #expect(absence("/sign-up", onPlatform: true) == nil)
  }
}

/// A route of a plugin that lets these in.
private func route(
  _ method: HTTPMethod, _ pattern: String, of plugin: Int, _ auth: RouteAuth
) -> (patterns: [String], route: Route) {
  var (patterns, route) = route(method, pattern)
  route.plugin = plugin
  route.auth = auth
  return (patterns, route)
}
