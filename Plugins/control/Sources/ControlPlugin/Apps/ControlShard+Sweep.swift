internal import PluginKit

/// Taking back what is neither ready nor gone.
extension ControlShard {
  /// After so long nobody is at work on a row any more, in milliseconds: a request ends long before.
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
      for table in [
        "control_keys", "control_members", "control_invitations", "control_domains",
        "control_branding", "control_domain_changes", "control_domain_claims",
      ] {
        SQL(
          """
          DELETE FROM \(raw: table) WHERE app_id IN (
            SELECT id FROM control_apps WHERE id = \(app) AND state <> \(Stage.ready))
          """)
      }
      SQL("DELETE FROM control_apps WHERE id = \(app) AND state <> \(Stage.ready)")
    }
  }

  /// Sweeps now and from time to time: now for what the crash of this gateway left, later for what was too young then.
  func beginSweeping() {
    let sweep = { [unowned self] in
      _ = context.spawn { [self] in try await self.sweep(at: try context.clock.now()) }
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
  /// deleted. Two loops may do it at once: every step can be repeated.
  func sweep(at now: Timestamp) async throws {
    let edge = now.adding(milliseconds: -ControlShard.abandonedAfter)
    let left = try await context.store.read([
      """
      SELECT id FROM control_apps
      WHERE state <> \(Stage.ready) AND updated_at <= \(edge) ORDER BY id LIMIT 100
      """,
      """
      SELECT k.id AS id, k.app_id AS app FROM control_keys k
      JOIN control_apps a ON a.id = k.app_id
      WHERE k.state <> \(Stage.ready) AND k.created_at <= \(edge) AND a.state = \(Stage.ready)
      ORDER BY k.id LIMIT 100
      """,
    ])
    for row in left[0] {
      let app = try row["id", String.self]
      // Marked first: a creation that is still at work after all cannot finish now.
      let marked = try await context.store.commit {
        SQL(
          """
          UPDATE control_apps SET state = \(Stage.deleting)
          WHERE id = \(app) AND state <> \(Stage.ready)
          """)
      }
      guard marked.statements[0].changed == 1 else { continue }
      context.log.warning("an app that was left unfinished is removed", ["app": app])
      try await endTenant(app)
    }
    for row in left[1] {
      try await endKey(try row["id", String.self], of: try row["app", String.self])
    }
    try await sweepRotations(before: edge)
    try await settleDomains(at: now)
  }
}
