internal import PluginKit

/// What `sluice.account-ties/1` is asked.
struct TiesQuery: Codable {
  var account: String
  /// What whoever keeps the account calls this end of it.
  var departure: String
  /// Where who asks is, and in which request: for the audit log.
  var address: String
  var requestID: String

  enum CodingKeys: String, CodingKey {
    case account, departure, address
    case requestID = "request_id"
  }
}

/// What method 1 answers.
struct TiesReply: Codable {
  struct Kept: Codable {
    var id: String
    var name: String
  }

  /// Apps that the account alone owns; none where it may end.
  var keptBy: [Kept]
  /// Whether there are more.
  var more: Bool

  enum CodingKeys: String, CodingKey {
    case more
    case keptBy = "kept_by"
  }
}

/// What method 2 answers: nothing.
struct TiesSettled: Codable {}

/// The end of an account, which another database knows.
///
/// First the account departs: one statement finds that no app is its own alone and notes it, and from then on it comes into no app
/// and counts as nobody's owner. Then the account ends, or does not, and either is settled here: by whoever ends it, or after a crash by
/// the sweep, which asks whether there is such an account.
extension ControlShard {
  /// How many apps one answer names.
  private static let named = 10

  static let departing = Problem.conflict("The account is being deleted.")

  /// A conflict where the account departs.
  static func stays(_ account: String) -> SQL {
    SQL(
      """
      SELECT 1 AS stays
      WHERE NOT EXISTS (SELECT 1 FROM control_departures WHERE account_id = \(account))
      """
    ).expect(exactly: 1)
  }

  /// The apps of an account that have no other owner, and those that it is making.
  private static func ownedAlone(by account: String) -> SQL {
    """
    SELECT a.id AS id, a.name AS name FROM control_members
    JOIN control_apps a ON a.id = control_members.app_id
    WHERE control_members.account_id = \(account) AND a.state <> \(Stage.deleting)
      AND NOT \(raw: ControlShard.keepsAnOwner)
    ORDER BY a.id LIMIT \(ControlShard.named + 1)
    """
  }

  /// Notes that an account is about to end, unless it is the only owner of an app.
  func depart(_ query: TiesQuery) async throws -> TiesReply {
    let noted = try await context.store.commit(isApartFromRequest: true) {
      SQL(
        """
        INSERT INTO control_departures (account_id, since, address, request_id, logged_request_id)
        SELECT \(query.account), \(try context.clock.now()), \(query.address),
          \(query.departure), \(query.requestID)
        WHERE NOT EXISTS (
          SELECT 1 FROM control_members JOIN control_apps a ON a.id = control_members.app_id
          WHERE control_members.account_id = \(query.account) AND a.state <> \(Stage.deleting)
            AND NOT \(raw: ControlShard.keepsAnOwner))
        ON CONFLICT (account_id, request_id) DO UPDATE SET since = excluded.since
        """)
    }
    if noted.statements[0].changed == 1 { return TiesReply(keptBy: [], more: false) }
    let owned: [TiesReply.Kept] = try await context.store.read(
      ControlShard.ownedAlone(by: query.account)
    ).decode()
    // What kept it then may have found another owner since.
    guard !owned.isEmpty else { return try await depart(query) }
    return TiesReply(
      keptBy: Array(owned.prefix(ControlShard.named)), more: owned.count > ControlShard.named)
  }

  /// Takes an account that has ended out of its apps; one that has not is what it was, unless another request is about to end it.
  ///
  /// The note of one that has ended stays until no request of it can be under way any more.
  func settle(_ query: TiesQuery) async throws {
    let known = try await AccountDirectory(context: context).find([query.account])
    if known[query.account] == nil {
      try await withdraw(query)
    } else {
      try await context.store.commit(isApartFromRequest: true) { ControlShard.forgetting(query) }
    }
  }

  private static func forgetting(_ query: TiesQuery) -> SQL {
    """
    DELETE FROM control_departures
    WHERE account_id = \(query.account) AND request_id = \(query.departure)
    """
  }

  /// Settles departures that nobody has settled, and forgets those of accounts that are long gone.
  func settleDepartures(before edge: Timestamp) async throws {
    let left: [TiesQuery] = try await context.store.read(
      """
      SELECT account_id AS account, request_id AS departure, address,
        COALESCE(logged_request_id, request_id) AS request_id
      FROM control_departures
      WHERE since <= \(edge) ORDER BY since, account_id LIMIT \(ControlShard.sweptAtOnce)
      """
    ).decode()
    for departure in left {
      await attempt("a departure", of: departure.account) {
        try await settle(departure)
        try await context.store.commit { ControlShard.forgetting(departure) }
      }
    }
  }

  private func withdraw(_ query: TiesQuery) async throws {
    while true {
      let rows = try await context.store.read(
        """
        SELECT app_id AS app, role FROM control_members
        WHERE account_id = \(query.account) ORDER BY app_id LIMIT 100
        """)
      guard !rows.isEmpty else { return }
      for row in rows {
        try await leave(
          try row["app", String.self], ControlShard.role(try row["role", String.self]), query)
      }
    }
  }

  private func leave(_ app: String, _ role: Role, _ query: TiesQuery) async throws {
    var batch = Batch()
    batch.isApartFromRequest = true
    batch.add(
      SQL("DELETE FROM control_members WHERE app_id = \(app) AND account_id = \(query.account)")
        .expect(exactly: 1))
    batch.add(ControlShard.withdrawal(of: query.account, in: app, left: nil))
    let record = AuditRecord(
      id: try context.id.make("aud"), createdAt: try context.clock.now(), app: app,
      actorKind: Principal.Kind.account.rawValue, actor: query.account, address: query.address,
      requestID: query.requestID, action: Permission.leave.action, outcome: .done,
      target: query.account, before: try RawJSON(encoding: MemberState(role: role)))
    do {
      try await commit(batch, record, by: nil)
    } catch StoreError.conflict(statement: 0, _) {
      // Another loop has settled it.
    }
  }
}
