internal import PluginKit

/// What a rotation is asked for.
struct Rotation: Decodable {
  var graceSeconds: Int64

  enum CodingKeys: String, CodingKey {
    case graceSeconds = "grace_seconds"
  }
}

/// What of an app's signing secret the audit log remembers.
struct SigningSecretState: Codable {
  /// Tells secrets apart, and nothing of them; nil of those from before it was noted.
  var fingerprint: String?
  /// When it was made.
  var rotatedAt: Timestamp
  /// Until when the one before it is good.
  var previousExpiresAt: Timestamp?

  enum CodingKeys: String, CodingKey {
    case fingerprint
    case rotatedAt = "rotated_at"
    case previousExpiresAt = "previous_expires_at"
  }
}

extension KeyText {
  /// The first six bytes of its SHA-256, in hexadecimal digits.
  var fingerprint: String { Array(digest[..<6]).hexadecimal }
}

extension ControlShard {
  /// An app's new signing secret, which is shown this once.
  private struct SigningAnswer: Encodable {
    var signingSecret: String
    var previousExpiresAt: Timestamp

    enum CodingKeys: String, CodingKey {
      case signingSecret = "signing_secret"
      case previousExpiresAt = "previous_expires_at"
    }
  }

  /// `POST /v1/apps/{app}/signing-secret/rotate`: users' tokens under the old one are good until the grace ends.
  func rotateSigningSecret(_ request: Request) async throws -> Response {
    let form = try request.decode(Rotation.self)
    let app = try await app(of: request, for: .rotateSigningSecret)
    let secret = try KeyText.signingSecret(context)
    var until = app.createdAt
    let record = try audit(request, Permission.rotateSigningSecret.action, of: app.id)
    try await change(
      .signingSecret, record, by: Authority(request, .rotateSigningSecret, of: app)
    ) {
      (
        before: try await signingSecret(of: app),
        intent: try RawJSON(encoding: Intent(digest: secret.digest))
      )
    } make: {
      let now = try context.clock.now()
      until = now.adding(milliseconds: form.graceSeconds * 1_000)
      do {
        try await context.tenants.rotateSecret(
          ControlShard.signingName, Array(secret.text.utf8), of: app.id, keepingOldUntil: until)
      } catch let error as HostError where error.status == .limited {
        throw Problem(
          status: 403, code: "quota_exceeded",
          detail:
            "An app has at most five good signing secrets: wait for an old one to end, or end them all with grace_seconds 0."
        )
      }
      return SigningSecretState(
        fingerprint: secret.fingerprint, rotatedAt: now, previousExpiresAt: until)
    }
    return try .secret(
      SigningAnswer(signingSecret: secret.text, previousExpiresAt: until), status: 200)
  }

  /// What the host calls what users' tokens are signed with.
  static let signingName = "tenant.signing"

  /// What is noted of a rotation.
  private struct Intent: Codable {
    /// The SHA-256 of the new secret.
    var digest: [UInt8]
  }

  /// Nobody has the secret of a rotation that was not answered: the one before it is the app's again.
  func lookAtSigningSecret(_ change: HostChange) async throws -> Finding {
    guard let intent: Intent = try change.intent?.decode() else { return .unmade }
    try await context.tenants.takeBackSecret(
      ControlShard.signingName, digest: intent.digest, of: change.app)
    return .unmade
  }

  /// What the log knows of the secret that an app has: the host tells nobody about it.
  private func signingSecret(of app: App) async throws -> SigningSecretState {
    let rows = try await context.store.read(
      """
      SELECT action, created_at, after_value FROM control_audit
      WHERE app_id = \(app.id) AND outcome = \(AuditRecord.Outcome.done.rawValue)
        AND action IN (\(Permission.rotateSigningSecret.action), \(AppState.created))
      ORDER BY seq DESC LIMIT 1
      """)
    guard let row = rows.first, let value = try row["after_value", String?.self] else {
      return SigningSecretState(rotatedAt: app.createdAt)
    }
    if try row["action", String.self] == AppState.created {
      let made = try JSON.decode(AppState.self, from: Array(value.utf8))
      return SigningSecretState(fingerprint: made.signingSecret, rotatedAt: app.createdAt)
    }
    // Records from before there were fingerprints say less.
    return try (try? JSON.decode(SigningSecretState.self, from: Array(value.utf8)))
      ?? SigningSecretState(rotatedAt: row["created_at", Timestamp.self])
  }
}
