/// A batch with whoever waits for it. A class, because it goes through several hands and a copy counts a dozen references.
final class PendingBatch: Sendable {
  let batch: Batch
  let completion: @Sendable (Result<BatchReply, StoreError>) -> Void

  init(batch: Batch, completion: @escaping @Sendable (Result<BatchReply, StoreError>) -> Void) {
    self.batch = batch
    self.completion = completion
  }
}

extension SQLiteTenantFile {
  private typealias Outcome = Result<BatchReply, StoreError>

  /// Commits the batches in one transaction. Where one of them fails it is begun again, each in a savepoint of its own, so
  /// that the failure leaves the others alone; and where the transaction itself is lost nothing is acknowledged and each
  /// member is tried again alone, in order.
  ///
  /// Returns whether the connection is still good.
  func commit(_ group: [PendingBatch]) -> Bool {
    var isGood = true
    func settle(_ members: ArraySlice<PendingBatch>, _ outcomes: [Outcome]) {
      for (member, outcome) in zip(members, outcomes) {
        switch outcome {
        case .success: counters.batchesCommitted.increment()
        case .failure(let error):
          counters.batchesFailed.increment()
          if error.endsConnection { isGood = false }
        }
        member.completion(outcome)
      }
    }
    if trust >= Self.enoughTrust || group.count == 1 {
      if let outcomes = attempt(group[...], inSavepoints: false) {
        settle(group[...], outcomes)
        return isGood
      }
      trust = 0
    }
    if let outcomes = attempt(group[...], inSavepoints: group.count > 1) {
      settle(group[...], outcomes)
      return isGood
    }
    counters.groupsRetried.increment()
    for index in group.indices {
      let alone = group[index...index]
      // A single member always has an outcome.
      settle(alone, attempt(alone, inSavepoints: false) ?? [])
    }
    return isGood
  }

  /// After so many groups without a failure the next goes without savepoints, which cost a third of a short batch.
  private static let enoughTrust = 16

  /// One transaction with these batches; `nil` when it was lost, or one failed that has no savepoint, and they must be tried
  /// another way.
  private func attempt(
    _ group: ArraySlice<PendingBatch>, inSavepoints: Bool
  ) -> [Outcome]? {
    let isAlone = group.count == 1
    do throws(StoreError) {
      try connection.query(.beginImmediate)
    } catch {
      return group.map { _ in .failure(error) }
    }
    var outcomes: [Outcome] = []
    outcomes.reserveCapacity(group.count)
    var events: [CommittedEvent] = []
    for member in group {
      let eventsBefore = events.count
      do throws(StoreError) {
        if inSavepoints { try connection.query(.savepoint) }
        let reply = try apply(member.batch, events: &events)
        if inSavepoints { try connection.query(.release) }
        outcomes.append(.success(reply))
      } catch {
        events.removeSubrange(eventsBefore...)
        if isAlone {
          abandon()
          return [.failure(error)]
        }
        guard inSavepoints else {
          abandon()
          return nil
        }
        // "OR ROLLBACK", a full disk or an interrupted write ends the whole transaction.
        guard !connection.isAutocommit else { return nil }
        do throws(StoreError) {
          try connection.query(.rollbackTo)
          try connection.query(.release)
        } catch {
          abandon()
          return nil
        }
        outcomes.append(.failure(error))
      }
    }
    do throws(StoreError) {
      if !isAlone || events.count > 0 { try sweep(after: events.count) }
      try connection.query(.commit)
    } catch {
      abandon()
      return isAlone ? [.failure(error)] : nil
    }
    if outcomes.contains(where: { if case .success = $0 { true } else { false } }) {
      counters.commits.increment()
    }
    let isClean = outcomes.allSatisfy { if case .success = $0 { true } else { false } }
    trust = isClean ? min(trust + 1, Self.enoughTrust) : 0
    if !events.isEmpty {
      options.onCommitted(CommittedEvents(tenant: tenant, epoch: epoch, events: events))
    }
    return outcomes
  }

  private func abandon() {
    if !connection.isAutocommit { try? connection.query(.rollback) }
  }

  /// Runs one batch inside the open transaction.
  private func apply(
    _ batch: Batch, events: inout [CommittedEvent]
  ) throws(StoreError) -> BatchReply {
    // First, so that an effect that has happened already is told as that and as nothing else.
    if let advance = batch.advance { try move(advance) }
    if let request = batch.request { try record(request) }
    var run = SQLiteRun(connection: connection, isRead: false)
    try connection.acting(as: batch.owner, .data) { () throws(StoreError) in
      try run.run(batch.statements)
    }
    if connection.hasUnresolvedForeignKeys {
      throw StoreError(
        .constraint, "a deferred FOREIGN KEY is not satisfied at the end of the batch",
        sqliteCode: Self.foreignKeyCode)
    }
    // A statement that ended the transaction without an error must not be acknowledged.
    guard !connection.isAutocommit else {
      throw StoreError(.sql, "the batch ended its transaction")
    }
    var positions: [EventPosition] = []
    for event in batch.events {
      let committed = try insert(event)
      positions.append(EventPosition(sequence: committed.sequence, offset: committed.offset))
      events.append(committed)
    }
    connection.rows.appendEvents(positions, epoch: epoch)
    return BatchReply(rows: connection.rows.finish(), events: positions, epoch: epoch)
  }

  /// SQLITE_CONSTRAINT_FOREIGNKEY, a macro that is not imported.
  private static let foreignKeyCode: Int32 = 19 | (3 << 8)
}
