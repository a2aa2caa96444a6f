internal import PluginKit

extension ControlShard {
  /// A record of what a request does to an app.
  ///
  /// - Parameters:
  ///   - action: "key.created"; ``Permission/action`` has most of them.
  ///   - before, after: what has changed, without secrets.
  func audit<Before: Encodable, After: Encodable>(
    _ request: Request, _ action: String, of app: String, target: String? = nil,
    before: Before?, after: After?, outcome: AuditRecord.Outcome = .done
  ) throws -> AuditRecord {
    var record = try audit(request, action, of: app, target: target, outcome: outcome)
    record.before = try before.map { try RawJSON(encoding: $0) }
    record.after = try after.map { try RawJSON(encoding: $0) }
    return record
  }

  /// A record of what a request does to an app, without what has changed.
  func audit(
    _ request: Request, _ action: String, of app: String, target: String? = nil,
    outcome: AuditRecord.Outcome = .done
  ) throws -> AuditRecord {
    AuditRecord(
      id: try context.id.make("aud"), createdAt: try context.clock.now(), app: app,
      actorKind: request.principal.kind.rawValue, actor: request.principal.id,
      address: request.peer, requestID: request.id, action: action, outcome: outcome,
      target: target)
  }

  /// How often an append looks for the end of the log again, at most. Each time another loop has appended.
  private static let attempts = 256

  /// Commits a change together with the record of it: both are on disk when this returns, or neither.
  ///
  /// - Parameters:
  ///   - authority: who has to be a member that may when the batch runs; nil where nobody is asked for.
  ///   - event: what the record is the effect of, where it is of an event.
  /// - Throws: `StoreError`, of which a conflict names a statement of `batch`; `Problem` when the authority has ended.
  func commit(
    _ batch: Batch, _ record: AuditRecord, by authority: Authority?, settling event: Event? = nil
  ) async throws {
    do {
      try await append(batch, record, by: authority, event)
    } catch StoreError.conflict(.some(let statement), let detail) {
      guard let authority else { throw StoreError.conflict(statement: statement, detail: detail) }
      if statement == 0 { try await refuse(authority) }
      throw StoreError.conflict(statement: statement - 1, detail: detail)
    }
  }

  private func append(
    _ batch: Batch, _ record: AuditRecord, by authority: Authority?, _ event: Event?
  ) async throws {
    await auditLine.enter()
    defer { auditLine.leave() }
    for _ in 0..<ControlShard.attempts {
      let head = try await auditHead()
      let entry = AuditEntry(record, after: head)
      var whole = Batch(settling: event)
      whole.isApartFromRequest = batch.isApartFromRequest
      // First: who may not must not learn what else would be in the way.
      if let authority { whole.add(authority.statement) }
      for statement in batch.statements { whole.add(statement) }
      let place = whole.add(entry.insertion)
      try whole.emit("control.audit.recorded", data: entry)
      do {
        try await context.store.commit(whole)
        auditLine.head = AuditHead(seq: entry.seq, hash: entry.hash)
        await anchor(AuditLink(entry))
        return
      } catch StoreError.conflict(let statement, _) where statement == place {
        auditLine.head = nil
      }
    }
    throw StoreError.overloaded
  }

  private func auditHead() async throws -> AuditHead {
    if let known = auditLine.head { return known }
    let rows = try await context.store.read(
      "SELECT seq, hash FROM control_audit ORDER BY seq DESC LIMIT 1")
    return try rows.first?.decode(AuditHead.self) ?? .empty
  }
}
