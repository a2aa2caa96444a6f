public import CSluice

/// Who is asking: what an authenticator made of a credential. Immutable.
///
/// Its bytes lie in one piece of memory so that a plugin can borrow them.
public final class Principal: Sendable {
  /// What sort of credential was shown; the numbers are the contract's (`sluice/types.h`).
  public enum Kind: UInt32, Sendable {
    /// Nobody in particular, or whoever shows a public key: then the id is the key's.
    case anonymous = 0
    case account = 1
    case key = 2
    case user = 3

    /// The bit a route's `auth` must have to let this kind in.
    var auth: RouteAuth {
      switch self {
      case .anonymous: .publicKey
      case .account: .account
      case .key: .key
      case .user: .user
      }
    }

    /// As the access log and the authenticators' JSON write it.
    public var name: StaticString {
      switch self {
      case .anonymous: "anonymous"
      case .account: "account"
      case .key: "key"
      case .user: "user"
      }
    }
  }

  /// What sort of credential was shown.
  public let kind: Kind
  /// "acc_…", "key_…" or the app's own name of the user; empty without a credential.
  public let id: String
  /// Sorted; "*" is everything.
  public let scopes: [String]
  /// Unix milliseconds after which the principal is void; 0 is never.
  public let expiresAt: Int64
  private let byteCount: Int
  private let idCount: Int
  private let scopesCount: Int
  // Immutable memory, freed with the principal; any thread may read it.
  private nonisolated(unsafe) let storage: UnsafeMutablePointer<UInt8>

  /// Nobody in particular.
  public static let anonymous = Principal(
    kind: .anonymous, id: "", scopes: [], claims: "{}", expiresAt: 0)

  /// - Parameter claims: a JSON object with what else is known.
  public init(kind: Kind, id: String, scopes: [String], claims: String, expiresAt: Int64) {
    self.kind = kind
    self.id = id
    self.scopes = scopes.sorted()
    self.expiresAt = expiresAt
    let joined = self.scopes.joined(separator: " ")
    let bytes = Array(id.utf8) + Array(joined.utf8) + Array(claims.utf8)
    byteCount = bytes.count
    idCount = id.utf8.count
    scopesCount = joined.utf8.count
    storage = .allocate(capacity: max(bytes.count, 1))
    storage.initialize(repeating: 0, count: max(bytes.count, 1))
    storage.update(from: bytes, count: bytes.count)
  }

  deinit { storage.deallocate() }

  /// The id's bytes; valid as long as this object.
  var idText: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: storage, count: idCount) }

  /// Whether the principal has every one of the scopes.
  public func has(_ wanted: [String]) -> Bool {
    wanted.isEmpty || scopes.contains("*") || wanted.allSatisfy { scopes.contains($0) }
  }

  /// The principal as a plugin sees it; the slices live as long as this object.
  public var contract: sluice_principal_v1_t {
    sluice_principal_v1_t(
      kind: kind.rawValue, reserved: 0,
      id: sluice_slice_t(bytes: storage, length: UInt64(idCount)),
      scopes: sluice_slice_t(bytes: storage + idCount, length: UInt64(scopesCount)),
      claims: sluice_slice_t(
        bytes: storage + idCount + scopesCount, length: UInt64(byteCount - idCount - scopesCount)),
      expires_at_ms: expiresAt)
  }
}
