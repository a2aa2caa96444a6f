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
  /// - Throws: `StoreError`, of which a conflict names a statement of `batch`.
  @discardableResult
  func commit(_ batch: Batch, _ record: AuditRecord) async throws -> Commit {
    await auditLine.enter()
    defer { auditLine.leave() }
    for _ in 0..<ControlShard.attempts {
      let head = try await auditHead()
      let entry = AuditEntry(record, after: head)
      var whole = batch
      let place = whole.add(entry.insertion)
      try whole.emit("control.audit.recorded", data: entry)
      do {
        let commit = try await context.store.commit(whole)
        await settle(AuditHead(seq: entry.seq, hash: entry.hash))
        return commit
      } catch StoreError.conflict(let statement, _) where statement == place {
        auditLine.head = nil
      }
    }
    throw StoreError.overloaded
  }

  /// The log has a new end. That it cannot be noted outside takes nothing back.
  private func settle(_ head: AuditHead) async {
    auditLine.head = head
    do {
      try await context.worker.run { [anchor] in try anchor.note(head) }
    } catch {
      context.log.error(
        "the end of the audit log cannot be noted beside it",
        ["seq": head.seq, "error": "\(error)"])
    }
  }

  private func auditHead() async throws -> AuditHead {
    if let known = auditLine.head { return known }
    let rows = try await context.store.read(
      "SELECT seq, hash FROM control_audit ORDER BY seq DESC LIMIT 1")
    return try rows.first?.decode(AuditHead.self) ?? .empty
  }

  /// Makes a change that is not this database's, between a record that it begins and one that says how it ended: a crash
  /// leaves the first, so no change is without a trace.
  ///
  /// - Parameters:
  ///   - record: of the change that is made; its `after` is asked for when it is.
  ///   - batch: what this database has to say of it, committed with the last record.
  func change<After: Encodable>(
    _ record: AuditRecord, _ batch: Batch = Batch(), after: () throws -> After?,
    _ body: () async throws -> Void
  ) async throws {
    try await begin(record)
    do {
      try await body()
    } catch {
      try await fail(record)
      throw error
    }
    var done = record
    done.createdAt = try context.clock.now()
    done.after = try after().map { try RawJSON(encoding: $0) }
    try await commit(batch, done)
  }

  /// Records that a change is about to be made.
  func begin(_ record: AuditRecord) async throws { try await note(record, .begun) }

  /// Records that a change that was begun has not been made.
  func fail(_ record: AuditRecord) async throws { try await note(record, .failed) }

  private func note(_ record: AuditRecord, _ outcome: AuditRecord.Outcome) async throws {
    var note = record
    note.id = try context.id.make("aud")
    note.createdAt = try context.clock.now()
    note.outcome = outcome
    note.before = nil
    note.after = nil
    var nothing = Batch()
    nothing.isApartFromRequest = true
    try await commit(nothing, note)
  }
}
