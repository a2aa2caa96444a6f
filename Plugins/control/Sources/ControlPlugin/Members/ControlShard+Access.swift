internal import PluginKit

/// An app with what whoever asks is to it.
struct Membership {
  var app: App
  var role: Role
}

extension Membership {
  /// From a row with the columns of both.
  init(_ row: Row) throws {
    app = try row.decode()
    role = try ControlShard.role(try row["role", String.self])
  }
}

extension ControlShard {
  static let unknownApp = Problem.notFound("There is no such app.")

  /// The app that the path names first, if whoever asks is a member of it and may do what is asked for.
  ///
  /// - Throws: `Problem` 404 to a stranger, for whom somebody's app is as good as none; 403 to a member whose role does not
  ///   allow it, which the audit log remembers of changes.
  func membership(_ request: Request, _ permission: Permission) async throws -> Membership {
    try await membership(request, permission, of: try request.parameter(0))
  }

  /// As the other, for an app that was found in another way.
  func membership(
    _ request: Request, _ permission: Permission, of app: String
  ) async throws -> Membership {
    let rows = try await context.store.read(
      """
      SELECT a.id AS id, a.name AS name, a.created_at AS created_at, m.role AS role
      FROM control_apps a JOIN control_members m ON m.app_id = a.id
      WHERE a.id = \(app) AND m.account_id = \(request.principal.id)
        AND a.state = \(Stage.ready)
      """)
    guard let row = rows.first else { throw ControlShard.unknownApp }
    let membership = try Membership(row)
    // One that the gateway has no more can be deleted here, and nothing else.
    if permission != .deleteApp, try context.tenants.plan(of: membership.app.id) == nil {
      throw ControlShard.unknownApp
    }
    guard membership.role >= permission.least else {
      let detail =
        "This needs the role \(permission.least.rawValue); yours is \(membership.role.rawValue)."
      // A look changes nothing, and whoever may not look would else fill the log by looking.
      if permission.isReading { throw Problem.forbidden(detail) }
      try await refuse(request, membership.app, permission.action, detail)
    }
    return membership
  }

  /// The app that the path names first, for whoever may do what is asked for.
  func app(of request: Request, for permission: Permission) async throws -> App {
    try await membership(request, permission).app
  }

  /// How many refusals of one kind to one member the log remembers, and over how many milliseconds they are counted: whoever may do
  /// little must not be able to fill it.
  private static let refusalsRecorded = 10
  private static let refusalsCounted: Int64 = 3_600_000

  /// Refuses a member something, and has the audit log remember it.
  func refuse(
    _ request: Request, _ app: App, _ action: String, target: String? = nil, _ detail: String
  ) async throws -> Never {
    let record = try audit(request, action, of: app.id, target: target, outcome: .refused)
    var batch = Batch()
    batch.isApartFromRequest = true
    batch.add(
      SQL(
        """
        SELECT 1 AS room WHERE (SELECT COUNT(*) FROM control_audit
            WHERE app_id = \(app.id) AND action = \(action)
              AND created_at > \(record.createdAt.adding(milliseconds: -ControlShard.refusalsCounted))
              AND actor = \(record.actor) AND outcome = \(AuditRecord.Outcome.refused.rawValue))
          < \(ControlShard.refusalsRecorded)
        """
      ).expect(exactly: 1))
    do {
      try await commit(batch, record, by: nil)
    } catch StoreError.conflict(statement: 0, _) {
      // The log tells of it already.
    }
    throw Problem.forbidden(detail)
  }

  static func role(_ text: String) throws -> Role {
    guard let role = Role(rawValue: text) else {
      throw HostError(.internal, "\"\(text)\" is no role")
    }
    return role
  }
}
