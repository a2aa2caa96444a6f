internal import PluginKit

/// An app, as this plugin's tables know it.
struct App: Codable, Identifiable {
  var id: String
  var name: String
  var createdAt: Timestamp

  enum CodingKeys: String, CodingKey {
    case id, name
    case createdAt = "created_at"
  }
}

/// An app with what whoever asks is to it, as its members see it.
struct ShownApp: Encodable {
  var membership: Membership
  /// The one that the host has it on.
  var plan: String
  /// The origins whose pages may come to it; nil in lists.
  var allowedOrigins: [String]?

  private enum CodingKeys: String, CodingKey {
    case id, name, plan, role
    case createdAt = "created_at"
    case allowedOrigins = "allowed_origins"
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(membership.app.id, forKey: .id)
    try container.encode(membership.app.name, forKey: .name)
    try container.encode(membership.app.createdAt, forKey: .createdAt)
    try container.encode(plan, forKey: .plan)
    try container.encode(membership.role, forKey: .role)
    try container.encodeIfPresent(allowedOrigins, forKey: .allowedOrigins)
  }
}

/// How far an app or a key has come.
///
/// The row is written first and read by clients only when it is `ready`, so a crash on the way leaves a
/// row that says what has to be taken back.
enum Stage {
  static let creating = "creating"
  static let ready = "ready"
  static let deleting = "deleting"
}

/// What of an app the audit log remembers.
struct AppState: Codable {
  /// What the log calls the making of an app.
  static let created = "app.created"

  var name: String
  var allowedOrigins: [String]?
  /// The one that a new app begins on.
  var plan: String?
  /// The fingerprint of a new app's signing secret.
  var signingSecret: String?

  enum CodingKeys: String, CodingKey {
    case name, plan
    case allowedOrigins = "allowed_origins"
    case signingSecret = "signing_secret_fingerprint"
  }
}

extension ControlShard {
  private func origins(of app: App) throws -> [String] {
    try context.tenants.origins(of: app.id) ?? []
  }

  /// An app as it stands in lists; nil when the operator has deleted it.
  func listed(_ membership: Membership) throws -> ShownApp? {
    try context.tenants.plan(of: membership.app.id).map {
      ShownApp(membership: membership, plan: $0)
    }
  }

  /// All of an app.
  private func whole(_ membership: Membership) throws -> ShownApp {
    guard var app = try listed(membership) else { throw ControlShard.unknownApp }
    app.allowedOrigins = try origins(of: membership.app)
    return app
  }

  /// `GET /v1/apps`: those that whoever asks is a member of, oldest first.
  func listApps(_ request: Request) async throws -> Response {
    let limit = request.pageLimit
    let rows = try await context.store.read(
      """
      SELECT a.id AS id, a.name AS name, a.created_at AS created_at, m.role AS role
      FROM control_members m JOIN control_apps a ON a.id = m.app_id
      WHERE m.account_id = \(request.principal.id) AND m.app_id > \(request.pageStart)
        AND a.state = \(Stage.ready)
      ORDER BY m.app_id LIMIT \(limit + 1)
      """)
    let page = try rows.prefix(limit).map { try Membership($0) }
    return try .json(
      Page(
        data: try page.compactMap { try listed($0) },
        next: rows.count > limit ? page.last?.app.id : nil))
  }

  /// `GET /v1/apps/{app}`
  func readApp(_ request: Request) async throws -> Response {
    let membership = try await membership(request, .readApp)
    return try .json(whole(membership))
  }

  private struct Change: Decodable {
    var name: String?
    var allowedOrigins: [String]?

    enum CodingKeys: String, CodingKey {
      case name
      case allowedOrigins = "allowed_origins"
    }
  }

  /// `PATCH /v1/apps/{app}`
  func changeApp(_ request: Request) async throws -> Response {
    let change = try request.decode(Change.self)
    var membership = try await membership(request, .changeApp)
    let app = membership.app
    let authority = Authority(request, .changeApp, of: app)
    let name = change.name ?? app.name
    var batch = Batch()
    batch.add(
      SQL(
        """
        UPDATE control_apps SET name = \(name), updated_at = \(try context.clock.now())
        WHERE id = \(app.id) AND state = \(Stage.ready)
        """
      ).expect(exactly: 1))
    let former = try origins(of: app)
    let record = try audit(
      request, Permission.changeApp.action, of: app.id,
      before: AppState(name: app.name, allowedOrigins: former),
      after: AppState(name: name, allowedOrigins: former))
    do {
      if let origins = change.allowedOrigins {
        try await self.change(record, by: authority, batch) {
          AppState(name: name, allowedOrigins: try self.origins(of: app))
        } _: {
          try await setOrigins(origins, of: app)
        }
      } else {
        try await commit(batch, record, by: authority)
      }
    } catch StoreError.conflict(statement: 0, _) {
      throw ControlShard.unknownApp
    }
    membership.app.name = name
    return try .json(whole(membership))
  }

  private func setOrigins(_ origins: [String], of app: App) async throws {
    do {
      try await context.tenants.setOrigins(origins, of: app.id)
    } catch let error as HostError where error.status == .invalid {
      let faults = HostFault.all(in: error, under: "/allowed_origins")
      throw Problem.invalid(
        "The origins are refused: \(faults.map(\.message).joined(separator: "; "))", errors: faults)
    }
  }

  /// `DELETE /v1/apps/{app}`: from the first commit on nobody sees the app; then it ends.
  func deleteApp(_ request: Request) async throws -> Response {
    let app = try await app(of: request, for: .deleteApp)
    var batch = Batch()
    batch.add(
      SQL(
        """
        UPDATE control_apps
        SET state = \(Stage.deleting), updated_at = \(try context.clock.now())
        WHERE id = \(app.id) AND state = \(Stage.ready)
        """
      ).expect(exactly: 1))
    do {
      try await commit(
        batch,
        try audit(
          request, Permission.deleteApp.action, of: app.id, before: AppState(name: app.name),
          after: AppState?.none), by: Authority(request, .deleteApp, of: app))
    } catch StoreError.conflict(statement: 0, _) {
      throw ControlShard.unknownApp
    }
    try await endTenant(app.id)
    return .empty(204)
  }
}
