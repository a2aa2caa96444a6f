internal import PluginKit

/// A new key with both its halves, which are shown this once together.
struct KeyPair: Encodable {
  let id: String
  private let publicKey: KeyText
  private let secretKey: KeyText

  init(_ context: ShardContext) throws {
    id = try context.id.make("key")
    publicKey = try .publicKey(context)
    secretKey = try .secretKey(context)
  }

  /// The public half, `pk_…`.
  var key: String { publicKey.text }
  /// The secret half, `sk_…`.
  var secret: String { secretKey.text }

  private enum CodingKeys: CodingKey {
    case id, key, secret
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(id, forKey: .id)
    try container.encode(key, forKey: .key)
    try container.encode(secret, forKey: .secret)
  }

  /// The row that is written before the key is let in. The secret half is not in it.
  func draft(
    app: String, name: String, scopes: [String], expiresAt: Timestamp?, at now: Timestamp,
    by owner: Int64
  ) throws -> SQL {
    SQL(
      """
      INSERT INTO control_keys (id, app_id, name, key, scopes, state, created_at, expires_at, owner)
      VALUES (\(id), \(app), \(name), \(key), \(try RawJSON(encoding: scopes)),
        \(Stage.creating), \(now), \(expiresAt), \(owner))
      """)
  }

  /// Lets both halves in. The public one is known to the host so that it leads to the app; its scope is
  /// in no route, and the authenticator takes it for nobody.
  func put(
    of app: String, scopes: [String], expiresAt: Timestamp?, _ context: ShardContext
  ) async throws {
    try await context.tenants.put(
      Credential(
        id: KeyPair.publicID(id), digest: publicKey.digest, scopes: ["public"],
        expiresAt: expiresAt),
      of: app)
    try await context.tenants.put(
      Credential(id: id, digest: secretKey.digest, scopes: scopes, expiresAt: expiresAt), of: app)
  }

  /// The id of a key's public half among the host's credentials.
  static func publicID(_ id: String) -> String { id + ".public" }
}
