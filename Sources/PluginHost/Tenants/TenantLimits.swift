/// How much the gateway keeps of one tenant; beyond is ``TenantError/Code/limitExceeded``.
public enum TenantLimits {
  /// Plugins with settings.
  public static let plugins = 100
  /// A plugin's settings, in bytes of JSON.
  public static let configBytes = 64 << 10
  /// Host names.
  public static let hosts = 100
  /// Allowed origins.
  public static let origins = 100
  /// Credentials.
  public static let keys = 1_000
  /// Scopes of one credential, and the bytes of one scope.
  public static let scopes = 100
  /// The bytes of one scope.
  public static let scopeBytes = 128
  /// A secret, in bytes.
  public static let secretBytes = 64 << 10
  /// Secrets, and their bytes together.
  public static let secrets = 16_384
  /// The bytes of those secrets together.
  public static let allSecretBytes = 8 << 20
  /// How long an expired credential is remembered, in milliseconds.
  public static let expiredKeyRetention: Int64 = 24 * 3_600_000

  /// Changes that wait to be written, and their bytes, of the whole gateway; beyond is
  /// ``TenantError/Code/overloaded``.
  static let waitingWrites = 8_192
  static let waitingBytes = 64 << 20
  /// Changes, and bytes of changes, in one commit.
  static let groupWrites = 128
  static let groupBytes = 4 << 20
}
