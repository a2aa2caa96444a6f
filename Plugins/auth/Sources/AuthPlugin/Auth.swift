public import PluginKit

/// Accounts and sessions on the tenant `platform`, users and their tokens on an app's tenant, and on
/// both the answer to "who is this?".
public struct Auth: Plugin {
  let settings: AuthSettings
  let accountSettings: AccountSettings
  private let hashing: HashingQueue

  /// - Throws: when the tenant's settings are not those of `plugin.json`.
  public init(_ context: InstanceContext) throws {
    settings = try context.config()
    accountSettings = context.tenant == "platform" ? try context.config() : .none
    try accountSettings.check()
    hashing = HashingQueue(perNetwork: accountSettings.passwordJobsPerNetwork)
    // Each shard reads the keys anew, for itself; whoever sets them is told now.
    _ = try TrustedIssuers(settings.issuers, of: context.tenant)
  }

  /// Accounts on the tenant `platform`, an app's users everywhere else.
  public func makeShard(_ context: ShardContext) throws -> AuthShard {
    try AuthShard(settings, accountSettings, hashing, context)
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
  /// Who issues tokens for an app's users besides the app itself.
  var issuers: [IssuerSettings]
  /// Whether the app's clients may make guests with its public key.
  var allowsGuests: Bool
  /// How long a guest stays, in seconds, and is let in by the one token that there is.
  var guestSeconds: Int64
  /// How many guests may come from one address in an hour.
  var guestsPerAddress: Int64
  /// How many guests there may be.
  var guestLimit: Int64
  /// The scopes of a user whose token states none.
  var userScopes: [String]
  /// The scopes that a guest has.
  var guestScopes: [String]

  enum CodingKeys: String, CodingKey {
    case accessTokenSeconds = "access_token_seconds"
    case sessionDays = "session_days"
    case userTokenSeconds = "user_token_seconds"
    case issuerIsOptional = "user_token_issuer_optional"
    case expiryIsOptional = "user_token_expiry_optional"
    case issuers
    case allowsGuests = "allow_guests"
    case guestSeconds = "guest_seconds"
    case guestsPerAddress = "guests_per_address"
    case guestLimit = "guest_limit"
    case userScopes = "user_scopes"
    case guestScopes = "guest_scopes"
  }
}
