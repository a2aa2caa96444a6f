internal import CSluice

/// `sluice.store/1`: the tenant's database. Loop thread only.
public struct Store {
  unowned(unsafe) let context: ShardContext

  /// Commits `batch`; when this returns it is on disk.
  ///
  /// - Throws: `StoreError`; `ExtensionUnavailable`.
  @discardableResult
  public func commit(_ batch: Batch) async throws -> Commit {
    let block = try await context.callStore { store, host, completion, call in
      batch.withContract { store.pointee.commit(host, $0, completion, call) }
    }
    return Commit(block)
  }

  /// Commits a batch of what the closure lists.
  ///
  /// - Parameter isApartFromRequest: as ``Batch/isApartFromRequest``.
  @discardableResult
  public func commit(
    isApartFromRequest: Bool = false, @BatchBuilder _ parts: () throws -> [BatchPart]
  ) async throws -> Commit {
    var batch = try Batch(parts)
    batch.isApartFromRequest = isApartFromRequest
    return try await commit(batch)
  }

  /// Commits `batch` and answers `request` with what `answer` makes of it, without a task, which is a third of what such a
  /// request costs: for synchronous handlers that end with a write.
  ///
  /// ```swift
  /// on.route("add") { shard, request in
  ///   try shard.context.store.commit(batch, answering: request) { _ in .empty(201) }
  /// }
  /// ```
  ///
  /// - Parameter answer: called when the batch is on disk. What it throws, and why the batch was not committed, is answered as
  ///   if the handler had thrown it.
  /// - Returns: what the handler returns.
  /// - Throws: `ExtensionUnavailable`; `HostError`.
  public func commit(
    _ batch: Batch, answering request: Request, _ answer: @escaping (Commit) throws -> Response
  ) throws -> Response {
    let (store, host) = try context.link.require("sluice.store/1", sluice_store_v1_t.self)
    let (context, token) = (context, request.token)
    context.begin { completion, call in
      batch.withContract(ofRequest: token) { store.pointee.commit(host, $0, completion, call) }
    } finish: { status, result in
      context.answer(token) {
        let block = try RowBlock(of: result, status)
        return try answer(Commit(block))
      }
    }
    return .pending
  }

  /// Checks that the tenant's plan lets it store more, before a client's message from a socket is written. Of requests, and of messages
  /// that are dispatched, the host has asked already.
  ///
  /// - Throws: `Problem` 403 `quota_exceeded`; `ExtensionUnavailable`.
  public func checkRoom() throws {
    let (store, host) = try context.link.require("sluice.store/1", sluice_store_v1_t.self)
    guard store.pointee.room(host) == SLUICE_E_LIMITED else { return }
    throw Problem(
      status: 403, code: "quota_exceeded", detail: "The plan of this app lets it store no more.",
      errors: [Problem.Fault(pointer: "/quotas/storage_bytes", message: "It is used up.")])
  }

  /// Reads the rows of one statement, with every batch in it that was acknowledged before.
  ///
  /// - Throws: `StoreError`; `ExtensionUnavailable`.
  public func read(_ statement: SQL) async throws -> Rows {
    try await read([statement]).first ?? Rows.none
  }

  /// Reads several statements in one snapshot.
  public func read(_ statements: [SQL]) async throws -> [Rows] {
    let block = try await context.callStore { store, host, completion, call in
      statements.withContract {
        store.pointee.read(host, $0, UInt32(clamping: statements.count), completion, call)
      }
    }
    return block.statements
  }
}

/// What a committed batch brought.
public struct Commit: Sendable {
  /// Where an event went.
  public struct Position: Sendable, Equatable {
    /// Among all durable events of the tenant, from 1.
    public let sequence: UInt64
    /// In its channel, from 1; 0 without a channel.
    public let offset: UInt64
  }

  /// What each statement changed and returned.
  public let statements: [Rows]
  /// Where each event went, in the batch's order.
  public let events: [Position]
  /// The epoch of the tenant's history, for clients that resume.
  public let epoch: String
}
