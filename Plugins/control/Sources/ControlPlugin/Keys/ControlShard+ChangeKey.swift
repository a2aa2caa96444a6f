internal import PluginKit

/// Changing and deleting keys, one after another for each key.
extension ControlShard {
  private struct Change: Codable {
    var name: String?
    var scopes: [String]?
  }

  /// What is noted of a change of a key.
  private struct Intent: Codable {
    /// What of it is given; nil where it is deleted or rotated.
    var change: Change?
    /// The host's id of the secret half that a rotation lets in.
    var credential: String?
  }

  /// What has to hold when something of a key is begun.
  func stands(_ key: String) -> Condition {
    (
      SQL("SELECT id FROM control_keys WHERE id = \(key) AND state = \(Stage.ready)")
        .expect(exactly: 1), ControlShard.unknownKey
    )
  }

  /// What is noted of a rotation that lets in a credential.
  func rotationIntent(_ credential: String) throws -> RawJSON {
    try RawJSON(encoding: Intent(credential: credential))
  }

  /// `PATCH /v1/apps/{app}/keys/{key}`: other scopes are in force everywhere when it is answered.
  func changeKey(_ request: Request) async throws -> Response {
    let change = try request.decode(Change.self)
    let app = try await app(of: request, for: .changeKey)
    var stored = try await key(try request.parameter(1), of: app)
    let authority = Authority(request, .changeKey, of: app)
    let record = try audit(request, Permission.changeKey.action, of: app.id, target: stored.id)
    if let scopes = change.scopes {
      try check(scopes, kept: stored.scopes)
      do {
        try await self.change(.key(stored.id), record, by: authority, [stands(stored.id)]) {
          stored = try await key(stored.id, of: app)
          return (
            before: KeyState(stored), intent: try RawJSON(encoding: Intent(change: change))
          )
        } make: {
          try await setScopes(scopes, of: stored.id, app.id)
          stored.scopes = scopes
          stored.name = change.name ?? stored.name
          return KeyState(stored)
        } batch: { _ in
          try changed(stored.id, change)
        }
      } catch StoreError.conflict(statement: 0, _) {
        throw ControlShard.unknownKey
      }
    } else {
      stored = try await rename(stored, to: change.name, of: app, record, authority)
    }
    return try .json(stored.shown(try credentials(of: app.id), at: try context.clock.now()))
  }

  /// The key's row, with the columns that were given.
  private func changed(_ id: String, _ change: Change) throws -> Batch {
    let scopes = try change.scopes.map { try RawJSON(encoding: $0) }
    return Batch {
      SQL(
        """
        UPDATE control_keys SET name = COALESCE(\(change.name), name),
          scopes = COALESCE(\(scopes), scopes)
        WHERE id = \(id) AND state = \(Stage.ready)
        """
      ).expect(exactly: 1)
    }
  }

  /// Gives a key other scopes, with those of its secrets before a rotation that are still good.
  private func setScopes(_ scopes: [String], of key: String, _ app: String) async throws {
    for id in try credentials(of: app).keys.sorted()
    where StoredKey.owns(id, key: key) && id != KeyPair.publicID(key) {
      do {
        try await context.tenants.setScopes(scopes, ofCredential: id, of: app)
      } catch let error as HostError where error.status == .notFound {
        // An old secret that a rotation has ended since.
      }
    }
  }

  /// Gives a key another name, where nobody changes it.
  ///
  /// - Returns: the key as it is then.
  private func rename(
    _ known: StoredKey, to name: String?, of app: App, _ record: AuditRecord,
    _ authority: Authority
  ) async throws -> StoredKey {
    var (former, record) = (known, record)
    for _ in 0..<ControlShard.looks {
      var next = former
      next.name = name ?? former.name
      record.before = try RawJSON(encoding: KeyState(former))
      record.after = try RawJSON(encoding: KeyState(next))
      let scopes = try RawJSON(encoding: former.scopes)
      let batch = Batch {
        SQL(
          """
          UPDATE control_keys SET name = \(next.name)
          WHERE id = \(former.id) AND state = \(Stage.ready) AND name = \(former.name)
            AND scopes = \(scopes)
          """
        ).expect(exactly: 1)
        HostChange.none(of: .key(former.id), of: app.id)
      }
      do {
        try await whenFree(.key(former.id), of: app.id) {
          do {
            try await commit(batch, record, by: authority)
          } catch StoreError.conflict(statement: 1, _) {
            throw Occupied()
          }
        }
        return next
      } catch StoreError.conflict(statement: 0, _) {
        former = try await key(former.id, of: app)
      }
    }
    throw Occupied()
  }

  /// `DELETE /v1/apps/{app}/keys/{key}`: in force everywhere when it is answered.
  func deleteKey(_ request: Request) async throws -> Response {
    let app = try await app(of: request, for: .deleteKey)
    let id = try await key(try request.parameter(1), of: app).id
    let record = try audit(request, Permission.deleteKey.action, of: app.id, target: id)
    do {
      try await change(
        .key(id), record, by: Authority(request, .deleteKey, of: app), [stands(id)]
      ) {
        (
          before: KeyState(try await key(id, of: app)), intent: try RawJSON(encoding: Intent())
        )
      } make: {
        try await revoke(id, of: app.id)
        return KeyState?.none
      } batch: { _ in
        deleted(id)
      }
    } catch StoreError.conflict(statement: 0, _) {
      throw ControlShard.unknownKey
    }
    return .empty(204)
  }

  private func deleted(_ key: String) -> Batch {
    Batch { SQL("DELETE FROM control_keys WHERE id = \(key)").expect(exactly: 1) }
  }

  /// A deletion is finished, a rotation taken back: nobody has its secret. Other scopes are finished where one secret has them.
  func lookAtKey(
    _ id: String, _ change: HostChange, because error: (any Error)?
  ) async throws -> Finding {
    guard let intent: Intent = try change.intent?.decode() else { return .unmade }
    if let credential = intent.credential {
      try await end(credential, of: change.app)
      return .unmade
    }
    guard let given = intent.change else {
      try await revoke(id, of: change.app)
      return .made(after: nil, deleted(id))
    }
    guard let scopes = given.scopes, var state: KeyState = try change.record.before?.decode(),
      try credentials(of: change.app).values.contains(where: {
        StoredKey.owns($0.id, key: id) && $0.id != KeyPair.publicID(id)
          && Set($0.scopes) == Set(scopes)
      })
    else { return .unmade }
    try await setScopes(scopes, of: id, change.app)
    state.scopes = scopes
    state.name = given.name ?? state.name
    return .made(after: try RawJSON(encoding: state), try changed(id, given))
  }
}
