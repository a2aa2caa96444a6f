internal import PluginKit

/// A key, as the app's members see it later: never its secret half.
struct Key: Encodable, Identifiable {
  var id: String
  var name: String
  /// The public half.
  var key: String
  /// As the host has them.
  var scopes: [String]
  var createdAt: Timestamp
  var expiresAt: Timestamp?
  /// To about two minutes.
  var lastUsedAt: Timestamp?
  var rotatedAt: Timestamp?
  /// Until when the secret before the last rotation is good; nil when it is not any more.
  var previousExpiresAt: Timestamp?

  enum CodingKeys: String, CodingKey {
    case id, name, key, scopes
    case createdAt = "created_at"
    case expiresAt = "expires_at"
    case lastUsedAt = "last_used_at"
    case rotatedAt = "rotated_at"
    case previousExpiresAt = "previous_expires_at"
  }
}

/// A key as its row tells of it.
struct StoredKey: Decodable, Identifiable {
  var id: String
  var name: String
  var key: String
  var scopes: [String]
  var createdAt: Timestamp
  var expiresAt: Timestamp?
  /// The host's id of the secret half; nil is `id`.
  var credential: String?
  var previousCredential: String?
  var previousUntil: Timestamp?
  /// Whether the host may not have been told when the credential before ends.
  var unsettled: Bool
  var rotatedAt: Timestamp?
  /// When secret halves before the present one were used last, as far as the last rotation knew.
  var lastUsedAt: Timestamp?

  enum CodingKeys: String, CodingKey {
    case id, name, key, scopes, credential, unsettled
    case createdAt = "created_at"
    case expiresAt = "expires_at"
    case previousCredential = "previous_credential"
    case previousUntil = "previous_until"
    case rotatedAt = "rotated_at"
    case lastUsedAt = "last_used_at"
  }

  static let columns = """
    id, name, key, scopes, created_at, expires_at, credential, previous_credential, previous_until,
    unsettled, rotated_at, last_used_at
    """

  /// The host's id of the secret half.
  var secretID: String { credential ?? id }

  /// Whether one of the host's credentials is of this key: `key_…`, or that and a dot with more.
  func owns(_ credential: String) -> Bool { StoredKey.owns(credential, key: id) }

  static func owns(_ credential: String, key: String) -> Bool {
    credential == key || credential.hasPrefix(key + ".")
  }

  /// The key as members see it, with what the host knows of it.
  func shown(_ credentials: [String: CredentialState], at now: Timestamp) -> Key {
    let secret = credentials[secretID]
    return Key(
      id: id, name: name, key: key, scopes: secret?.scopes ?? scopes, createdAt: createdAt,
      expiresAt: expiresAt, lastUsedAt: lastUse(credentials), rotatedAt: rotatedAt,
      previousExpiresAt: previousUntil.map(end(ofGrace:)).flatMap { now < $0 ? $0 : nil })
  }

  /// When one of its secret halves was used last, also of those that are gone.
  func lastUse(_ credentials: [String: CredentialState]) -> Timestamp? {
    let uses = [secretID, previousCredential].compactMap {
      $0.flatMap { credentials[$0]?.lastUsedAt }
    }
    return (uses + [lastUsedAt].compactMap(\.self)).max()
  }

  /// When a secret half ends that is kept until `until`: not later than the key.
  func end(ofGrace until: Timestamp) -> Timestamp { min(until, expiresAt ?? until) }
}

/// What of a key the audit log remembers.
struct KeyState: Codable {
  var name: String
  var scopes: [String]
  var expiresAt: Timestamp?

  enum CodingKeys: String, CodingKey {
    case name, scopes
    case expiresAt = "expires_at"
  }
}

/// What of a key's secret half the audit log remembers.
struct SecretState: Encodable {
  /// The host's id of it, from which nothing of the secret follows.
  var credential: String
  var expiresAt: Timestamp?
  /// When it was made, if that was by a rotation.
  var rotatedAt: Timestamp?
  /// Until when the one before it is good.
  var previousExpiresAt: Timestamp?

  enum CodingKeys: String, CodingKey {
    case credential
    case expiresAt = "expires_at"
    case rotatedAt = "rotated_at"
    case previousExpiresAt = "previous_expires_at"
  }
}

extension SecretState {
  init(_ key: StoredKey) {
    self.init(
      credential: key.secretID, expiresAt: key.expiresAt, rotatedAt: key.rotatedAt,
      previousExpiresAt: key.previousUntil.map(key.end(ofGrace:)))
  }
}

extension KeyState {
  init(_ key: StoredKey) {
    self.init(name: key.name, scopes: key.scopes, expiresAt: key.expiresAt)
  }
}
