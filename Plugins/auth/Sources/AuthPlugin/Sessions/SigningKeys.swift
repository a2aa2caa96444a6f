internal import PluginKit

/// The platform's key pairs for access tokens, kept sealed under the secret `auth.signing`.
///
/// A key signs for its lifetime; the next one is made shortly before its end and shown with it, so that whoever checks tokens has it in time. Two
/// loops may make one at once: the later is everybody's, before either has signed.
final class SigningKeys {
  private static let secret = "auth.signing"

  private let context: ShardContext
  /// How long one key signs, in milliseconds.
  private let lifetime: Int64
  /// How long a token is good, with the leeway, in milliseconds.
  private let tokenLifetime: Int64
  /// The secret as it was last read, and what is in it.
  private var serialized: [UInt8] = []
  private var ring = KeyRing(entries: [])
  private var pairs: [SigningKey] = []
  private var isRenewing = false

  init(_ context: ShardContext, lifetime: Int64, tokenLifetime: Int64) {
    self.context = context
    self.lifetime = lifetime
    self.tokenLifetime = tokenLifetime
  }

  /// The key to sign with; the first is made at first use.
  func current() async throws -> SigningKey {
    if try !read() {
      _ = try await context.ownSecret(SigningKeys.secret) {
        try JSON.encode(try KeyRing.first(at: try context.clock.now()))
      }
      guard try read() else { throw HostError(.unavailable, "there is no key to sign with") }
    }
    let now = try context.clock.now()
    renewIfDue(at: now)
    return pairs[ring.signing(at: now)]
  }

  /// The key called `id`; nil when there is none, so that nothing was signed with it.
  func find(_ id: String) throws -> SigningKey? {
    if let known = pairs.first(where: { $0.id == id }) { return known }
    return try read() ? pairs.first { $0.id == id } : nil
  }

  /// All that are public now.
  func all() async throws -> [SigningKey] {
    _ = try await current()
    let now = try context.clock.now()
    return ring.places(at: now, tokenLifetime: tokenLifetime).map { pairs[$0] }
  }

  /// What may be told of the keys.
  struct State: Encodable {
    /// The id of the one that signs.
    var signing: String
    /// The id of the one that will, where it is made already.
    var next: String?
    var nextSignsFrom: Timestamp?

    enum CodingKeys: String, CodingKey {
      case signing, next
      case nextSignsFrom = "next_signs_from"
    }
  }

  /// What may be told of the keys now.
  func state() async throws -> State {
    let signing = try await current()
    let place = ring.signing(at: try context.clock.now()) + 1
    guard pairs.indices.contains(place) else { return State(signing: signing.id) }
    return State(
      signing: signing.id, next: pairs[place].id,
      nextSignsFrom: Timestamp(unixMilliseconds: ring.entries[place].signsFrom))
  }

  /// Has the next key made now, whenever it would be due.
  ///
  /// - Returns: from when on it signs.
  func rotate() async throws -> Timestamp {
    _ = try await current()
    let now = try context.clock.now()
    guard ring.signing(at: now) == ring.entries.count - 1 else {
      // One is on its way already.
      return Timestamp(unixMilliseconds: ring.entries[ring.entries.count - 1].signsFrom)
    }
    return try await renew(at: now)
  }

  /// Reads the secret again if another loop has changed it. False when there is none.
  private func read() throws -> Bool {
    guard let bytes = try context.secrets.get(SigningKeys.secret) else { return false }
    guard bytes != serialized else { return true }
    let next = try KeyRing(bytes)
    let made = try next.entries.map { entry in
      guard let pair = Base64.url.decode(entry.pair.utf8) else {
        throw HostError(.internal, "a signing key is not base64url")
      }
      return try SigningKey(serialized: pair)
    }
    guard !made.isEmpty else { throw HostError(.internal, "the ring of signing keys is empty") }
    (serialized, ring, pairs) = (bytes, next, made)
    return true
  }

  private func renewIfDue(at now: Timestamp) {
    guard !isRenewing, ring.isDue(at: now, lifetime: lifetime) else { return }
    isRenewing = true
    context.spawn { [self] in
      defer { isRenewing = false }
      _ = try await renew(at: now)
    }
  }

  private func renew(at now: Timestamp) async throws -> Timestamp {
    let next = try ring.renewed(at: now, tokenLifetime: tokenLifetime)
    try await context.secrets.put(SigningKeys.secret, try JSON.encode(next))
    _ = try read()
    context.log.info("a new signing key was made", ["signs_in_seconds": KeyRing.notice / 1_000])
    return Timestamp(unixMilliseconds: next.entries[next.entries.count - 1].signsFrom)
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
    x = Base64.url.encode(key.x)
    y = Base64.url.encode(key.y)
  }
}

private struct KeySet: Encodable {
  var keys: [PublicKey]
}

private struct RotationAnswer: Encodable {
  var signsFrom: Timestamp

  enum CodingKeys: String, CodingKey {
    case signsFrom = "signs_from"
  }
}

extension Accounts {
  /// `GET /.well-known/jwks.json`
  func readKeys() async throws -> Response {
    let set = KeySet(keys: try await keys.all().map(PublicKey.init))
    return .bytes(try JSON.encode(set), contentType: "application/jwk-set+json")
      .header("cache-control", "public, max-age=300")
  }

  /// `POST /v1/signing-keys/rotate`
  func rotateKeys(_ request: Request) async throws -> Response {
    try await requireOperator(request.principal)
    let before = try RawJSON(encoding: try await keys.state())
    try await note(request, .begun)
    let signsFrom: Timestamp
    do {
      signsFrom = try await keys.rotate()
    } catch {
      try await note(request, .failed)
      throw error
    }
    try await note(
      request, .done, before: before, after: try RawJSON(encoding: try await keys.state()))
    return try .json(RotationAnswer(signsFrom: signsFrom), status: 202)
  }

  /// Notes how far a rotation has come. A key that was made once is not made again when the request is repeated, so nothing of
  /// it is the request's own effect but the last note.
  private func note(
    _ request: Request, _ outcome: AuditNote.Outcome, before: RawJSON? = nil, after: RawJSON? = nil
  ) async throws {
    var note = AuditNote(request, "signing_keys.rotated", outcome)
    note.before = before
    note.after = after
    try await context.store.commit(isApartFromRequest: outcome != .done) { try note.emission() }
  }
}
