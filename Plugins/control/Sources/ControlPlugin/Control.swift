public import PluginKit

/// The control plane, on the tenant `platform`: developers' apps, the apps' keys and their plugins.
public struct Control: Plugin {
  let settings: ControlSettings
  private let anchor: AuditAnchor
  private let changeDesk: ChangeDesk
  private let nameServer: NameServer
  private let proofDesk = ProofDesk()

  /// - Throws: when the operator's settings are not those of `plugin.json`.
  public init(_ context: InstanceContext) throws {
    settings = try context.config()
    try settings.check()
    nameServer = try NameServer(settings.nameServer)
    let folder = try context.folder()
    anchor = AuditAnchor(folder: folder)
    changeDesk = try ChangeDesk(
      folder: folder, owner: ChangeDesk.number(try context.random.bytes(8)))
  }

  /// One for each loop; they share nothing but the platform's tables.
  public func makeShard(_ context: ShardContext) throws -> ControlShard {
    ControlShard(settings, anchor, changeDesk, nameServer, proofDesk, context)
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
  /// Letters of one account in a day, over all apps.
  var invitationsPerAccount: Int
  /// Letters to one address in an hour, over all apps.
  var invitationsPerAddress: Int
  /// How long an invitation can be accepted.
  var invitationSeconds: Int64
  /// The page at which an invitation is accepted, with `{code}` in it.
  var invitationPage: String?
  /// Host names that apps may have.
  var domains: [DomainGrant]
  /// How an app shows that a host name is its own.
  var domainProof: Proof
  /// How many host names of an app may wait for their proof.
  var unprovenDomainsPerApp: Int
  /// How long a host name may wait for its proof.
  var unprovenDomainSeconds: Int64
  /// Where the DNS is asked; see ``NameServer``.
  var nameServer: String

  enum Proof: String, Decodable {
    case dns, none
  }

  enum CodingKeys: String, CodingKey {
    case plan
    case appsPerAccount = "apps_per_account"
    case domains
    case domainProof = "domain_proof"
    case unprovenDomainsPerApp = "unproven_domains_per_app"
    case unprovenDomainSeconds = "unproven_domain_seconds"
    case nameServer = "dns_server"
    case keysPerApp = "keys_per_app"
    case membersPerApp = "members_per_app"
    case invitationsPerDay = "invitations_per_day"
    case invitationsPerAccount = "invitations_per_account"
    case invitationsPerAddress = "invitations_per_address"
    case invitationSeconds = "invitation_seconds"
    case invitationPage = "invitation_page"
  }

  /// How long a host name may wait for its proof, in milliseconds.
  var claimPatience: Int64 { unprovenDomainSeconds * 1_000 }

  /// Checks what a schema cannot say.
  func check() throws {
    guard domainProof == .none else { return }
    for (place, grant) in domains.enumerated() where grant.host == "*" {
      throw ConfigurationError(
        pointer: "/domains/\(place)/host",
        message: "Any host name is granted only where names are proven: with domain_proof \"dns\".")
    }
  }
}
