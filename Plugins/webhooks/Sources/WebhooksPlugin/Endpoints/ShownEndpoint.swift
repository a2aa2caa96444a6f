internal import PluginKit

/// An endpoint as the interface shows it.
struct ShownEndpoint: Encodable {
  let id: String
  let url: String
  let description: String
  let events: [String]
  let channels: [String]?
  /// Names alone: values may be credentials.
  let headers: [String]
  let rateLimit: Int64?
  let payload: Endpoint.Content
  let ordered: Bool
  let signing: SigningKey.Kind
  let enabled: Bool
  let disabledReason: Endpoint.Reason?
  let failingSince: Timestamp?
  let createdAt: Timestamp
  let updatedAt: Timestamp
  /// Once, where it was made.
  var secret: String?
  var publicKey: String?
  var previousExpiresAt: Timestamp?

  private enum CodingKeys: String, CodingKey {
    case id, url, description, events, channels, headers
    case rateLimit = "rate_limit"
    case payload, ordered, signing, enabled
    case disabledReason = "disabled_reason"
    case failingSince = "failing_since"
    case createdAt = "created_at"
    case updatedAt = "updated_at"
    case secret
    case publicKey = "public_key"
    case previousExpiresAt = "previous_expires_at"
  }

  init(_ endpoint: Endpoint, headers: [String: String]) {
    id = endpoint.id
    url = endpoint.url
    description = endpoint.description
    events = endpoint.events
    channels = endpoint.channels
    self.headers = headers.keys.sorted()
    rateLimit = endpoint.rateLimit
    payload = endpoint.payload
    ordered = endpoint.isOrdered
    signing = endpoint.signing
    enabled = endpoint.state == .enabled
    disabledReason = endpoint.reason
    failingSince = endpoint.failingSince
    createdAt = endpoint.createdAt
    updatedAt = endpoint.updatedAt
  }

  /// The same with the key that was just made.
  func with(_ key: SigningKey) -> ShownEndpoint {
    var copy = self
    switch key.kind {
    case .v1: copy.secret = key.verifier
    case .v1a: copy.publicKey = key.verifier
    }
    return copy
  }
}
