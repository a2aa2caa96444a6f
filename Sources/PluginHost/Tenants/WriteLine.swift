internal import Store

/// A change that waits for its turn.
struct TenantWrite: Sendable {
  var edit: TenantEdit
  var completion: @Sendable (Result<TenantRecord, TenantError>) -> Void
  /// Tried by itself, because a group that it was in has failed.
  var isAlone = false
}

/// A change with what became of it: what it will do, or why it is refused.
struct PlannedWrite: Sendable {
  var write: TenantWrite
  var outcome: Result<TenantDelta, TenantError>
}

/// Changes that are committed together.
struct WriteGroup: Sendable {
  var members: [PlannedWrite] = []
  var statements: [Statement] = []
}

/// Changes in the order they were asked for, and the table as it will be when all that have been taken are committed.
struct WriteLine: Sendable {
  /// Ahead of the table that is read by what is being committed.
  var draft: TenantTable
  /// Whether a group is under way; only one is.
  var isBusy = false
  private var waiting: [TenantWrite] = []
  private var waitingBytes = 0

  init(draft: TenantTable) { self.draft = draft }

  /// Appends a change; false when too much waits already.
  mutating func append(_ write: TenantWrite) -> Bool {
    let cost = write.edit.cost
    guard waiting.count < TenantLimits.waitingWrites,
      waitingBytes + cost <= TenantLimits.waitingBytes
    else {
      return false
    }
    waiting.append(write)
    waitingBytes += cost
    return true
  }

  /// Takes as many changes from the front as go into one batch, each checked against the table with those before it,
  /// and is busy with them; `nil` when there are none or it is busy already.
  mutating func takeGroup(now: Int64, maximumBytes: Int) -> WriteGroup? {
    guard !isBusy, !waiting.isEmpty else { return nil }
    isBusy = true
    var group = WriteGroup()
    var bytes = 0
    for write in waiting {
      let isFirst = group.members.isEmpty
      let cost = write.edit.cost
      guard
        isFirst
          || !write.isAlone && group.members.count < TenantLimits.groupWrites
            && bytes + cost <= maximumBytes
      else { break }
      do throws(TenantError) {
        let delta = try write.edit.plan(in: draft, now: now)
        let statements = TenantStatements.of(delta, from: draft.records[write.edit.tenant])
        guard isFirst || group.statements.count + statements.count <= Batch.maximumStatements else {
          break
        }
        draft.apply(delta)
        group.statements += statements
        group.members.append(PlannedWrite(write: write, outcome: .success(delta)))
      } catch {
        group.members.append(PlannedWrite(write: write, outcome: .failure(error)))
      }
      bytes += cost
      if write.isAlone { break }
    }
    waiting.removeFirst(group.members.count)
    waitingBytes -= bytes
    return group
  }

  /// Puts a group that was not committed back to the front, to be tried one by one.
  ///
  /// - Parameter table: the table as it is committed.
  mutating func putBack(_ group: WriteGroup, committed table: TenantTable) {
    draft = table
    let writes = group.members.map { member in
      var write = member.write
      write.isAlone = true
      return write
    }
    waiting.insert(contentsOf: writes, at: 0)
    waitingBytes += writes.reduce(0) { $0 + $1.edit.cost }
    isBusy = false
  }
}
