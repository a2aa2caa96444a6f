internal import PluginKit

extension ControlShard {
  /// What has to hold in the batch that begins a change, and what is thrown where it does not.
  typealias Condition = (statement: SQL, problem: any Error)

  /// Makes a change that is not this database's, between a record that begins it and one that says how it ended.
  ///
  /// Nobody else changes the subject meanwhile, on whatever loop. After a crash `settleChanges` looks at what the gateway
  /// has, and ends it.
  ///
  /// - Parameters:
  ///   - record: of the change, without what was and what is.
  ///   - authority: who has to be a member that may when it begins.
  ///   - conditions: what else has to hold then.
  ///   - prepare: looks at what is, which stays so until the end: that, and what the change is to come to, without secrets.
  ///   - make: changes what the gateway has, and says what is then.
  ///   - batch: what this database has to say of it, committed with the last record.
  /// - Throws: ``Occupied``; what the closures throw.
  @discardableResult
  func change<State: Encodable>(
    _ subject: Subject, _ record: AuditRecord, by authority: Authority,
    _ conditions: [Condition] = [],
    prepare: () async throws -> (before: State?, intent: RawJSON),
    make: () async throws -> State?, batch: (State?) throws -> Batch = { _ in Batch() }
  ) async throws -> State? {
    var change = HostChange(subject, record, owner: changeDesk.owner)
    guard changeDesk.enter(change.id) else { throw Occupied() }
    defer { changeDesk.leave(change.id) }
    try await begin(change, by: authority, conditions)
    do {
      let (before, intent) = try await prepare()
      var noted = change
      noted.record.before = try before.map { try RawJSON(encoding: $0) }
      noted.intent = intent
      let intending = try noted.intending()
      try await context.store.commit(isApartFromRequest: true) { intending }
      change = noted
      let after = try await make()
      try await end(change, .made(after: try after.map { try RawJSON(encoding: $0) }, batch(after)))
      return after
    } catch {
      await settle(change, because: error)
      throw error
    }
  }

  /// Commits the record that begins a change.
  private func begin(
    _ change: HostChange, by authority: Authority, _ conditions: [Condition]
  ) async throws {
    var batch = Batch()
    for condition in conditions { batch.add(condition.statement) }
    let place = batch.add(try change.noting())
    try await whenFree(change.subject, of: change.app) {
      do {
        try await note(change.record, .begun, batch, by: authority, reason: nil)
      } catch StoreError.conflict(.some(let statement), let detail) {
        guard statement < conditions.count else {
          guard statement == place else {
            throw StoreError.conflict(statement: statement, detail: detail)
          }
          throw Occupied()
        }
        throw conditions[statement].problem
      }
    }
  }

  /// Does something that throws ``Occupied`` where the subject is being changed, and does it again once what a crash has left
  /// of such a change is settled.
  func whenFree<Value>(
    _ subject: Subject, of app: String, _ body: () async throws -> Value
  ) async throws -> Value {
    do {
      return try await body()
    } catch is Occupied {
      let rows = try await context.store.read(
        """
        SELECT \(raw: HostChange.columns) FROM control_changes
        WHERE app_id = \(app) AND subject = \(subject.text)
        """)
      if let row = rows.first {
        guard try await settleIfLeft(try HostChange(row)) else { throw Occupied() }
      }
      return try await body()
    }
  }

  /// Commits how a change has ended, and forgets it.
  ///
  /// - Parameter error: why it has failed, where it has.
  func end(
    _ change: HostChange, _ finding: Finding, because error: (any Error)? = nil,
    isApartFromRequest: Bool = false
  ) async throws {
    switch finding {
    case .made(let after, var batch):
      var done = change.record
      done.id = try context.id.make("aud")
      done.createdAt = try context.clock.now()
      done.after = after
      batch.add(change.ending)
      batch.isApartFromRequest = isApartFromRequest
      try await commit(batch, done, by: nil)
    case .unmade:
      try await note(
        change.record, .failed, Batch { change.ending }, by: nil,
        reason: error.map(AuditRecord.reason(of:)) ?? HostChange.cutOff)
    }
  }

  /// Records how a change begins, or that it has failed.
  private func note(
    _ record: AuditRecord, _ outcome: AuditRecord.Outcome, _ batch: Batch,
    by authority: Authority?, reason: String?
  ) async throws {
    var note = record
    if outcome != .begun {
      note.id = try context.id.make("aud")
      note.createdAt = try context.clock.now()
    }
    note.outcome = outcome
    note.reason = reason
    note.before = nil
    note.after = nil
    var whole = batch
    whole.isApartFromRequest = true
    try await commit(whole, note, by: authority)
  }

  /// Records that something has not been done, and why.
  func fail(_ record: AuditRecord, because error: any Error) async throws {
    try await note(
      record, .failed, Batch(), by: nil, reason: AuditRecord.reason(of: error))
  }

  /// A method of the shard that handles requests.
  typealias Handler = (ControlShard) -> nonisolated(nonsending) (Request) async throws -> Response

  /// A handler that answers 409 with Retry-After where another change is under way.
  static func oneAtATime(
    _ handler: @escaping Handler
  ) -> nonisolated(nonsending) (ControlShard, Request) async throws -> Response {
    { shard, request in
      do {
        return try await handler(shard)(request)
      } catch let occupied as Occupied {
        return occupied.response
      }
    }
  }
}
