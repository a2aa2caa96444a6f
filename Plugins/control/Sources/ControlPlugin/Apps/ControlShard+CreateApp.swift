internal import PluginKit

extension ControlShard {
  private struct NewApp: Decodable {
    var name: String
  }

  /// A new app with its secrets, which are shown this once.
  private struct Answer: Encodable {
    var id: String
    var name: String
    var createdAt: Timestamp
    var plan: String
    var signingSecret: String
    var keys: [KeyPair]

    enum CodingKeys: String, CodingKey {
      case id, name, plan, keys
      case createdAt = "created_at"
      case signingSecret = "signing_secret"
    }
  }

  /// `POST /v1/apps`
  ///
  /// The app's row is committed as `creating`, the tenant made, its secret and key put, then the row is
  /// `ready`. What fails on the way is taken back here; what a crash leaves, by `sweep`. Only the batch that makes the app
  /// ready is the request's effect: a client that asks again after a crash before it gets an app.
  func createApp(_ request: Request) async throws -> Response {
    let form = try request.decode(NewApp.self)
    let now = try context.clock.now()
    let app = App(id: try context.id.make("app"), name: form.name, createdAt: now)
    let key = try KeyPair(context)
    let secret = try KeyText.signingSecret(context)
    try await commitDraft(
      of: app, owner: request.principal.id, key, request)
    try await createTenant(app.id)
    do {
      try await context.tenants.putSecret(
        ControlShard.signingName, Array(secret.text.utf8), of: app.id)
      try await key.put(of: app.id, scopes: ["*"], expiresAt: nil, context)
      var batch = Batch()
      batch.add(
        SQL(
          """
          UPDATE control_apps SET state = \(Stage.ready)
          WHERE id = \(app.id) AND state = \(Stage.creating)
          """
        ).expect(exactly: 1))
      batch.add(
        SQL("UPDATE control_keys SET state = \(Stage.ready) WHERE id = \(key.id)")
          .expect(exactly: 1))
      try await commit(
        batch,
        try audit(
          request, AppState.created, of: app.id, target: key.id, before: AppState?.none,
          after: AppState(
            name: app.name, plan: settings.plan, signingSecret: secret.fingerprint)), by: nil)
    } catch {
      await takeBack(app.id, because: error)
      throw error
    }
    return try .secret(
      Answer(
        id: app.id, name: app.name, createdAt: app.createdAt, plan: settings.plan,
        signingSecret: secret.text, keys: [key]))
  }

  /// Of the plan the row has what the app begins with, which nobody reads: the host knows on which it is.
  private func commitDraft(
    of app: App, owner: String, _ key: KeyPair, _ request: Request
  ) async throws {
    do {
      try await context.store.commit(isApartFromRequest: true) {
        SQL(
          """
          INSERT INTO control_apps
            (id, account_id, name, plan, state, created_at, updated_at, owner)
          SELECT \(app.id), \(owner), \(app.name), \(settings.plan), \(Stage.creating),
            \(app.createdAt), \(app.createdAt), \(changeDesk.owner)
          WHERE (SELECT COUNT(*) FROM control_members
              WHERE account_id = \(owner) AND role = \(Role.owner.rawValue))
            < \(settings.appsPerAccount)
          """
        ).expect(exactly: 1)
        SQL(
          """
          INSERT INTO control_members (app_id, account_id, role, created_at)
          VALUES (\(app.id), \(owner), \(Role.owner.rawValue), \(app.createdAt))
          """)
        try key.draft(
          app: app.id, name: "default", scopes: ["*"], expiresAt: nil, at: app.createdAt,
          by: changeDesk.owner)
        ControlShard.stays(owner)
        ControlShard.remembering(request, of: app, owner: owner)
        ControlShard.forgettingRequests(before: app.createdAt)
      }
    } catch StoreError.conflict(statement: 3, _) {
      throw ControlShard.departing
    } catch StoreError.conflict(statement: 0, _) {
      throw ownsEnough
    }
  }

  private func createTenant(_ id: String) async throws {
    do {
      try await context.tenants.create(id, plan: settings.plan)
    } catch let error as HostError where error.status == .conflict {
      // The tenant that has the id is not this app's, and stays.
      try await forget(id)
      throw error
    } catch {
      await takeBack(id, because: error)
      guard let refusal = error as? HostError, refusal.status == .limited else { throw error }
      throw Problem(status: 403, code: "quota_exceeded", detail: refusal.text)
    }
  }

  /// Undoes a creation that failed. If that fails too, `sweep` does it later.
  private func takeBack(_ app: String, because error: any Error) async {
    context.log.warning("an app could not be made", ["app": app, "error": "\(error)"])
    do {
      try await context.store.commit(isApartFromRequest: true) {
        SQL(
          """
          UPDATE control_apps SET state = \(Stage.deleting)
          WHERE id = \(app) AND state <> \(Stage.ready)
          """
        ).expect(exactly: 1)
      }
      try await endTenant(app)
    } catch {
      context.log.warning(
        "what was made of the app is taken back later", ["app": app, "error": "\(error)"])
    }
  }
}

extension Response {
  /// Something that nobody on the way may keep.
  static func secret<Value: Encodable>(_ value: Value, status: Int = 201) throws -> Response {
    try .json(value, status: status).header("cache-control", "no-store")
  }
}
