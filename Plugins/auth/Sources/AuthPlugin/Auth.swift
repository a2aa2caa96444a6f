public import PluginKit

/// Accounts and sessions on the tenant `platform`, users and their tokens on an app's tenant, and on
/// both the answer to "who is this?".
public struct Auth: Plugin {
  let settings: AuthSettings
  let accountSettings: AccountSettings

  /// - Throws: when the tenant's settings are not those of `plugin.json`.
  public init(_ context: InstanceContext) throws {
    settings = try context.config()
    accountSettings = context.tenant == "platform" ? try context.config() : .none
    try accountSettings.check()
  }

  /// Accounts on the tenant `platform`, an app's users everywhere else.
  public func makeShard(_ context: ShardContext) throws -> AuthShard {
    AuthShard(settings, accountSettings, context)
  }
}

/// One tenant's settings, as the manifest's `config` describes them.
struct AuthSettings: Decodable {
  /// How long an account's access token is good, in seconds.
  var accessTokenSeconds: Int64
  /// How long a session lives after it was last refreshed, in days.
  var sessionDays: Int64
  /// How long a user's token is good when `POST /v1/tokens` does not say, in seconds.
  var userTokenSeconds: Int64
  /// Whether a user's token may lack `iss`: then the app is known by its host name or `?app=`.
  var issuerIsOptional: Bool
  /// Whether a user's token may lack `exp`: then it is good until the signing secret is changed.
  var expiryIsOptional: Bool

  enum CodingKeys: String, CodingKey {
    case accessTokenSeconds = "access_token_seconds"
    case sessionDays = "session_days"
    case userTokenSeconds = "user_token_seconds"
    case issuerIsOptional = "user_token_issuer_optional"
    case expiryIsOptional = "user_token_expiry_optional"
  }
}
