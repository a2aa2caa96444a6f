internal import PluginKit

/// What a rotation is asked for.
struct Rotation: Decodable {
  var graceSeconds: Int64

  enum CodingKeys: String, CodingKey {
    case graceSeconds = "grace_seconds"
  }
}

/// What of a rotation the audit log remembers.
struct RotationState: Encodable {
  var previousExpiresAt: Timestamp

  enum CodingKeys: String, CodingKey {
    case previousExpiresAt = "previous_expires_at"
  }
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
    let secret = try KeyText.signingSecret(context).text
    let until = try context.clock.now().adding(milliseconds: form.graceSeconds * 1_000)
    let after = RotationState(previousExpiresAt: until)
    let record = try audit(
      request, Permission.rotateSigningSecret.action, of: app.id, before: RotationState?.none,
      after: after)
    try await change(record, by: Authority(request, .rotateSigningSecret, of: app)) {
      after
    } _: {
      try await context.tenants.rotateSecret(
        "tenant.signing", Array(secret.utf8), of: app.id, keepingOldUntil: until)
    }
    return try .secret(
      SigningAnswer(signingSecret: secret, previousExpiresAt: until), status: 200)
  }
}
