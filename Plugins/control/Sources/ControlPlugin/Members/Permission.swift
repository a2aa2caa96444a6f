/// Something that is done to an app, and the one table of who may do it.
///
/// Every handler asks for one of these, and none decides by itself. What depends on more than the route (an admin gives
/// nobody a role above its own) is in the handler, and only ever takes away.
enum Permission: String, CaseIterable {
  case readApp, changeApp, deleteApp
  case readMembers, changeMembers, leave, transfer
  case readInvitations, invite, withdrawInvitation
  case readKeys, makeKey, changeKey, rotateKey, deleteKey
  case rotateSigningSecret
  case readPlugins, setPlugin
  case readUsage
  case readDomains, changeDomains
  case readBranding, changeBranding
  case readAudit

  /// The least role that may.
  var least: Role {
    switch self {
    case .readApp, .readMembers, .leave, .readInvitations, .readKeys, .readPlugins, .readUsage,
      .readDomains, .readBranding:
      .viewer
    case .makeKey, .changeKey, .rotateKey, .deleteKey, .setPlugin: .developer
    case .changeApp, .changeMembers, .invite, .withdrawInvitation, .rotateSigningSecret,
      .changeDomains, .changeBranding, .readAudit:
      .admin
    case .deleteApp, .transfer: .owner
    }
  }

  /// Whether it changes nothing.
  var isReading: Bool { action.hasSuffix(".read") }

  /// What the audit log calls it.
  var action: String {
    switch self {
    case .readApp: "app.read"
    case .changeApp: "app.changed"
    case .deleteApp: "app.deleted"
    case .readMembers: "members.read"
    case .changeMembers: "member.changed"
    case .leave: "member.removed"
    case .transfer: "app.transferred"
    case .readInvitations: "invitations.read"
    case .invite: "invitation.created"
    case .withdrawInvitation: "invitation.withdrawn"
    case .readKeys: "keys.read"
    case .makeKey: "key.created"
    case .changeKey: "key.changed"
    case .rotateKey: "key.rotated"
    case .deleteKey: "key.deleted"
    case .rotateSigningSecret: "signing_secret.rotated"
    case .readPlugins: "plugins.read"
    case .setPlugin: "plugin.set"
    case .readUsage: "usage.read"
    case .readDomains: "domains.read"
    case .changeDomains: "domain.changed"
    case .readBranding: "branding.read"
    case .changeBranding: "branding.changed"
    case .readAudit: "audit.read"
    }
  }
}
