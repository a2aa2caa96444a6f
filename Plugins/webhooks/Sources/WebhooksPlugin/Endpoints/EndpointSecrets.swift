internal import PluginCrypto
internal import PluginKit

/// What endpoints are signed with, and the fields that are sent to them: sealed in their rows. Loop thread.
final class EndpointSecrets {
  /// What one endpoint's deliveries are made with.
  struct Kept {
    var keys: [(key: SigningKey, expiresAt: Timestamp?)]
    var headers: [String: String]
  }

  private let context: ShardContext
  private let seal: SealKeeper
  private var kept: [String: Kept] = [:]

  init(_ context: ShardContext, _ seal: SealKeeper) {
    self.context = context
    self.seal = seal
  }

  /// Endpoints have changed: everything is read anew.
  func forget() { kept = [:] }

  /// - Throws: `HostError` `.internal` when they cannot be opened any more.
  func find(_ endpoint: Endpoint) async throws -> Kept {
    if let found = kept[endpoint.id] { return found }
    let found = try await read(endpoint)
    kept[endpoint.id] = found
    return found
  }

  /// As `find`, from the store.
  func read(_ endpoint: Endpoint) async throws -> Kept {
    let rows = try await context.store.read(
      """
      SELECT id, content, kind, expires_at FROM webhooks_secrets WHERE endpoint = \(endpoint.id)
      ORDER BY created_at DESC, id DESC
      """)
    var keys: [(key: SigningKey, expiresAt: Timestamp?)] = []
    for row in rows {
      guard let kind = SigningKey.Kind(rawValue: try row["kind", String.self]),
        let bytes = try await seal.open(
          try row["content", [UInt8].self], id: try row["id", String.self])
      else { throw HostError(.internal, "a signing key cannot be opened: its seal is another") }
      keys.append((SigningKey(kind: kind, bytes: bytes), try row["expires_at", Timestamp?.self]))
    }
    return Kept(keys: keys, headers: try await headers(of: [endpoint.id])[endpoint.id] ?? [:])
  }

  /// The fields that are sent to endpoints, by their ids; without those to which none are.
  func headers(of endpoints: [String]) async throws -> [String: [String: String]] {
    guard !endpoints.isEmpty else { return [:] }
    let rows = try await context.store.read(
      """
      SELECT id, headers FROM webhooks_endpoints
      WHERE id IN (\(each: endpoints)) AND headers IS NOT NULL
      """)
    var found: [String: [String: String]] = [:]
    for row in rows {
      let id = try row["id", String.self]
      guard let bytes = try await seal.open(try row["headers", [UInt8].self], id: id) else {
        throw HostError(.internal, "headers cannot be opened: their seal is another")
      }
      found[id] = try JSON.decode(from: bytes)
    }
    return found
  }

  func seal(headers: [String: String], of endpoint: String) async throws -> [UInt8]? {
    guard !headers.isEmpty else { return nil }
    return try await seal.close(try JSON.encode(headers), id: endpoint)
  }

  /// A new key, and the statement that keeps it.
  func make(_ kind: SigningKey.Kind, for endpoint: String, at now: Timestamp) async throws -> (
    key: SigningKey, insertion: SQL
  ) {
    let key = SigningKey(kind: kind, bytes: try context.random.bytes(SigningKey.length(of: kind)))
    let id = try context.id.make("key")
    let content = try await seal.close(key.bytes, id: id)
    return (
      key,
      """
      INSERT INTO webhooks_secrets (id, endpoint, content, kind, created_at)
      VALUES (\(id), \(endpoint), \(content), \(kind.rawValue), \(now))
      """
    )
  }
}
