internal import PluginKit

/// A key, as the app's owner sees it later: never its secret half.
struct Key: Codable, Identifiable {
  var id: String
  var name: String
  /// The public half.
  var key: String
  var scopes: [String]
  var createdAt: Timestamp
  var expiresAt: Timestamp?

  enum CodingKeys: String, CodingKey {
    case id, name, key, scopes
    case createdAt = "created_at"
    case expiresAt = "expires_at"
  }
}

extension ControlShard {
  private struct NewKey: Decodable {
    var name: String
    var scopes: [String]?
    var expiresAt: Timestamp?

    enum CodingKeys: String, CodingKey {
      case name, scopes
      case expiresAt = "expires_at"
    }
  }

  /// A key as it is shown once, with its secret half.
  private struct Answer: Encodable {
    var id: String
    var key: String
    var secret: String
    var name: String
    var scopes: [String]
    var createdAt: Timestamp
    var expiresAt: Timestamp?

    enum CodingKeys: String, CodingKey {
      case id, key, secret, name, scopes
      case createdAt = "created_at"
      case expiresAt = "expires_at"
    }
  }

  /// `POST /v1/apps/{app}/keys`
  func createKey(_ request: Request) async throws -> Response {
    let form = try request.decode(NewKey.self)
    let now = try context.clock.now()
    let scopes = form.scopes ?? ["*"]
    try check(scopes)
    if let expiresAt = form.expiresAt, expiresAt <= now {
      throw Problem.invalid(pointer: "/expires_at", "The key would be expired from the start.")
    }
    let app = try await app(of: request)
    sweepIfDue()
    let pair = try KeyPair(context)
    let draft = try pair.draft(
      app: app.id, name: form.name, scopes: scopes, expiresAt: form.expiresAt, at: now)
    try await commit(draft, of: app)
    do {
      try await pair.put(of: app.id, scopes: scopes, expiresAt: form.expiresAt, context)
      try await context.store.commit {
        SQL(
          """
          UPDATE control_keys SET state = \(Stage.ready)
          WHERE id = \(pair.id) AND state = \(Stage.creating)
          """
        ).expect(exactly: 1)
      }
    } catch {
      context.log.warning("a key could not be made", ["key": pair.id, "error": "\(error)"])
      // If this fails too, `sweep` does it later.
      try? await endKey(pair.id, of: app.id)
      throw error
    }
    return try .secret(
      Answer(
        id: pair.id, key: pair.key, secret: pair.secret, name: form.name, scopes: scopes,
        createdAt: now, expiresAt: form.expiresAt))
  }

  private func check(_ scopes: [String]) throws {
    for (index, scope) in scopes.enumerated() where !Scope.isValid(scope) {
      throw Problem.invalid(
        pointer: "/scopes/\(index)",
        "A scope is * or a name such as chat.write: words of a-z 0-9 - _ joined by dots.")
    }
  }

  private func commit(_ draft: SQL, of app: App) async throws {
    do {
      // The effect is that the key is ready; a crash before that leaves a draft to `sweep`.
      try await context.store.commit(isApartFromRequest: true) {
        // Also keeps an app that is being deleted from getting keys.
        SQL(
          """
          UPDATE control_apps SET updated_at = updated_at
          WHERE id = \(app.id) AND state = \(Stage.ready)
            AND (SELECT COUNT(*) FROM control_keys WHERE app_id = \(app.id))
              < \(settings.keysPerApp)
          """
        ).expect(exactly: 1)
        draft
      }
    } catch StoreError.conflict(statement: 0, _) {
      throw Problem(
        status: 403, code: "quota_exceeded",
        detail: "An app has at most \(settings.keysPerApp) keys. Delete one first.")
    }
  }

  /// `GET /v1/apps/{app}/keys`, oldest first.
  func listKeys(_ request: Request) async throws -> Response {
    let app = try await app(of: request)
    let limit = request.pageLimit
    let rows = try await context.store.read(
      """
      SELECT id, name, key, scopes, created_at, expires_at FROM control_keys
      WHERE app_id = \(app.id) AND state = \(Stage.ready) AND id > \(request.pageStart)
      ORDER BY id LIMIT \(limit + 1)
      """)
    return try .json(try rows.page(of: Key.self, limit: limit))
  }

  /// `DELETE /v1/apps/{app}/keys/{key}`: in force everywhere when it is answered.
  func deleteKey(_ request: Request) async throws -> Response {
    let app = try await app(of: request)
    let id = try request.parameter(1)
    let rows = try await context.store.read(
      """
      SELECT id FROM control_keys
      WHERE id = \(id) AND app_id = \(app.id) AND state = \(Stage.ready)
      """)
    guard !rows.isEmpty else { throw Problem.notFound("The app has no such key.") }
    try await endKey(id, of: app.id)
    return .empty(204)
  }

  /// Ends a key: first it lets nobody in any more, then nothing remembers it.
  func endKey(_ id: String, of app: String) async throws {
    for credential in [id, KeyPair.publicID(id)] {
      do {
        try await context.tenants.revoke(credential: credential, of: app)
      } catch let error as HostError where error.status == .notFound {
        // It was not let in, or is out already.
      }
    }
    try await context.store.commit(isApartFromRequest: true) {
      SQL("DELETE FROM control_keys WHERE id = \(id)")
    }
  }
}
