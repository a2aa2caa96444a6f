internal import PluginCrypto
internal import PluginKit

extension ControlShard {
  private struct NewInvitation: Decodable {
    var email: String
    var role: Role
  }

  /// `POST /v1/apps/{app}/invitations`
  ///
  /// Its row is committed first, then the letter handed over. A letter that is not taken takes the row back; a crash in
  /// between leaves an invitation that nobody has, which the next one to the same address replaces.
  func invite(_ request: Request) async throws -> Response {
    let form = try request.decode(NewInvitation.self)
    let mine = try await membership(request, .invite)
    guard mine.role >= form.role else {
      try await refuse(
        request, mine.app, Permission.invite.action, "Only an owner invites an owner.")
    }
    let email = try EmailAddress(form.email).text
    let inviter = try await verifiedAddress(of: request.principal.id)
    let now = try context.clock.now()
    let invitation = Invitation(
      id: try context.id.make("inv"), email: email, role: form.role,
      invitedBy: request.principal.id, createdAt: now,
      expiresAt: now.adding(milliseconds: settings.invitationSeconds * 1_000))
    let code = KeyText(prefix: "ic_", random: try context.random.bytes(32))
    try await commit(invitation, code, of: mine.app, request)
    do {
      try await Letter(
        invitation, code: code.text, app: mine.app, from: inviter, page: settings.invitationPage
      ).send(context)
    } catch {
      var batch = Batch()
      batch.isApartFromRequest = true
      batch.add(SQL("DELETE FROM control_invitations WHERE id = \(invitation.id)"))
      batch.add(InvitationLetters.forgetting(invitation))
      _ = try? await commit(
        batch,
        try audit(
          request, Permission.withdrawInvitation.action, of: mine.app.id, target: invitation.id,
          before: InvitationState(email: email, role: form.role), after: InvitationState?.none),
        by: nil)
      throw error
    }
    return try .json(invitation, status: 201)
  }

  /// Milliseconds over which invitations are counted.
  private static let countedFor: Int64 = 86_400_000

  private func commit(
    _ invitation: Invitation, _ code: KeyText, of app: App, _ request: Request
  ) async throws {
    let isMember = try await self.isMember(invitation.email, of: app)
    guard !isMember else { throw Problem.conflict("Whoever has this address is a member already.") }
    let since = invitation.createdAt.adding(milliseconds: -ControlShard.countedFor)
    var batch = Batch()
    // What came to nothing, because no letter could be sent, is done anew and is no effect.
    batch.isApartFromRequest = true
    batch.add(
      SQL(
        """
        DELETE FROM control_invitations
        WHERE app_id = \(app.id) AND (email = \(invitation.email) OR expires_at <= \(invitation.createdAt))
        """))
    batch.add(
      SQL(
        """
        INSERT INTO control_invitations
          (id, app_id, email, role, digest, invited_by, created_at, expires_at)
        SELECT \(invitation.id), \(app.id), \(invitation.email), \(invitation.role.rawValue),
          \(code.digest.hexadecimal), \(invitation.invitedBy), \(invitation.createdAt),
          \(invitation.expiresAt)
        WHERE (SELECT COUNT(*) FROM control_audit WHERE app_id = \(app.id) AND created_at > \(since)
            AND action = \(Permission.invite.action) AND outcome = \(AuditRecord.Outcome.done.rawValue))
          < \(settings.invitationsPerDay)
        """
      ).expect(exactly: 1))
    let letters = InvitationLetters(settings)
    for statement in letters.counting(invitation) { batch.add(statement) }
    do {
      try await commit(
        batch,
        try audit(
          request, Permission.invite.action, of: app.id, target: invitation.id,
          before: InvitationState?.none,
          after: InvitationState(email: invitation.email, role: invitation.role)),
        by: Authority(request, .invite, of: app, least: invitation.role))
    } catch StoreError.conflict(statement: 1, _) {
      throw Problem(
        status: 403, code: "quota_exceeded",
        detail: "An app sends at most \(settings.invitationsPerDay) invitations a day.")
    } catch StoreError.conflict(statement: 2, _) {
      throw letters.tooManyFromAccount
    } catch StoreError.conflict(statement: 3, _) {
      throw letters.tooManyToAddress
    }
  }

  /// Whether one of the app's members has the address, as far as their accounts are known.
  private func isMember(_ email: String, of app: App) async throws -> Bool {
    var last = ""
    while true {
      let rows = try await context.store.read(
        """
        SELECT account_id FROM control_members
        WHERE app_id = \(app.id) AND account_id > \(last) ORDER BY account_id LIMIT 100
        """)
      let ids = try rows.map { try $0["account_id", String.self] }
      let known = try await AccountDirectory(context: context).find(ids)
      if known.values.contains(where: { $0.email == email }) { return true }
      guard ids.count == 100, let end = ids.last else { return false }
      last = end
    }
  }

  /// `GET /v1/apps/{app}/invitations`: those that can be accepted, oldest first.
  func listInvitations(_ request: Request) async throws -> Response {
    let app = try await app(of: request, for: .readInvitations)
    let limit = request.pageLimit
    let rows = try await context.store.read(
      """
      SELECT id, email, role, invited_by, created_at, expires_at FROM control_invitations
      WHERE app_id = \(app.id) AND expires_at > \(try context.clock.now())
        AND id > \(request.pageStart)
      ORDER BY id LIMIT \(limit + 1)
      """)
    return try .json(try rows.page(of: Invitation.self, limit: limit))
  }

  /// `DELETE /v1/apps/{app}/invitations/{invitation}`: its code is worth nothing any more.
  func withdrawInvitation(_ request: Request) async throws -> Response {
    let app = try await app(of: request, for: .withdrawInvitation)
    let id = try request.parameter(1)
    let rows = try await context.store.read(
      """
      SELECT id, email, role, invited_by, created_at, expires_at FROM control_invitations
      WHERE id = \(id) AND app_id = \(app.id)
      """)
    guard let known = try rows.first?.decode(Invitation.self) else {
      throw ControlShard.unknownInvitation
    }
    var batch = Batch()
    batch.add(SQL("DELETE FROM control_invitations WHERE id = \(id)").expect(exactly: 1))
    do {
      try await commit(
        batch,
        try audit(
          request, Permission.withdrawInvitation.action, of: app.id, target: id,
          before: InvitationState(email: known.email, role: known.role),
          after: InvitationState?.none), by: Authority(request, .withdrawInvitation, of: app))
    } catch StoreError.conflict(statement: 0, _) {
      throw ControlShard.unknownInvitation
    }
    return .empty(204)
  }

  private static let unknownInvitation = Problem.notFound("The app has no such invitation.")

  private struct Acceptance: Decodable {
    var code: String
  }

  private struct Invited: Decodable {
    var id: String
    var email: String
    var role: Role
    var expiresAt: Timestamp
    var appID: String

    enum CodingKeys: String, CodingKey {
      case id, email, role
      case expiresAt = "expires_at"
      case appID = "app_id"
    }
  }

  /// `POST /v1/invitations/accept`: for the account that has the address which was invited. For everybody else there is
  /// no such invitation.
  func acceptInvitation(_ request: Request) async throws -> Response {
    let code = try request.decode(Acceptance.self).code
    let account = request.principal.id
    let unknown = Problem.notFound("There is no such invitation for you.")
    let rows = try await context.store.read(
      """
      SELECT i.id AS id, i.email AS email, i.role AS role, i.expires_at AS expires_at,
        i.app_id AS app_id
      FROM control_invitations i JOIN control_apps a ON a.id = i.app_id
      WHERE i.digest = \(Digest.sha256(code).hexadecimal) AND a.state = \(Stage.ready)
      """)
    guard let invited = try rows.first?.decode(Invited.self) else { throw unknown }
    let known = try await AccountDirectory(context: context).find([account])
    guard known[account]?.email == invited.email else { throw unknown }
    let now = try context.clock.now()
    guard now < invited.expiresAt else {
      throw Problem.gone("The invitation has expired. Ask for another.")
    }
    var batch = Batch()
    batch.add(
      SQL(
        """
        DELETE FROM control_invitations WHERE id = \(invited.id)
          AND \(raw: ControlShard.isVouchedFor)
        """
      ).expect(exactly: 1))
    batch.add(
      SQL(
        """
        INSERT INTO control_members (app_id, account_id, role, created_at)
        SELECT \(invited.appID), \(account), \(invited.role.rawValue), \(now)
        WHERE NOT EXISTS (SELECT 1 FROM control_members
            WHERE app_id = \(invited.appID) AND account_id = \(account))
          AND EXISTS (SELECT 1 FROM control_apps WHERE id = \(invited.appID) AND state = \(Stage.ready))
        """
      ).expect(exactly: 1))
    batch.add(
      SQL(
        """
        SELECT id FROM control_apps WHERE id = \(invited.appID)
          AND (SELECT COUNT(*) FROM control_members WHERE app_id = \(invited.appID))
            <= \(settings.membersPerApp)
        """
      ).expect(exactly: 1))
    batch.add(ControlShard.stays(account))
    if invited.role == .owner { batch.add(hasRoomToOwn(account)) }
    do {
      try await commit(
        batch,
        try audit(
          request, "invitation.accepted", of: invited.appID, target: invited.id,
          before: MemberState?.none, after: MemberState(role: invited.role)), by: nil)
    } catch StoreError.conflict(statement: 0, _) {
      throw unknown
    } catch StoreError.conflict(statement: 1, _) {
      throw Problem.conflict("You are a member of the app already.")
    } catch StoreError.conflict(statement: 2, _) {
      throw Problem(
        status: 403, code: "quota_exceeded",
        detail: "An app has at most \(settings.membersPerApp) members.")
    } catch StoreError.conflict(statement: 3, _) {
      throw ControlShard.departing
    } catch StoreError.conflict(statement: 4, _) {
      throw ownsEnough
    }
    let apps = try await context.store.read(
      "SELECT id, name, created_at FROM control_apps WHERE id = \(invited.appID)")
    guard let row = apps.first else { throw ControlShard.unknownApp }
    guard let app = try listed(Membership(app: try row.decode(), role: invited.role)) else {
      throw ControlShard.unknownApp
    }
    return try .json(app)
  }
}
