internal import PluginKit

/// What `sluice.account-ties/1` is asked.
struct TiesQuery: Codable {
  var account: String
  /// Where who asks is, and in which request: for the audit log.
  var address: String
  var requestID: String

  enum CodingKeys: String, CodingKey {
    case account, address
    case requestID = "request_id"
  }
}

/// What it answers.
struct TiesReply: Codable {
  struct Kept: Codable {
    var id: String
    var name: String
  }

  /// Apps that the account alone owns; none where nothing is the account's any more.
  var keptBy: [Kept]
  /// Whether there are more.
  var more: Bool

  enum CodingKeys: String, CodingKey {
    case more
    case keptBy = "kept_by"
  }
}

extension ControlShard {
  /// How many apps one answer names.
  private static let named = 10

  /// Takes an account out of its apps, unless it is the only owner of one.
  func release(_ query: TiesQuery) async throws -> TiesReply {
    while true {
      let owned = try await appsOwnedAlone(by: query.account)
      guard owned.isEmpty else {
        return TiesReply(
          keptBy: Array(owned.prefix(ControlShard.named)), more: owned.count > ControlShard.named)
      }
      let rows = try await context.store.read(
        """
        SELECT m.app_id AS app, m.role AS role FROM control_members m
        JOIN control_apps a ON a.id = m.app_id
        WHERE m.account_id = \(query.account) AND a.state = \(Stage.ready)
        ORDER BY m.app_id LIMIT 100
        """)
      guard !rows.isEmpty else { return TiesReply(keptBy: [], more: false) }
      for row in rows {
        let role = try ControlShard.role(try row["role", String.self])
        // Where the account has become the last owner, or has another role by now, it is looked again.
        guard try await leave(try row["app", String.self], role, query) else { break }
      }
    }
  }

  private func appsOwnedAlone(by account: String) async throws -> [TiesReply.Kept] {
    try await context.store.read(
      """
      SELECT a.id AS id, a.name AS name FROM control_members
      JOIN control_apps a ON a.id = control_members.app_id
      WHERE control_members.account_id = \(account) AND a.state = \(Stage.ready)
        AND NOT \(raw: ControlShard.keepsAnOwner)
      ORDER BY a.id LIMIT \(ControlShard.named + 1)
      """
    ).decode()
  }

  /// Whether the account has left the app: not where it is the last owner.
  private func leave(_ app: String, _ role: Role, _ query: TiesQuery) async throws -> Bool {
    var batch = Batch()
    batch.add(
      SQL(
        """
        DELETE FROM control_members
        WHERE app_id = \(app) AND account_id = \(query.account) AND role = \(role.rawValue)
          AND \(raw: ControlShard.keepsAnOwner)
        """
      ).expect(exactly: 1))
    batch.add(
      "DELETE FROM control_invitations WHERE app_id = \(app) AND invited_by = \(query.account)")
    let record = AuditRecord(
      id: try context.id.make("aud"), createdAt: try context.clock.now(), app: app,
      actorKind: Principal.Kind.account.rawValue, actor: query.account, address: query.address,
      requestID: query.requestID, action: Permission.leave.action, outcome: .done,
      target: query.account, before: try RawJSON(encoding: MemberState(role: role)))
    do {
      try await commit(batch, record, by: nil)
      return true
    } catch StoreError.conflict(statement: 0, _) {
      return false
    }
  }
}
