/// What the gateway keeps of one tenant, as it was at one moment.
public struct TenantRecord: Sendable, Equatable {
  /// `platform` or `app_…`, or the name that a file gives it.
  public var id: String
  /// Settings by plugin id. A plugin that is not here was never chosen for this tenant.
  public var plugins: [String: PluginSetting] = [:]
  /// Host names that lead to this tenant, in lower case, in the order they were given.
  public var hosts: [String] = []
  /// Origins whose pages may come, in the order they were given; none is any.
  public var origins: [String] = []
  /// Credentials, in the order of their ids. Those that have expired stay for a while, so that their users can be told.
  public var keys: [StoredKey] = []
  /// Grows with every change of what stands here, and is never used twice by one process, not even for a tenant that
  /// was removed and made again.
  public internal(set) var revision: UInt64 = 0
  /// Unix milliseconds; 0 for a static tenant.
  public internal(set) var createdAt: Int64 = 0
  /// The configuration file that the tenant comes from; `nil` when it was created while the gateway ran.
  public internal(set) var origin: String?

  /// Whether the tenant comes from a configuration file, and is changed there alone.
  public var isStatic: Bool { origin != nil }

  /// A tenant with nothing in it.
  public init(id: String) { self.id = id }

  /// The credential called `id`.
  public func key(_ id: String) -> StoredKey? { keys.first { $0.id == id } }
}

/// A plugin's settings for one tenant.
public struct PluginSetting: Sendable, Hashable {
  /// False keeps the settings and runs nothing.
  public var enabled: Bool
  /// A JSON object, as it was given.
  public var config: String
  /// The version that the tenant has chosen; nil is whichever is the standard one.
  public var version: String?

  /// - Parameter config: a JSON object.
  public init(enabled: Bool, config: String = "{}", version: String? = nil) {
    self.enabled = enabled
    self.config = config
    self.version = version
  }
}

/// A credential that is recognised by its digest; the credential itself is kept nowhere.
public struct StoredKey: Sendable, Hashable {
  /// Unique in its tenant.
  public var id: String
  /// The SHA-256 of the whole credential, 32 bytes; unique in the gateway.
  public var digest: [UInt8]
  /// What it may do; `*` is everything.
  public var scopes: [String]
  /// Unix milliseconds from which on it is not let in; 0 is never.
  public var expiresAt: Int64

  /// - Parameters:
  ///   - digest: SHA-256 of the credential, 32 bytes.
  ///   - expiresAt: Unix milliseconds; 0 is never.
  public init(id: String, digest: [UInt8], scopes: [String], expiresAt: Int64 = 0) {
    self.id = id
    self.digest = digest
    self.scopes = scopes
    self.expiresAt = expiresAt
  }

  func hasExpired(at now: Int64) -> Bool { expiresAt != 0 && expiresAt <= now }
}
