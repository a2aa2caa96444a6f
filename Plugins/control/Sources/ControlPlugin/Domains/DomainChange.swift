internal import PluginKit

/// A host name that is about to be put or removed. The gateway's record and this database are two, so it is noted before
/// and forgotten with the outcome; what a crash leaves says where to look.
struct DomainChange {
  var id: String
  var app: String
  var host: String
  var beganAt: Timestamp

  /// Of the change that a record is of.
  init(_ record: AuditRecord, host: String) {
    id = record.id
    app = record.app
    beganAt = record.createdAt
    self.host = host
  }

  /// Notes it.
  var noted: Batch {
    Batch {
      SQL(
        """
        INSERT INTO control_domain_changes (id, app_id, host, began_at)
        VALUES (\(id), \(app), \(host), \(beganAt))
        """)
    }
  }

  /// Forgets it.
  var ended: SQL { SQL("DELETE FROM control_domain_changes WHERE id = \(id)") }
}

extension ControlShard {
  /// Has the list of domains say of every host whose change was begun and not ended what the gateway does with it.
  ///
  /// A change that is under way is done no harm: what it commits last stands over this. So it is forgotten here only when it
  /// must have ended.
  func settleDomains(at now: Timestamp) async throws {
    let edge = now.adding(milliseconds: -ControlShard.abandonedAfter)
    let rows = try await context.store.read(
      """
      SELECT id, app_id, host, began_at FROM control_domain_changes ORDER BY began_at, id LIMIT 100
      """)
    for row in rows {
      let (id, app) = (try row["id", String.self], try row["app_id", String.self])
      let host = try row["host", String.self]
      let beganAt = Timestamp(unixMilliseconds: try row["began_at", Int64.self])
      let state = try await hosts(of: app).first { $0.host == host }
      try await context.store.commit(isApartFromRequest: true) {
        if let state {
          SQL(
            """
            INSERT INTO control_domains (host, app_id, created_at, certificate_names, not_before, not_after)
            SELECT \(host), \(app), \(beganAt), \(try state.certificate.map { try RawJSON(encoding: $0.names) }),
              \(state.certificate?.notBefore), \(state.certificate?.notAfter)
            WHERE EXISTS (SELECT 1 FROM control_domain_changes WHERE id = \(id))
              AND EXISTS (SELECT 1 FROM control_apps WHERE id = \(app) AND state = \(Stage.ready))
            ON CONFLICT (host) DO UPDATE SET app_id = excluded.app_id,
              created_at = CASE control_domains.app_id WHEN excluded.app_id
                THEN control_domains.created_at ELSE excluded.created_at END,
              certificate_names = excluded.certificate_names, not_before = excluded.not_before,
              not_after = excluded.not_after
            """)
          SQL("DELETE FROM control_domain_claims WHERE host = \(host) AND app_id = \(app)")
        } else {
          SQL(
            """
            DELETE FROM control_domains WHERE host = \(host) AND app_id = \(app)
              AND EXISTS (SELECT 1 FROM control_domain_changes WHERE id = \(id))
            """)
        }
        if beganAt <= edge { SQL("DELETE FROM control_domain_changes WHERE id = \(id)") }
      }
    }
  }

  /// The hosts that lead to an app, with what their certificates say.
  func hosts(of app: String) async throws -> [HostState] {
    do {
      return try await context.tenants.hosts(of: app)
    } catch let error as HostError where error.status == .notFound {
      return []
    }
  }
}
