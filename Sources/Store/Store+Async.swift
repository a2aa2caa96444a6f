/// The requests as `async` functions. What would be thrown at once and what the completion would be
/// given are both thrown.
extension Store {
  /// Commits the batch; returns when it is durable.
  public func submit(tenant: String, batch: Batch) async throws(StoreError) -> BatchReply {
    try await answer { completion throws(StoreError) in
      try self.submit(tenant: tenant, batch: batch, completion: completion)
    }
  }

  /// Brings the owner's tables to the newest of `migrations`; returns when that is durable.
  public func migrate(
    tenant: String, owner: String, migrations: [Migration]
  ) async throws(StoreError) -> MigrationReport {
    try await answer { completion throws(StoreError) in
      try self.migrate(
        tenant: tenant, owner: owner, migrations: migrations, completion: completion)
    }
  }

  /// Opens the tenant's file, made if it is not there, and checks one that was not closed.
  public func open(tenant: String) async throws(StoreError) -> OpenedTenant {
    try await answer { completion throws(StoreError) in
      try self.open(tenant: tenant, completion: completion)
    }
  }

  /// Writes the log back into the tenant's file.
  public func checkpoint(tenant: String) async throws(StoreError) {
    try await answer { completion throws(StoreError) in
      try self.checkpoint(tenant: tenant, completion: completion)
    }
  }

  /// Deletes the tenant's file; afterwards its name stands for a new, empty one.
  public func deleteTenant(_ tenant: String) async throws(StoreError) {
    try await answer { completion throws(StoreError) in
      try self.deleteTenant(tenant, completion: completion)
    }
  }

  /// Puts a database that lies elsewhere in the place of the tenant's; whether there was one.
  public func replaceTenant(
    _ tenant: String, with path: String
  ) async throws(StoreError) -> Bool {
    try await answer { completion throws(StoreError) in
      try self.replaceTenant(tenant, with: path, completion: completion)
    }
  }

  /// Runs the statements in one snapshot, which has every write completed before.
  public func read(
    tenant: String, owner: String, statements: [Statement]
  ) async throws(StoreError) -> RowBlock {
    try await answer { completion throws(StoreError) in
      try self.read(tenant: tenant, owner: owner, statements: statements, completion: completion)
    }
  }

  /// A page of a channel's history, oldest first unless `reverse`.
  public func history(
    tenant: String, channel: String, since: Int64? = nil, limit: Int, reverse: Bool = false
  ) async throws(StoreError) -> HistoryPage {
    try await answer { completion throws(StoreError) in
      try self.history(
        tenant: tenant, channel: channel, since: since, limit: limit, reverse: reverse,
        completion: completion)
    }
  }

  /// Events above `sequence` in the order in which they were committed, of all channels and none.
  public func eventsAfter(
    tenant: String, sequence: Int64, limit: Int
  ) async throws(StoreError) -> [CommittedEvent] {
    try await answer { completion throws(StoreError) in
      try self.eventsAfter(
        tenant: tenant, sequence: sequence, limit: limit, completion: completion)
    }
  }

  /// How many bytes of the tenant's file are in use. A file that is not there is made.
  public func usedBytes(of tenant: String) async throws(StoreError) -> Int {
    try await answer { completion throws(StoreError) in
      try self.usedBytes(of: tenant, completion: completion)
    }
  }

  /// The sequence that the listener has dealt with; nil when it is not registered.
  public func cursor(tenant: String, listener: String) async throws(StoreError) -> Int64? {
    try await answer { completion throws(StoreError) in
      try self.cursor(tenant: tenant, listener: listener, completion: completion)
    }
  }

  /// Gives the listener a cursor at the newest event, unless it has one; returns where it stands.
  public func registerListener(
    tenant: String, listener: String
  ) async throws(StoreError) -> Int64 {
    try await answer { completion throws(StoreError) in
      try self.registerListener(tenant: tenant, listener: listener, completion: completion)
    }
  }

  /// Drops the listener's cursor; events are no longer kept for it.
  public func removeListener(tenant: String, listener: String) async throws(StoreError) {
    try await answer { completion throws(StoreError) in
      try self.removeListener(tenant: tenant, listener: listener, completion: completion)
    }
  }

  private func answer<Value: Sendable>(
    _ request: (@escaping @Sendable (Result<Value, StoreError>) -> Void) throws(StoreError) -> Void
  ) async throws(StoreError) -> Value {
    let result = await withCheckedContinuation {
      (continuation: CheckedContinuation<Result<Value, StoreError>, Never>) in
      do throws(StoreError) {
        try request { continuation.resume(returning: $0) }
      } catch {
        continuation.resume(returning: .failure(error))
      }
    }
    return try result.get()
  }
}
