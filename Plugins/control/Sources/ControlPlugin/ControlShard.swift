public import PluginKit

/// The plugin on one loop.
public final class ControlShard: PluginShard {
  let settings: ControlSettings
  let context: ShardContext
  /// Where those wait who append to the audit log.
  let auditLine = AuditLine()
  let auditAnchor: AuditAnchor
  /// Of all loops.
  let changeDesk: ChangeDesk
  let nameServer: NameServer
  /// Of all loops.
  let proofDesk: ProofDesk

  init(
    _ settings: ControlSettings, _ anchor: AuditAnchor, _ changeDesk: ChangeDesk,
    _ nameServer: NameServer, _ proofDesk: ProofDesk, _ context: ShardContext
  ) {
    self.settings = settings
    auditAnchor = anchor
    self.changeDesk = changeDesk
    self.nameServer = nameServer
    self.proofDesk = proofDesk
    self.context = context
    beginSweeping()
  }

  /// The routes that `plugin.json` declares.
  public static func register(_ on: inout Registry<ControlShard>) {
    on.route("create_app", ControlShard.createApp)
    on.route("list_apps", ControlShard.listApps)
    on.route("read_app", ControlShard.readApp)
    on.route("change_app", oneAtATime(ControlShard.changeApp))
    on.route("delete_app", ControlShard.deleteApp)

    on.route("transfer_app", ControlShard.transferApp)
    on.route("list_audit", ControlShard.listAudit)

    on.authorize("may_repeat") { try await $0.mayRepeat($1) }

    on.route("list_members", ControlShard.listMembers)
    on.route("change_member", ControlShard.changeMember)
    on.route("remove_member", ControlShard.removeMember)

    on.route("invite", ControlShard.invite)
    on.route("list_invitations", ControlShard.listInvitations)
    on.route("withdraw_invitation", ControlShard.withdrawInvitation)
    on.route("accept_invitation", ControlShard.acceptInvitation)

    on.route("create_key", ControlShard.createKey)
    on.route("list_keys", ControlShard.listKeys)
    on.route("read_key", ControlShard.readKey)
    on.route("change_key", oneAtATime(ControlShard.changeKey))
    on.route("rotate_key", oneAtATime(ControlShard.rotateKey))
    on.route("delete_key", oneAtATime(ControlShard.deleteKey))
    on.route("rotate_signing_secret", oneAtATime(ControlShard.rotateSigningSecret))

    on.route("list_domains", ControlShard.listDomains)
    on.route("read_domain", ControlShard.readDomain)
    on.route("put_domain", oneAtATime(ControlShard.putDomain))
    on.route("delete_domain", oneAtATime(ControlShard.deleteDomain))
    on.route("verify_domain", oneAtATime(ControlShard.verifyDomain))
    on.route("read_branding", ControlShard.readBranding)
    on.route("put_branding", oneAtATime(ControlShard.putBranding))

    on.route("list_plugins", ControlShard.listInstalledPlugins)
    on.route("list_app_plugins", ControlShard.listAppPlugins)
    on.route("read_app_plugin", ControlShard.readAppPlugin)
    on.route("set_app_plugin", oneAtATime(ControlShard.setAppPlugin))

    on.route("read_usage", ControlShard.readUsage)

    on.service("sluice.account-ties/1", method: 1) {
      (shard, query: TiesQuery) async throws -> TiesReply in
      try await shard.depart(query)
    }
    on.service("sluice.account-ties/1", method: 2) {
      (shard, query: TiesQuery) async throws -> TiesSettled in
      try await shard.settle(query)
      return TiesSettled()
    }
    on.event("*.audit.noted") { shard, event async throws in try await shard.noted(event) }
  }
}

extension Request {
  /// How many elements a page may have; the manifest bounds it.
  var pageLimit: Int { query("limit").flatMap { Int($0) } ?? 25 }
  /// The id after which a page begins.
  var pageStart: String { query("after") ?? "" }
}

extension Page where Element: Identifiable, Element.ID == String {
  /// What a request asks for of a list that is known as a whole, in the order of its ids.
  init(_ list: [Element], for request: Request) {
    let (start, limit) = (request.pageStart, request.pageLimit)
    let rest = list.filter { $0.id > start }.sorted { $0.id < $1.id }
    self.init(
      data: Array(rest.prefix(limit)), next: rest.count > limit ? rest[limit - 1].id : nil)
  }
}

extension Rows {
  /// The page of rows that were read with a limit of one more than `limit`.
  func page<Element: Codable & Identifiable>(
    of _: Element.Type, limit: Int
  ) throws -> Page<Element> where Element.ID == String {
    let elements: [Element] = try prefix(limit).map { try $0.decode() }
    return Page(data: elements, next: count > limit ? elements.last?.id : nil)
  }
}
