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
  private func origins(of app: String) throws -> [String] {
    try context.tenants.origins(of: app) ?? []
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
    app.allowedOrigins = try origins(of: membership.app.id)
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

  private struct Change: Codable {
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
    let authority = Authority(request, .changeApp, of: membership.app)
    let id = membership.app.id
    let record = try audit(request, Permission.changeApp.action, of: id)
    do {
      guard let origins = change.allowedOrigins else {
        membership.app.name = try await rename(id, to: change.name, record, authority)
        return try .json(whole(membership))
      }
      var former = membership.app
      let after = try await self.change(.app, record, by: authority) {
        former = try await app(id)
        return (before: try state(of: former), intent: try RawJSON(encoding: change))
      } make: {
        try await setOrigins(origins, of: former)
        return AppState(name: change.name ?? former.name, allowedOrigins: try self.origins(of: id))
      } batch: { after in
        try changed(id, name: change.name)
      }
      membership.app.name = after?.name ?? former.name
    } catch StoreError.conflict(statement: 0, _) {
      throw ControlShard.unknownApp
    }
    return try .json(whole(membership))
  }

  /// The app's row, with the columns that were given.
  private func changed(_ id: String, name: String?) throws -> Batch {
    let now = try context.clock.now()
    return Batch {
      SQL(
        """
        UPDATE control_apps SET name = COALESCE(\(name), name), updated_at = \(now)
        WHERE id = \(id) AND state = \(Stage.ready)
        """
      ).expect(exactly: 1)
    }
  }

  /// How often a change that is this database's alone looks again at what was before, at most.
  static let looks = 64

  /// Gives an app another name, where nobody changes it.
  ///
  /// - Returns: the name that it has.
  private func rename(
    _ id: String, to name: String?, _ record: AuditRecord, _ authority: Authority
  ) async throws -> String {
    var record = record
    for _ in 0..<ControlShard.looks {
      let rows = try await context.store.read(
        "SELECT COALESCE(MAX(seq), 0) AS seq FROM control_audit WHERE app_id = \(id)")
      let seen = try rows.first?["seq", Int64.self] ?? 0
      let former = try await app(id)
      let next = name ?? former.name
      record.before = try RawJSON(encoding: state(of: former))
      record.after = try RawJSON(encoding: AppState(name: next, allowedOrigins: origins(of: id)))
      var batch = try changed(id, name: next)
      batch.add(HostChange.none(of: .app, of: id))
      batch.add(
        // What was before is in no row, but what changes it is in the log.
        SQL(
          """
          SELECT 1 AS same WHERE \(seen) = (
            SELECT COALESCE(MAX(seq), 0) FROM control_audit WHERE app_id = \(id))
          """
        ).expect(exactly: 1))
      do {
        try await whenFree(.app, of: id) {
          do {
            try await commit(batch, record, by: authority)
          } catch StoreError.conflict(statement: 1, _) {
            throw Occupied()
          }
        }
        return next
      } catch StoreError.conflict(statement: 2, _) {
        continue
      }
    }
    throw Occupied()
  }

  /// An app's origins are in force when the gateway has them.
  func lookAtOrigins(_ change: HostChange) throws -> Finding {
    guard let intent: Change = try change.intent?.decode(), let origins = intent.allowedOrigins,
      let before: AppState = try change.record.before?.decode(),
      try context.tenants.origins(of: change.app) == origins
    else { return .unmade }
    let after = AppState(name: intent.name ?? before.name, allowedOrigins: origins)
    return .made(
      after: try RawJSON(encoding: after), try changed(change.app, name: intent.name))
  }

  private func state(of app: App) throws -> AppState {
    AppState(name: app.name, allowedOrigins: try origins(of: app.id))
  }

  /// An app's row, whoever asks.
  private func app(_ id: String) async throws -> App {
    let rows = try await context.store.read(
      """
      SELECT id, name, created_at FROM control_apps
      WHERE id = \(id) AND state = \(Stage.ready)
      """)
    guard let row = rows.first else { throw ControlShard.unknownApp }
    return try row.decode()
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
