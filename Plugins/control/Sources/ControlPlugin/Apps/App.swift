internal import PluginKit

/// An app, as its owner sees it.
struct App: Codable, Identifiable {
  var id: String
  var name: String
  var createdAt: Timestamp
  var plan: String

  enum CodingKeys: String, CodingKey {
    case id, name, plan
    case createdAt = "created_at"
  }
}

/// An app with the origins whose pages may come to it.
struct WholeApp: Encodable {
  var id: String
  var name: String
  var createdAt: Timestamp
  var plan: String
  var allowedOrigins: [String]

  init(_ app: App, allowedOrigins: [String]) {
    id = app.id
    name = app.name
    createdAt = app.createdAt
    plan = app.plan
    self.allowedOrigins = allowedOrigins
  }

  enum CodingKeys: String, CodingKey {
    case id, name, plan
    case createdAt = "created_at"
    case allowedOrigins = "allowed_origins"
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

extension ControlShard {
  static let unknownApp = Problem.notFound("There is no such app.")

  /// The app that the path names, if it belongs to whoever asks. Somebody else's is as good as none.
  func app(of request: Request) async throws -> App {
    let rows = try await context.store.read(
      """
      SELECT id, name, created_at, plan FROM control_apps
      WHERE id = \(try request.parameter(0)) AND account_id = \(request.principal.id)
        AND state = \(Stage.ready)
      """)
    guard let row = rows.first else { throw ControlShard.unknownApp }
    return try row.decode()
  }

  /// The app with what the host keeps of it.
  private func whole(_ app: App) throws -> WholeApp {
    try WholeApp(app, allowedOrigins: context.tenants.origins(of: app.id) ?? [])
  }

  /// `GET /v1/apps`, oldest first.
  func listApps(_ request: Request) async throws -> Response {
    let limit = request.pageLimit
    let rows = try await context.store.read(
      """
      SELECT id, name, created_at, plan FROM control_apps
      WHERE account_id = \(request.principal.id) AND state = \(Stage.ready)
        AND id > \(request.pageStart)
      ORDER BY id LIMIT \(limit + 1)
      """)
    return try .json(try rows.page(of: App.self, limit: limit))
  }

  /// `GET /v1/apps/{app}`
  func readApp(_ request: Request) async throws -> Response {
    try .json(whole(try await app(of: request)))
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
    let id = try request.parameter(0)
    if let origins = change.allowedOrigins {
      // Only of the owner's own app; and what is wrong in them leaves the rest as it was.
      _ = try await app(of: request)
      do {
        try await context.tenants.setOrigins(origins, of: id)
      } catch let error as HostError where error.status == .invalid {
        throw Problem.invalid("allowed_origins: \(error.text)")
      }
    }
    let commit = try await context.store.commit {
      SQL(
        """
        UPDATE control_apps
        SET name = COALESCE(\(change.name), name), updated_at = \(try context.clock.now())
        WHERE id = \(id) AND account_id = \(request.principal.id) AND state = \(Stage.ready)
        RETURNING id, name, created_at, plan
        """)
    }
    guard let row = commit.statements[0].first else { throw ControlShard.unknownApp }
    return try .json(whole(row.decode(App.self)))
  }

  /// `DELETE /v1/apps/{app}`: from the first commit on nobody sees the app; then it ends.
  func deleteApp(_ request: Request) async throws -> Response {
    let id = try request.parameter(0)
    let commit = try await context.store.commit {
      SQL(
        """
        UPDATE control_apps
        SET state = \(Stage.deleting), updated_at = \(try context.clock.now())
        WHERE id = \(id) AND account_id = \(request.principal.id) AND state = \(Stage.ready)
        """)
    }
    guard commit.statements[0].changed == 1 else { throw ControlShard.unknownApp }
    try await endTenant(id)
    return .empty(204)
  }
}
