internal import PluginKit

/// The platform's key pair for access tokens, kept sealed under the secret `auth.signing`.
final class SigningKeys {
  private static let secret = "auth.signing"

  private let context: ShardContext
  private var key: SigningKey?

  init(_ context: ShardContext) {
    self.context = context
  }

  /// The key to sign with, made at first use.
  func current() async throws -> SigningKey {
    if let key { return key }
    let serialized = try await context.ownSecret(SigningKeys.secret) {
      try SigningKey.generate().serialized()
    }
    let key = try SigningKey(serialized: serialized)
    self.key = key
    return key
  }

  /// The key called `id`; nil when there is none, so that nothing was signed with it.
  func find(_ id: String) throws -> SigningKey? {
    if key == nil, let serialized = try context.secrets.get(SigningKeys.secret) {
      key = try SigningKey(serialized: serialized)
    }
    return key?.id == id ? key : nil
  }
}

extension ShardContext {
  /// A secret of the plugin's own, made at first use. Where several loops make it at once, the first
  /// to be stored is everybody's.
  func ownSecret(_ name: String, make: () throws -> [UInt8]) async throws -> [UInt8] {
    if let value = try secrets.get(name) { return value }
    do {
      try await secrets.put(name, try make(), onlyIfAbsent: true)
    } catch let error as HostError where error.status == .conflict {
      // Another loop was first.
    }
    guard let value = try secrets.get(name) else {
      throw HostError(.unavailable, "the secret \(name) is gone as soon as it was made")
    }
    return value
  }
}

// MARK: The public half

/// A public key as a JWK (RFC 7517 §4, RFC 7518 §6.2).
private struct PublicKey: Encodable {
  var kty = "EC"
  var crv = "P-256"
  var use = "sig"
  var alg = SigningKey.algorithm
  var kid: String
  var x: String
  var y: String

  init(_ key: SigningKey) {
    kid = key.id
    x = Base64URL.encode(key.x)
    y = Base64URL.encode(key.y)
  }
}

private struct KeySet: Encodable {
  var keys: [PublicKey]
}

extension Accounts {
  /// `GET /.well-known/jwks.json`
  func readKeys() async throws -> Response {
    let set = KeySet(keys: [PublicKey(try await keys.current())])
    return .bytes(try JSON.encode(set), contentType: "application/jwk-set+json")
      .header("cache-control", "public, max-age=300")
  }
}
