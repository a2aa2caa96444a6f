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

  /// How old a rotation may be and still be committed, in milliseconds: less than what a sweep takes for abandoned.
  private static let rotationPatience: Int64 = 240_000

  /// `POST /v1/apps/{app}/keys/{key}/rotate`
  ///
  /// The id of the new secret half is noted first, then it is let in, then committed as the key's; last the host is told when the
  /// old ones end. A crash before the commit leaves a secret that nobody has, and one after it old secrets that the host does
  /// not end; both are put right by the next rotation, or by `sweep`.
  func rotateKey(_ request: Request) async throws -> Response {
    let form = try request.decode(Rotation.self)
    let app = try await app(of: request, for: .rotateKey)
    let stored = try await key(try request.parameter(1), of: app)
    let now = try context.clock.now()
    if let end = stored.expiresAt, end <= now {
      throw Problem.conflict("The key has expired. Make another.")
    }
    let secret = try KeyText.secretKey(context)
    let credential = try stored.id + "." + context.random.bytes(8).hexadecimal
    try await reserve(
      credential, for: stored, of: app, at: now, endsOthers: form.graceSeconds == 0)
    let until = stored.end(ofGrace: now.adding(milliseconds: form.graceSeconds * 1_000))
    let lastUse = stored.lastUse(try credentials(of: app.id))
    do {
      try await context.tenants.put(
        Credential(
          id: credential, digest: secret.digest, scopes: stored.scopes,
          expiresAt: stored.expiresAt),
        of: app.id)
      let oldest = try context.clock.now().adding(milliseconds: -ControlShard.rotationPatience)
      var batch = Batch()
      batch.add(
        SQL(
          """
          UPDATE control_keys
          SET credential = \(credential), previous_credential = \(stored.secretID),
            previous_until = \(until), unsettled = 1, pending_credential = NULL, pending_at = NULL,
            rotated_at = \(now), last_used_at = \(lastUse)
          WHERE id = \(stored.id) AND state = \(Stage.ready) AND pending_credential = \(credential)
            AND pending_at >= \(oldest) AND scopes = \(try RawJSON(encoding: stored.scopes))
          """
        ).expect(exactly: 1))
      try await commit(
        batch,
        try audit(
          request, Permission.rotateKey.action, of: app.id, target: stored.id,
          before: SecretState(stored),
          after: SecretState(
            credential: credential, expiresAt: stored.expiresAt, rotatedAt: now,
            previousExpiresAt: until)),
        by: Authority(request, .rotateKey, of: app))
    } catch {
      await giveUp(credential, of: stored, app)
      throw error
    }
    try await settle(stored.id, of: app.id)
    return try .secret(
      Answer(
        id: stored.id, key: stored.key, secret: secret.text, name: stored.name,
        scopes: stored.scopes, createdAt: stored.createdAt, expiresAt: stored.expiresAt,
        rotatedAt: now, previousExpiresAt: until), status: 200)
  }

  /// Notes which credential a rotation is about to let in; only one rotation of a key is under way.
  private func reserve(
    _ credential: String, for stored: StoredKey, of app: App, at now: Timestamp, endsOthers: Bool
  ) async throws {
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
    let edge = now.adding(milliseconds: -ControlShard.abandonedAfter)
    do {
      try await context.store.commit(isApartFromRequest: true) {
        SQL(
          """
          UPDATE control_keys SET pending_credential = \(credential), pending_at = \(now)
          WHERE id = \(stored.id) AND state = \(Stage.ready)
            AND COALESCE(credential, id) = \(stored.secretID)
            AND (pending_credential IS NULL OR pending_at <= \(edge))
          """
        ).expect(exactly: 1)
      }
    } catch StoreError.conflict(statement: 0, _) {
      throw Problem.conflict("The key is being rotated already.")
    }
    if let abandoned = stored.pendingCredential { try await end(abandoned, of: app.id) }
    try await settle(stored.id, of: app.id)
  }

  /// Takes back what a rotation that failed has begun. If that fails too, `sweep` does it later.
  private func giveUp(_ credential: String, of stored: StoredKey, _ app: App) async {
    context.log.warning("a key could not be rotated", ["key": stored.id])
    do {
      try await end(credential, of: app.id)
      try await forgetPending(credential, of: stored.id)
    } catch {
      context.log.warning(
        "what was made of a key's rotation is taken back later",
        ["key": stored.id, "error": "\(error)"])
    }
  }

  private func forgetPending(_ credential: String, of key: String) async throws {
    try await context.store.commit(isApartFromRequest: true) {
      SQL(
        """
        UPDATE control_keys SET pending_credential = NULL, pending_at = NULL
        WHERE id = \(key) AND pending_credential = \(credential)
        """)
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
    where key.owns(credential) && credential != key.secretID && credential != key.pendingCredential
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

  /// Puts right what a crash has left of rotations.
  ///
  /// - Parameter edge: what was begun later may still be at work; what was committed needs no waiting.
  func sweepRotations(before edge: Timestamp) async throws {
    let left = try await context.store.read(
      """
      SELECT k.id AS id, k.app_id AS app,
        CASE WHEN k.pending_at <= \(edge) THEN k.pending_credential END AS abandoned
      FROM control_keys k JOIN control_apps a ON a.id = k.app_id
      WHERE k.state = \(Stage.ready) AND a.state = \(Stage.ready)
        AND (k.unsettled = 1 OR k.pending_at <= \(edge))
      ORDER BY k.id LIMIT 100
      """)
    for row in left {
      let (id, app) = (try row["id", String.self], try row["app", String.self])
      if let abandoned = try row["abandoned", String?.self] {
        try await end(abandoned, of: app)
        try await forgetPending(abandoned, of: id)
      }
      try await settle(id, of: app)
    }
  }
}

extension Timestamp {
  /// Later than any.
  fileprivate static let never = Timestamp(unixMilliseconds: .max)
}
