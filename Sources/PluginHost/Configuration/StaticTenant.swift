import Glibc

/// A tenant that is given by a file instead of being created while the gateway runs.
public struct StaticTenant: Sendable {
  /// The operator's own tenant.
  public static let platformID = "platform"

  /// `platform`, or the app's name in tokens and in `?app=`.
  public var id: String
  /// Host names that belong to this tenant, in lower case.
  public var hosts: [String] = []
  /// Origins whose pages may come, as browsers write them; none is any.
  public var origins: [String] = []
  /// The plugins named in the file, in its order. Those not named are off.
  public var plugins: [Plugin] = []
  /// Credentials of the tenant's clients, known by their digests.
  public var keys: [Key] = []
  /// Secrets by name. They are sealed when the gateway first sees them.
  public var secrets: [String: SecretSource] = [:]
  /// How this tenant's WebSockets are compressed, where it differs from the other tenants'.
  public var compression = CompressionChoice()
  /// Where the tenant stands, for errors found later.
  var origin: Origin?

  /// Decided by the id alone.
  public var kind: TenantKind { TenantKind(of: id) }

  /// A plugin's settings for this tenant.
  public struct Plugin: Sendable, Hashable {
    /// The plugin's id, as in its manifest.
    public var id: String
    /// False keeps the settings and runs nothing.
    public var isEnabled: Bool
    /// An object, not yet checked against the plugin's schema: ``SluiceConfiguration/check(installed:)``.
    public var config: ConfigValue

    /// - Parameter config: an object.
    public init(id: String, isEnabled: Bool = true, config: ConfigValue = .object([])) {
      self.id = id
      self.isEnabled = isEnabled
      self.config = config
    }
  }

  /// A key of this tenant. Only its digest is known.
  public struct Key: Sendable, Hashable {
    /// What a key is for, by its prefix.
    public enum Kind: String, Sendable, CaseIterable {
      /// `sk_…`: an app's server.
      case secret
      /// `pk_…`: names the app, grants nothing.
      case publishable
    }

    /// The principal's id when the key is used; unique in the tenant.
    public var id: String
    /// The SHA-256 of the key, 32 bytes.
    public var digest: [UInt8]
    /// Whether the key may act, or only names the app.
    public var kind: Kind
    /// What the key may do; `*` is everything.
    public var scopes: [DottedPattern]
  }

  struct Origin: Sendable {
    let source: ConfigText
    let pointer: String
  }

  /// A tenant without plugins, keys, hosts and secrets.
  public init(id: String) {
    self.id = id
  }
}

/// Where a secret comes from. Its description never shows it.
public enum SecretSource: Sendable, Hashable, CustomStringConvertible, CustomReflectable {
  case literal(String)
  case environment(String)

  /// The secret itself; `nil` when the environment variable is not set or empty.
  ///
  /// Control thread only, as it reads the environment.
  public func resolve() -> String? {
    switch self {
    case .literal(let text): return text
    case .environment(let name):
      guard let value = getenv(name), value.pointee != 0 else { return nil }
      return String(cString: value)
    }
  }

  public var description: String {
    switch self {
    case .literal: "(a secret)"
    case .environment(let name): "env:\(name)"
    }
  }

  public var customMirror: Mirror { Mirror(reflecting: description) }
}

/// The two kinds of tenant.
public enum TenantKind: String, Sendable, CaseIterable {
  /// The operator's own, where the developers' accounts live.
  case platform
  /// A developer's.
  case app

  /// The kind of the tenant with this id.
  init(of tenant: String) { self = tenant == StaticTenant.platformID ? .platform : .app }
}
