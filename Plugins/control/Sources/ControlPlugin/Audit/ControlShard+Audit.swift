internal import PluginKit

extension ControlShard {
  /// `GET /v1/apps/{app}/audit`, newest first.
  func listAudit(_ request: Request) async throws -> Response {
    let app = try await app(of: request, for: .readAudit)
    let limit = request.pageLimit
    let before = try cursor(of: request)
    let since = try time("since", of: request)
    let until = try time("until", of: request)
    let (action, actor) = (request.query("action"), request.query("actor"))
    let (outcome, target) = (request.query("outcome"), request.query("target"))
    let rows = try await context.store.read(
      """
      SELECT \(raw: AuditEntry.columns) FROM control_audit
      WHERE app_id = \(app.id) AND seq < \(before)
        AND (\(action) IS NULL OR action = \(action))
        AND (\(actor) IS NULL OR actor = \(actor))
        AND (\(outcome) IS NULL OR outcome = \(outcome))
        AND (\(target) IS NULL OR target = \(target))
        AND (\(since) IS NULL OR created_at >= \(since))
        AND (\(until) IS NULL OR created_at < \(until))
      ORDER BY seq DESC LIMIT \(limit + 1)
      """)
    let entries: [AuditEntry] = try rows.prefix(limit).map { try $0.decode() }
    return try .json(
      Page(data: entries, next: rows.count > limit ? entries.last.map { String($0.seq) } : nil))
  }

  private func cursor(of request: Request) throws -> Int64 {
    guard let text = request.query("after") else { return .max }
    guard let seq = Int64(text) else {
      throw Problem.invalid(pointer: "/query/after", "It is not the `next` of a page.")
    }
    return seq
  }

  private func time(_ name: String, of request: Request) throws -> Timestamp? {
    guard let text = request.query(name) else { return nil }
    guard let time = Timestamp(rfc3339: text) else {
      throw Problem.invalid(
        pointer: "/query/\(name)", "It is no time such as 2026-01-31T12:00:00Z.")
    }
    return time
  }
}
