public import PluginKit

/// The control plane, on the tenant `platform`: developers' apps, the apps' keys and their plugins.
public struct Control: Plugin {
  let settings: ControlSettings
  private let anchor: AuditAnchor

  /// - Throws: when the operator's settings are not those of `plugin.json`.
  public init(_ context: InstanceContext) throws {
    settings = try context.config()
    anchor = AuditAnchor(folder: try context.folder())
  }

  /// One for each loop; they share nothing but the platform's tables.
  public func makeShard(_ context: ShardContext) throws -> ControlShard {
    ControlShard(settings, anchor, context)
  }
}

/// The operator's settings, as the manifest's `config` describes them.
struct ControlSettings: Decodable {
  /// The plan that new apps are on.
  var plan: String
  var appsPerAccount: Int
  var keysPerApp: Int
  var membersPerApp: Int
  var invitationsPerDay: Int
  /// How long an invitation can be accepted.
  var invitationSeconds: Int64
  /// The page at which an invitation is accepted, with `{code}` in it.
  var invitationPage: String?
  /// Host names that apps may have.
  var domains: [DomainGrant]

  enum CodingKeys: String, CodingKey {
    case plan
    case appsPerAccount = "apps_per_account"
    case domains
    case keysPerApp = "keys_per_app"
    case membersPerApp = "members_per_app"
    case invitationsPerDay = "invitations_per_day"
    case invitationSeconds = "invitation_seconds"
    case invitationPage = "invitation_page"
  }
}
