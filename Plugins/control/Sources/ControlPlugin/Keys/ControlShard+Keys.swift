internal import PluginKit

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
    let app = try await app(of: request, for: .makeKey)
    let now = try context.clock.now()
    let scopes = form.scopes ?? ["*"]
    try check(scopes)
    if let expiresAt = form.expiresAt, expiresAt <= now {
      throw Problem.invalid(pointer: "/expires_at", "The key would be expired from the start.")
    }
    let pair = try KeyPair(context)
    let draft = try pair.draft(
      app: app.id, name: form.name, scopes: scopes, expiresAt: form.expiresAt, at: now,
      by: changeDesk.owner)
    try await commit(draft, of: app)
    do {
      try await pair.put(of: app.id, scopes: scopes, expiresAt: form.expiresAt, context)
      var batch = Batch()
      batch.add(
        SQL(
          """
          UPDATE control_keys SET state = \(Stage.ready)
          WHERE id = \(pair.id) AND state = \(Stage.creating)
          """
        ).expect(exactly: 1))
      try await self.commit(
        batch,
        try audit(
          request, Permission.makeKey.action, of: app.id, target: pair.id, before: KeyState?.none,
          after: KeyState(name: form.name, scopes: scopes, expiresAt: form.expiresAt)),
        by: Authority(request, .makeKey, of: app))
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

  /// What is asked of `installed`.
  private struct Installed: Decodable {
    var tenants: String
    var scopes: [String]
  }

  /// The scopes that plugins which apps may have ask for, switched on or not: a key outlives that.
  private func knownScopes() throws -> Set<String> {
    let plugins: [Installed] = try context.tenants.installed().decode()
    return Set(plugins.filter { $0.tenants != "platform" }.flatMap(\.scopes))
  }

  /// - Parameter kept: scopes that the key has, which may be given again whoever asked for them.
  func check(_ scopes: [String], kept: [String] = []) throws {
    let known = try knownScopes()
    for (index, scope) in scopes.enumerated() where scope != "*" {
      guard Scope.isValid(scope) else {
        throw Problem.invalid(
          pointer: "/scopes/\(index)",
          "A scope is * or a name such as chat.write: words of a-z 0-9 - _ joined by dots.")
      }
      guard known.contains(scope) || kept.contains(scope) else {
        let names = (["*"] + known.sorted()).joined(separator: ", ")
        throw Problem.invalid(
          pointer: "/scopes/\(index)",
          "No plugin asks for the scope \"\(scope)\". There are \(names).")
      }
    }
  }

  private func commit(_ draft: SQL, of app: App) async throws {
    do {
      // The effect is that the key is ready; a crash before that leaves a draft to `sweep`.
      try await context.store.commit(isApartFromRequest: true) {
        // Also keeps an app that is being deleted from getting keys.
        SQL("SELECT id FROM control_apps WHERE id = \(app.id) AND state = \(Stage.ready)")
          .expect(exactly: 1)
        SQL(
          """
          SELECT 1 AS room WHERE (SELECT COUNT(*) FROM control_keys WHERE app_id = \(app.id))
            < \(settings.keysPerApp)
          """
        ).expect(exactly: 1)
        draft
      }
    } catch StoreError.conflict(statement: 0, _) {
      throw ControlShard.unknownApp
    } catch StoreError.conflict(statement: 1, _) {
      throw Problem(
        status: 403, code: "quota_exceeded",
        detail: "An app has at most \(settings.keysPerApp) keys. Delete one first.")
    }
  }

  /// `GET /v1/apps/{app}/keys`, oldest first.
  func listKeys(_ request: Request) async throws -> Response {
    let app = try await app(of: request, for: .readKeys)
    let limit = request.pageLimit
    let rows = try await context.store.read(
      """
      SELECT \(raw: StoredKey.columns) FROM control_keys
      WHERE app_id = \(app.id) AND state = \(Stage.ready) AND id > \(request.pageStart)
      ORDER BY id LIMIT \(limit + 1)
      """)
    let known = try credentials(of: app.id)
    let now = try context.clock.now()
    let keys: [Key] = try rows.prefix(limit).map { row in
      let stored: StoredKey = try row.decode()
      return stored.shown(known, at: now)
    }
    return try .json(Page(data: keys, next: rows.count > limit ? keys.last?.id : nil))
  }

  /// `GET /v1/apps/{app}/keys/{key}`
  func readKey(_ request: Request) async throws -> Response {
    let app = try await app(of: request, for: .readKeys)
    let stored = try await key(try request.parameter(1), of: app)
    return try .json(
      stored.shown(try credentials(of: app.id), at: try context.clock.now()))
  }

  static let unknownKey = Problem.notFound("The app has no such key.")

  /// The key of that id, if it is the app's.
  func key(_ id: String, of app: App) async throws -> StoredKey {
    let rows = try await context.store.read(
      """
      SELECT \(raw: StoredKey.columns) FROM control_keys
      WHERE id = \(id) AND app_id = \(app.id) AND state = \(Stage.ready)
      """)
    guard let row = rows.first else { throw ControlShard.unknownKey }
    return try row.decode()
  }

  /// What the host knows of the app's credentials, by their ids.
  func credentials(of app: String) throws -> [String: CredentialState] {
    let known = try context.tenants.credentials(of: app) ?? []
    return Dictionary(known.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
  }

  /// Ends a key: first it lets nobody in any more, then nothing remembers it.
  func endKey(_ id: String, of app: String) async throws {
    try await revoke(id, of: app)
    try await context.store.commit(isApartFromRequest: true) {
      SQL("DELETE FROM control_keys WHERE id = \(id)")
    }
  }

  /// Has a key let nobody in any more.
  func revoke(_ id: String, of app: String) async throws {
    let known = try context.tenants.credentials(of: app) ?? []
    for credential in known where credential.id == id || credential.id.hasPrefix(id + ".") {
      try await end(credential.id, of: app)
    }
  }

  /// Ends one of the host's credentials, at once or at a time. It may never have been let in, or be out already.
  func end(_ credential: String, of app: String, at time: Timestamp? = nil) async throws {
    do {
      try await context.tenants.revoke(credential: credential, of: app, at: time)
    } catch let error as HostError where error.status == .notFound {}
  }
}
