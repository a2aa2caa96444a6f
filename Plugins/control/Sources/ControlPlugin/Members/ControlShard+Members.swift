internal import PluginKit

/// A member, as members see each other.
private struct Member: Encodable, Identifiable {
  var id: String
  /// Absent where nobody knows the account any more.
  var email: String?
  var name: String?
  var role: Role
  var createdAt: Timestamp

  enum CodingKeys: String, CodingKey {
    case email, name, role
    case id = "account"
    case createdAt = "created_at"
  }
}

/// What of a member the audit log remembers.
struct MemberState: Encodable {
  var role: Role
}

extension ControlShard {
  private static let unknownMember = Problem.notFound("The app has no such member.")
  private static let lastOwner = Problem.conflict(
    "An app has an owner at all times: make somebody else an owner first.")

  /// `GET /v1/apps/{app}/members`, in the order of the accounts' ids.
  func listMembers(_ request: Request) async throws -> Response {
    let app = try await app(of: request, for: .readMembers)
    let limit = request.pageLimit
    let rows = try await context.store.read(
      """
      SELECT account_id, role, created_at FROM control_members
      WHERE app_id = \(app.id) AND account_id > \(request.pageStart)
      ORDER BY account_id LIMIT \(limit + 1)
      """)
    let ids = try rows.prefix(limit).map { try $0["account_id", String.self] }
    let known = try await AccountDirectory(context: context).find(ids)
    let members = try rows.prefix(limit).enumerated().map { index, row in
      Member(
        id: ids[index], email: known[ids[index]]?.email, name: known[ids[index]]?.name,
        role: try ControlShard.role(try row["role", String.self]),
        createdAt: Timestamp(unixMilliseconds: try row["created_at", Int64.self]))
    }
    return try .json(Page(data: members, next: rows.count > limit ? members.last?.id : nil))
  }

  private struct Change: Decodable {
    var role: Role
  }

  /// `PATCH /v1/apps/{app}/members/{account}`
  func changeMember(_ request: Request) async throws -> Response {
    let role = try request.decode(Change.self).role
    let mine = try await membership(request, .changeMembers)
    let account = try request.parameter(1)
    let member = try await member(account, of: mine.app)
    guard mine.role >= max(role, member.role) else {
      try await refuse(
        request, mine.app, Permission.changeMembers.action, target: account,
        "Only an owner changes who is an owner.")
    }
    var batch = Batch()
    batch.add(
      SQL(
        """
        UPDATE control_members SET role = \(role.rawValue)
        WHERE app_id = \(mine.app.id) AND account_id = \(account) AND role = \(member.role.rawValue)
          AND (\(role.rawValue) = \(Role.owner.rawValue) OR \(raw: Self.keepsAnOwner))
        """
      ).expect(exactly: 1))
    batch.add(ControlShard.withdrawal(of: account, in: mine.app.id, left: role))
    let room = role == .owner ? batch.add(hasRoomToOwn(account)) : nil
    try await changeOwners(
      batch, room: room,
      try audit(
        request, Permission.changeMembers.action, of: mine.app.id, target: account,
        before: MemberState(role: member.role), after: MemberState(role: role)),
      by: Authority(request, .changeMembers, of: mine.app, least: max(role, member.role)))
    let known = try await AccountDirectory(context: context).find([account])[account]
    return try .json(
      Member(
        id: account, email: known?.email, name: known?.name, role: role,
        createdAt: member.createdAt))
  }

  /// `DELETE /v1/apps/{app}/members/{account}`: also by whoever leaves.
  func removeMember(_ request: Request) async throws -> Response {
    let account = try request.parameter(1)
    let isLeaving = account == request.principal.id
    let mine = try await membership(request, isLeaving ? .leave : .changeMembers)
    let member = try await member(account, of: mine.app)
    guard mine.role >= member.role else {
      try await refuse(
        request, mine.app, Permission.leave.action, target: account,
        "Only an owner removes an owner.")
    }
    var batch = Batch()
    batch.add(
      SQL(
        """
        DELETE FROM control_members
        WHERE app_id = \(mine.app.id) AND account_id = \(account) AND role = \(member.role.rawValue)
          AND \(raw: Self.keepsAnOwner)
        """
      ).expect(exactly: 1))
    batch.add(ControlShard.withdrawal(of: account, in: mine.app.id, left: nil))
    try await changeOwners(
      batch,
      try audit(
        request, Permission.leave.action, of: mine.app.id, target: account,
        before: MemberState(role: member.role), after: MemberState?.none),
      by: Authority(
        request, isLeaving ? .leave : .changeMembers, of: mine.app,
        least: isLeaving ? nil : member.role))
    return .empty(204)
  }

  private struct Successor: Decodable {
    var account: String
  }

  /// `POST /v1/apps/{app}/transfer`: the successor becomes an owner and whoever asks an admin, both at once.
  func transferApp(_ request: Request) async throws -> Response {
    let successor = try request.decode(Successor.self).account
    let app = try await app(of: request, for: .transfer)
    let member = try await member(successor, of: app)
    guard successor != request.principal.id else {
      throw Problem.invalid(pointer: "/account", "The app is yours already.")
    }
    let record = try audit(
      request, Permission.transfer.action, of: app.id, target: successor,
      before: MemberState(role: member.role), after: MemberState(role: .owner))
    var batch = Batch()
    batch.add(
      SQL(
        """
        UPDATE control_members SET role = \(Role.owner.rawValue)
        WHERE app_id = \(app.id) AND account_id = \(successor)
        """
      ).expect(exactly: 1))
    batch.add(
      SQL(
        """
        UPDATE control_members SET role = \(Role.admin.rawValue)
        WHERE app_id = \(app.id) AND account_id = \(request.principal.id)
          AND role = \(Role.owner.rawValue)
        """
      ).expect(exactly: 1))
    let stays = batch.add(ControlShard.stays(successor))
    batch.add(ControlShard.withdrawal(of: request.principal.id, in: app.id, left: .admin))
    let room = batch.add(hasRoomToOwn(successor))
    do {
      try await commit(batch, record, by: Authority(request, .transfer, of: app))
    } catch StoreError.conflict(.some(let statement), _) where [0, stays].contains(statement) {
      throw ControlShard.unknownMember
    } catch StoreError.conflict(statement: room, _) {
      throw ownsEnough
    }
    return .empty(204)
  }

  private struct StoredMember {
    var role: Role
    var createdAt: Timestamp
  }

  private func member(_ account: String, of app: App) async throws -> StoredMember {
    let rows = try await context.store.read(
      """
      SELECT role, created_at FROM control_members
      WHERE app_id = \(app.id) AND account_id = \(account)
      """)
    guard let row = rows.first else { throw ControlShard.unknownMember }
    return StoredMember(
      role: try ControlShard.role(try row["role", String.self]),
      createdAt: Timestamp(unixMilliseconds: try row["created_at", Int64.self]))
  }

  /// Of a row of `control_members`: whether the app has an owner when it is one no longer. Who is about to go is none.
  static let keepsAnOwner = """
    (role <> 'owner' OR EXISTS (SELECT 1 FROM control_members AS o
      WHERE o.app_id = control_members.app_id AND o.role = 'owner'
        AND o.account_id <> control_members.account_id
        AND NOT EXISTS (SELECT 1 FROM control_departures AS d WHERE d.account_id = o.account_id)))
    """

  /// Commits a batch whose first statement would take the last owner away, or finds that it is changed meanwhile.
  ///
  /// - Parameter room: the statement that looks whether the account may own one more app; nil where it becomes no owner.
  private func changeOwners(
    _ batch: Batch, room: Int? = nil, _ record: AuditRecord, by authority: Authority
  ) async throws {
    do {
      try await commit(batch, record, by: authority)
    } catch StoreError.conflict(statement: 0, _) {
      throw ControlShard.lastOwner
    } catch StoreError.conflict(.some(let statement), _) where statement == room {
      throw ownsEnough
    }
  }
}
