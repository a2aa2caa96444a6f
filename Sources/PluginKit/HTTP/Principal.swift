internal import CSluice

/// Who is asking: what the tenant's authenticator made of a credential.
public struct Principal: Sendable, Equatable {
  /// What sort of credential was shown.
  public enum Kind: String, Codable, Sendable {
    /// No credential was given, and the route allows that.
    case anonymous
    /// A developer with an account on the platform.
    case account
    /// An app's own server, with a secret key.
    case key
    /// An end user of an app.
    case user
  }

  /// What sort of credential was shown.
  public let kind: Kind
  /// "acc_…", "key_…" or the app's own name of the user; "" when anonymous.
  public let id: String
  /// Sorted; "*" is all.
  public let scopes: [String]
  /// A JSON object with what else the authenticator vouches for.
  public let claims: RawJSON
  /// When the principal is void; nil is never.
  public let expiresAt: Timestamp?

  /// For authenticators, which answer with one, and for tests.
  public init(
    kind: Kind, id: String, scopes: [String] = [], claims: RawJSON = "{}",
    expiresAt: Timestamp? = nil
  ) {
    self.kind = kind
    self.id = id
    self.scopes = scopes
    self.claims = claims
    self.expiresAt = expiresAt
  }

  /// Nobody in particular.
  public static let anonymous = Principal(kind: .anonymous, id: "")

  /// Whether `scope` was granted, by name or by "*".
  public func has(scope: String) -> Bool {
    scopes.contains(scope) || scopes.contains("*")
  }

  init(_ value: sluice_principal_v1_t) {
    let kind: Kind =
      switch value.kind {
      case SLUICE_PRINCIPAL_ACCOUNT: .account
      case SLUICE_PRINCIPAL_KEY: .key
      case SLUICE_PRINCIPAL_USER: .user
      default: .anonymous
      }
    self.init(
      kind: kind, id: value.id.text,
      scopes: value.scopes.text.split(separator: " ").map(String.init),
      claims: RawJSON(unchecked: Array(Bytes(value.claims))),
      expiresAt: value.expires_at_ms == 0
        ? nil : Timestamp(unixMilliseconds: value.expires_at_ms))
  }
}
