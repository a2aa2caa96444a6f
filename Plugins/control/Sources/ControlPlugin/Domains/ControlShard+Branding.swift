internal import PluginKit

/// How an app looks.
struct Branding: Codable {
  var name: String?
  var logoURL: String?
  /// `#rrggbb` by what they are for.
  var colors: [String: String]

  enum CodingKeys: String, CodingKey {
    case name, colors
    case logoURL = "logo_url"
  }
}

extension ControlShard {
  /// Where `GET /v1/branding` of the app finds it.
  private static let publicName = "tenant.branding"

  /// `GET /v1/apps/{app}/branding`
  func readBranding(_ request: Request) async throws -> Response {
    let app = try await app(of: request, for: .readBranding)
    return try .json(try await branding(of: app) ?? Branding(colors: [:]))
  }

  private struct Change: Decodable {
    var name: String?
    var logoURL: String?
    var colors: [String: String]?

    enum CodingKeys: String, CodingKey {
      case name, colors
      case logoURL = "logo_url"
    }
  }

  /// `PUT /v1/apps/{app}/branding`: replaces all of it; the app's pages see it when it is answered.
  func putBranding(_ request: Request) async throws -> Response {
    let form = try request.decode(Change.self)
    let app = try await app(of: request, for: .changeBranding)
    let branding = Branding(name: form.name, logoURL: form.logoURL, colors: form.colors ?? [:])
    for name in branding.colors.keys.sorted() where !Scope.isWord(name[...]) || name.utf8.count > 32
    {
      throw Problem.invalid(
        pointer: "/colors/" + name.replacing("~", with: "~0").replacing("/", with: "~1"),
        "A colour is called by up to 32 of a-z 0-9 - _, a letter first.")
    }
    let text = try RawJSON(encoding: branding)
    let record = try audit(request, Permission.changeBranding.action, of: app.id)
    do {
      try await change(.branding, record, by: Authority(request, .changeBranding, of: app)) {
        (before: try await self.branding(of: app), intent: text)
      } make: {
        try await context.tenants.putSecret(ControlShard.publicName, text.bytes, of: app.id)
        return branding
      } batch: { _ in
        try branded(text, of: app.id)
      }
    } catch StoreError.conflict(statement: 0, _) {
      throw ControlShard.unknownApp
    }
    return try .json(branding)
  }

  /// Notes how an app looks.
  private func branded(_ text: RawJSON, of app: String) throws -> Batch {
    let now = try context.clock.now()
    return Batch {
      SQL(
        """
        INSERT INTO control_branding (app_id, branding, updated_at)
        SELECT id, \(text), \(now) FROM control_apps WHERE id = \(app) AND state = \(Stage.ready)
        ON CONFLICT (app_id) DO UPDATE SET branding = excluded.branding,
          updated_at = excluded.updated_at
        """
      ).expect(exactly: 1)
    }
  }

  /// The gateway does not tell how an app looks, so it is told again: how it was, where whoever asked was told of a failure, else how it is to be.
  func lookAtBranding(_ change: HostChange, because error: (any Error)?) async throws -> Finding {
    guard error == nil, let text = change.intent else {
      try await context.tenants.putSecret(
        ControlShard.publicName, change.record.before?.bytes, of: change.app)
      return .unmade
    }
    try await context.tenants.putSecret(ControlShard.publicName, text.bytes, of: change.app)
    return .made(after: text, try branded(text, of: change.app))
  }

  private func branding(of app: App) async throws -> Branding? {
    let rows = try await context.store.read(
      "SELECT branding FROM control_branding WHERE app_id = \(app.id)")
    return try rows.first.map { row in
      try JSON.decode(Branding.self, from: Array(try row["branding", String.self].utf8))
    }
  }
}
