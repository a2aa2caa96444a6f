internal import PluginKit

/// Taking back what is neither ready nor gone.
extension ControlShard {
  /// After so long nobody is at work on a row that is `creating` any more, in milliseconds: a request ends long before. A row of an instance that is
  /// gone need not wait.
  static let abandonedAfter: Int64 = 300_000

  /// Ends an app that is marked `deleting`: first its tenant, then the rows that remember it.
  func endTenant(_ app: String) async throws {
    do {
      try await context.tenants.remove(app)
    } catch let error as HostError where error.status == .notFound {
      // It was not made, or is gone already.
    }
    try await forget(app)
  }

  /// Removes the rows of an app that is not ready.
  func forget(_ app: String) async throws {
    try await context.store.commit(isApartFromRequest: true) {
      for statement in forgetting(app) { statement }
    }
  }

  private func forgetting(_ app: String) -> [SQL] {
    let rows = [
      "control_keys", "control_members", "control_invitations", "control_domains",
      "control_branding", "control_domain_claims",
    ].map { table -> SQL in
      """
      DELETE FROM \(raw: table) WHERE app_id IN (
        SELECT id FROM control_apps WHERE id = \(app) AND state <> \(Stage.ready))
      """
    }
    return rows + ["DELETE FROM control_apps WHERE id = \(app) AND state <> \(Stage.ready)"]
  }

  /// Removes what there is of an app that the operator has deleted: then its members have it no more.
  ///
  /// In one batch: an app marked `deleting` would be ended by the next sweep, and may have been imported again by then.
  func withdrawIfGone(_ app: String) async throws {
    guard try context.tenants.plan(of: app) == nil else { return }
    let outcome = try await context.store.commit(isApartFromRequest: true) {
      SQL(
        """
        UPDATE control_apps SET state = \(Stage.deleting)
        WHERE id = \(app) AND state = \(Stage.ready)
        """)
      for statement in forgetting(app) { statement }
    }
    if outcome.statements[0].changed == 1 {
      context.log.info("an app that the operator has deleted is removed", ["app": app])
    }
  }

  /// The same for all apps whose deletion was recorded, before a crash. Of others that the gateway does not have, as when its
  /// own data was lost and is brought back, everything stays; nobody sees them meanwhile.
  private func withdrawGone() async throws {
    try await forEach("an app") { last in
      """
      SELECT id FROM control_apps a WHERE state = \(Stage.ready) AND id > \(last)
        AND EXISTS (
          SELECT 1 FROM control_audit WHERE app_id = a.id AND action = \(AuditRecord.deletedByOperator)
            AND actor_kind = \(AuditRecord.operatorKind) AND outcome = \(AuditRecord.Outcome.done.rawValue))
      ORDER BY id LIMIT \(ControlShard.sweptAtOnce)
      """
    } _: { app, _ in
      try await withdrawIfGone(app)
    }
  }

  /// How many rows are read at once.
  static let sweptAtOnce = 1_000

  /// Sweeps now and from time to time: now for what the crash of this gateway left, later for what was too young then.
  func beginSweeping() {
    let sweep = { [unowned self] in
      _ = context.spawn { [self] in await self.sweep(at: try context.clock.now()) }
    }
    sweep()
    do {
      try context.timers.every(milliseconds: Int(ControlShard.abandonedAfter), sweep)
    } catch {
      context.log.error(
        "what a crash leaves is put right at the next start only", ["error": "\(error)"])
    }
  }

  /// Takes back what a crash, or a failure that could not be undone, has left half made or half
  /// deleted. Two loops may do it at once: every step can be repeated. One that fails keeps no other from being made.
  func sweep(at now: Timestamp) async {
    let edge = now.adding(milliseconds: -ControlShard.abandonedAfter)
    await checkAnchor()
    await attempt("changes") { try await settleChanges() }
    await attempt("apps") { try await sweepApps(before: edge) }
    await attempt("keys") { try await sweepKeys(before: edge) }
    await attempt("rotations") { try await sweepRotations() }
    await attempt("claims of host names") { try await expireClaims(at: now) }
    await attempt("apps that the operator has deleted") { try await withdrawGone() }
    await attempt("departures") { try await settleDepartures(before: edge) }
  }

  /// Makes a step of the sweep. One that fails is made again by the next.
  func attempt(_ what: String, of id: String? = nil, _ step: () async throws -> Void) async {
    do {
      try await step()
    } catch {
      guard context.isOpen else { return }
      context.log.error(
        "what was left cannot be put right now; it is tried again",
        ["of": what, "id": id, "error": "\(error)"])
    }
  }

  /// Goes through rows that `page` reads behind an id, in the order of their ids.
  func forEach(
    _ what: String, _ page: (String) -> SQL, _ step: (String, Row) async throws -> Void
  ) async throws {
    var last = ""
    while true {
      let rows = try await context.store.read(page(last))
      for row in rows {
        let id = try row["id", String.self]
        last = id
        await attempt(what, of: id) { try await step(id, row) }
      }
      if rows.count < ControlShard.sweptAtOnce { return }
    }
  }

  private func sweepApps(before edge: Timestamp) async throws {
    try await forEach("an app") { last in
      """
      SELECT id, owner, state = \(Stage.deleting) OR updated_at <= \(edge) AS is_left
      FROM control_apps WHERE state IN (\(Stage.deleting), \(Stage.creating)) AND id > \(last)
      ORDER BY id LIMIT \(ControlShard.sweptAtOnce)
      """
    } _: { app, row in
      guard try isLeft(row) else { return }
      // Marked first: a creation that is still at work after all cannot finish now.
      let marked = try await context.store.commit {
        SQL(
          """
          UPDATE control_apps SET state = \(Stage.deleting)
          WHERE id = \(app) AND state <> \(Stage.ready)
          """)
      }
      guard marked.statements[0].changed == 1 else { return }
      context.log.warning("an app that was left unfinished is removed", ["app": app])
      try await endTenant(app)
    }
  }

  /// Whether nobody is at work on what is neither ready nor gone.
  private func isLeft(_ row: Row) throws -> Bool {
    if try row["is_left", Bool.self] { return true }
    return try row["owner", Int64?.self].map { !changeDesk.isAlive($0) } ?? false
  }

  private func sweepKeys(before edge: Timestamp) async throws {
    try await forEach("a key") { last in
      """
      SELECT k.id AS id, k.app_id AS app, k.owner AS owner,
        k.state = \(Stage.deleting) OR k.created_at <= \(edge) AS is_left
      FROM control_keys k JOIN control_apps a ON a.id = k.app_id
      WHERE a.state = \(Stage.ready) AND k.state IN (\(Stage.deleting), \(Stage.creating))
        AND k.id > \(last)
      ORDER BY k.id LIMIT \(ControlShard.sweptAtOnce)
      """
    } _: { key, row in
      guard try isLeft(row) else { return }
      try await endKey(key, of: try row["app", String.self])
    }
  }
}
