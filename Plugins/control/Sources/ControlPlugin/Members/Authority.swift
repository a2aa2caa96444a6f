internal import PluginKit

/// On whose word a change is made: a member who may make it, found again in the batch that makes it.
///
/// The look at a role comes before the change, and another loop may take the role away in between. So the batch that begins a
/// change, or is it, looks again: either it comes before the role's end, or it changes nothing.
struct Authority {
  let request: Request
  let permission: Permission
  let app: String
  /// The least role that may; above the permission's where the handler has asked for more.
  let least: Role

  init(_ request: Request, _ permission: Permission, of app: App, least: Role? = nil) {
    self.request = request
    self.permission = permission
    self.app = app.id
    self.least = max(permission.least, least ?? .viewer)
  }

  /// Holds while whoever asks is a member who may.
  var statement: SQL {
    let roles = Role.allCases.filter { $0 >= least }.map { "'\($0.rawValue)'" }
    return SQL(
      """
      SELECT m.role FROM control_members m JOIN control_apps a ON a.id = m.app_id
      WHERE m.app_id = \(app) AND m.account_id = \(request.principal.id)
        AND m.role IN (\(raw: roles.joined(separator: ", "))) AND a.state = \(Stage.ready)
      """
    ).expect(exactly: 1)
  }
}

extension ControlShard {
  /// Refuses a change whose maker's role has ended between the look at it and the change.
  ///
  /// - Throws: `Problem` 404 to whoever is no member any more, else 403.
  func refuse(_ authority: Authority) async throws -> Never {
    let now = try await membership(authority.request, authority.permission)
    if now.role < authority.least {
      try await refuse(
        authority.request, now.app, authority.permission.action,
        "This needs the role \(authority.least.rawValue); yours is \(now.role.rawValue).")
    }
    throw Problem.forbidden("Your role in the app was another for a moment. Try again.")
  }
}
