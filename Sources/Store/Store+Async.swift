/// The requests as `async` functions. What would be thrown at once and what the completion would be
/// given are both thrown.
extension Store {
  public func submit(tenant: String, batch: Batch) async throws(StoreError) -> BatchReply {
    try await answer { completion throws(StoreError) in
      try self.submit(tenant: tenant, batch: batch, completion: completion)
    }
  }

  public func migrate(
    tenant: String, owner: String, migrations: [Migration]
  ) async throws(StoreError) -> MigrationReport {
    try await answer { completion throws(StoreError) in
      try self.migrate(
        tenant: tenant, owner: owner, migrations: migrations, completion: completion)
    }
  }

  public func open(tenant: String) async throws(StoreError) -> OpenedTenant {
    try await answer { completion throws(StoreError) in
      try self.open(tenant: tenant, completion: completion)
    }
  }

  public func checkpoint(tenant: String) async throws(StoreError) {
    try await answer { completion throws(StoreError) in
      try self.checkpoint(tenant: tenant, completion: completion)
    }
  }

  public func deleteTenant(_ tenant: String) async throws(StoreError) {
    try await answer { completion throws(StoreError) in
      try self.deleteTenant(tenant, completion: completion)
    }
  }

  public func read(
    tenant: String, owner: String, statements: [Statement]
  ) async throws(StoreError) -> RowBlock {
    try await answer { completion throws(StoreError) in
      try self.read(tenant: tenant, owner: owner, statements: statements, completion: completion)
    }
  }

  public func history(
    tenant: String, channel: String, since: Int64? = nil, limit: Int, reverse: Bool = false
  ) async throws(StoreError) -> HistoryPage {
    try await answer { completion throws(StoreError) in
      try self.history(
        tenant: tenant, channel: channel, since: since, limit: limit, reverse: reverse,
        completion: completion)
    }
  }

  public func eventsAfter(
    tenant: String, sequence: Int64, limit: Int
  ) async throws(StoreError) -> [CommittedEvent] {
    try await answer { completion throws(StoreError) in
      try self.eventsAfter(
        tenant: tenant, sequence: sequence, limit: limit, completion: completion)
    }
  }

  public func cursor(tenant: String, listener: String) async throws(StoreError) -> Int64? {
    try await answer { completion throws(StoreError) in
      try self.cursor(tenant: tenant, listener: listener, completion: completion)
    }
  }

  public func registerListener(
    tenant: String, listener: String
  ) async throws(StoreError) -> Int64 {
    try await answer { completion throws(StoreError) in
      try self.registerListener(tenant: tenant, listener: listener, completion: completion)
    }
  }

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
