internal import PluginCrypto
internal import PluginKit

/// Repeats of requests with an `Idempotency-Key`: the host gives them the first answer, which may hold a secret, and knows nobody's role.
///
/// So whether whoever asks may still have it is looked at before, in the phase `authorize`, which repeats pass too.
extension ControlShard {
  /// The part of all POSTs under `/v1/apps`; nil lets the request go on.
  ///
  /// - Throws: `Problem` 404 to whoever is no member any more, 403 to a member whose role does not allow it.
  func mayRepeat(_ request: Request) async throws -> Response? {
    guard let key = request.header("idempotency-key") else { return nil }
    if request.operation == "createApp" {
      guard let app = try await appMade(by: request.principal.id, under: key) else { return nil }
      _ = try await membership(request, .rotateSigningSecret, of: app)
      return nil
    }
    let segments = request.path.split(separator: "/")
    guard segments.count > 2 else { return nil }
    // What was carried out may have taken a role away, as a transfer does: only of secrets is the role asked for.
    let permission: Permission =
      switch request.operation {
      case "createKey": .makeKey
      case "rotateKey": .rotateKey
      case "rotateSigningSecret": .rotateSigningSecret
      default: .readApp
      }
    _ = try await membership(request, permission, of: String(segments[2]))
    return nil
  }

  /// How long the host keeps answers, and an hour more, in milliseconds.
  private static let answersKept: Int64 = 90_000_000

  /// Notes under which key an app is made; nothing without one.
  static func remembering(_ request: Request, of app: App, owner: String) -> SQL {
    let key = request.header("idempotency-key").map { Digest.sha256($0).hexadecimal }
    return """
      INSERT INTO control_app_requests (app_id, account_id, request_key, created_at)
      SELECT \(app.id), \(owner), \(key), \(app.createdAt) WHERE \(key) IS NOT NULL
      """
  }

  /// Forgets requests whose answers nobody gets again.
  static func forgettingRequests(before now: Timestamp) -> SQL {
    "DELETE FROM control_app_requests WHERE created_at <= \(now.adding(milliseconds: -answersKept))"
  }

  /// The app that a request has made; nil where it was not made in the end, and the request is carried out now.
  private func appMade(by account: String, under key: String) async throws -> String? {
    try await context.store.read(
      """
      SELECT r.app_id AS app_id FROM control_app_requests r JOIN control_apps a ON a.id = r.app_id
      WHERE r.account_id = \(account) AND r.request_key = \(Digest.sha256(key).hexadecimal)
        AND a.state <> \(Stage.creating)
      ORDER BY r.app_id DESC LIMIT 1
      """
    ).first?["app_id", String.self]
  }
}
