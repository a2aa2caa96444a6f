internal import PluginKit

extension ControlShard {
  /// A key with its new secret half, which is shown this once.
  private struct Answer: Encodable {
    var id: String
    var key: String
    var secret: String
    var name: String
    var scopes: [String]
    var createdAt: Timestamp
    var expiresAt: Timestamp?
    var rotatedAt: Timestamp
    var previousExpiresAt: Timestamp

    enum CodingKeys: String, CodingKey {
      case id, key, secret, name, scopes
      case createdAt = "created_at"
      case expiresAt = "expires_at"
      case rotatedAt = "rotated_at"
      case previousExpiresAt = "previous_expires_at"
    }
  }

  /// Secret halves of one key that are good at the same time, at most, but for the moment of a rotation that ends all others.
  private static let goodSecrets = 5

  /// `POST /v1/apps/{app}/keys/{key}/rotate`
  ///
  /// The id of the new secret half is noted first, then it is let in, then committed as the key's; last the host is told when the
  /// old ones end. A crash before the commit leaves a secret that nobody has, which is taken back; one after it old secrets
  /// that the host does not end, which it is told by the next rotation or by `sweep`.
  func rotateKey(_ request: Request) async throws -> Response {
    let form = try request.decode(Rotation.self)
    let app = try await app(of: request, for: .rotateKey)
    var stored = try await key(try request.parameter(1), of: app)
    let endsOthers = form.graceSeconds == 0
    // Looked at again when nobody else rotates the key; what is refused now needs no record.
    try checkRotation(stored, of: app, endsOthers: endsOthers)
    let secret = try KeyText.secretKey(context)
    let credential = try stored.id + "." + context.random.bytes(8).hexadecimal
    let record = try audit(request, Permission.rotateKey.action, of: app.id, target: stored.id)
    var (now, until) = (stored.createdAt, stored.createdAt)
    do {
      try await change(
        .key(stored.id), record, by: Authority(request, .rotateKey, of: app), [stands(stored.id)]
      ) {
        try await settle(stored.id, of: app.id)
        stored = try await key(stored.id, of: app)
        try checkRotation(stored, of: app, endsOthers: endsOthers)
        now = try context.clock.now()
        until = stored.end(ofGrace: now.adding(milliseconds: form.graceSeconds * 1_000))
        return (before: SecretState(stored), intent: try rotationIntent(credential))
      } make: {
        try await context.tenants.put(
          Credential(
            id: credential, digest: secret.digest, scopes: stored.scopes,
            expiresAt: stored.expiresAt),
          of: app.id)
        return SecretState(
          credential: credential, expiresAt: stored.expiresAt, rotatedAt: now,
          previousExpiresAt: until)
      } batch: { _ in
        let lastUse = stored.lastUse(try credentials(of: app.id))
        return Batch {
          SQL(
            """
            UPDATE control_keys
            SET credential = \(credential), previous_credential = \(stored.secretID),
              previous_until = \(until), unsettled = 1, rotated_at = \(now), last_used_at = \(lastUse)
            WHERE id = \(stored.id) AND state = \(Stage.ready)
            """
          ).expect(exactly: 1)
        }
      }
    } catch StoreError.conflict(statement: 0, _) {
      throw ControlShard.unknownKey
    }
    try await settle(stored.id, of: app.id)
    return try .secret(
      Answer(
        id: stored.id, key: stored.key, secret: secret.text, name: stored.name,
        scopes: stored.scopes, createdAt: stored.createdAt, expiresAt: stored.expiresAt,
        rotatedAt: now, previousExpiresAt: until), status: 200)
  }

  /// Refuses a rotation of a key that has expired, or has as many good secrets as it may have.
  private func checkRotation(_ stored: StoredKey, of app: App, endsOthers: Bool) throws {
    let now = try context.clock.now()
    if let end = stored.expiresAt, end <= now {
      throw Problem.conflict("The key has expired. Make another.")
    }
    let good = try credentials(of: app.id).values.filter {
      stored.owns($0.id) && $0.id != KeyPair.publicID(stored.id) && ($0.expiresAt ?? .never) > now
    }
    guard endsOthers || good.count < ControlShard.goodSecrets else {
      throw Problem(
        status: 403, code: "quota_exceeded",
        detail:
          "A key has at most \(ControlShard.goodSecrets) good secrets: wait for an old one to end, or end them all with grace_seconds 0."
      )
    }
  }

  /// Tells the host when the secret halves before the last rotation end, and notes that it knows. It may be done at any time,
  /// and by several at once.
  private func settle(_ id: String, of app: String) async throws {
    // Before the key is read: what a rotation lets in later is not among them, and what it has let in already stands in the key.
    let known = try credentials(of: app)
    let rows = try await context.store.read(
      """
      SELECT \(raw: StoredKey.columns) FROM control_keys
      WHERE id = \(id) AND state = \(Stage.ready) AND unsettled = 1
      """)
    guard let key = try rows.first?.decode(StoredKey.self), let until = key.previousUntil else {
      return
    }
    let isOver = until <= (try context.clock.now())
    // None is good for longer than the one that came after it.
    for credential in known.keys.sorted()
    where key.owns(credential) && credential != key.secretID
      && credential != KeyPair.publicID(id)
    {
      try await end(credential, of: app, at: isOver ? nil : until)
    }
    try await context.store.commit(isApartFromRequest: true) {
      SQL(
        """
        UPDATE control_keys SET unsettled = 0 WHERE id = \(id) AND credential = \(key.secretID)
        """)
    }
  }

  /// Tells the host when old secrets end, where a crash came before.
  func sweepRotations() async throws {
    try await forEach("a key") { last in
      """
      SELECT k.id AS id, k.app_id AS app
      FROM control_keys k JOIN control_apps a ON a.id = k.app_id
      WHERE k.state = \(Stage.ready) AND a.state = \(Stage.ready) AND k.unsettled = 1
        AND k.id > \(last)
      ORDER BY k.id LIMIT \(ControlShard.sweptAtOnce)
      """
    } _: { key, row in
      try await settle(key, of: try row["app", String.self])
    }
  }
}

extension Timestamp {
  /// Later than any.
  fileprivate static let never = Timestamp(unixMilliseconds: .max)
}
