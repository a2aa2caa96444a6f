internal import PluginKit

/// Takes the tenant's events into the queue: each once, for every endpoint that wants it. Loop thread.
final class Intake {
  /// How often it is looked again which endpoints there are, when they change all the time.
  private static let tries = 8

  private let context: ShardContext
  private let book: EndpointBook
  private let watch: Watch
  private let desk: Desk

  init(_ context: ShardContext, _ desk: Desk, _ book: EndpointBook, _ watch: Watch) {
    self.context = context
    self.desk = desk
    self.book = book
    self.watch = watch
  }

  /// Queues an event; the listener's cursor moves in the same batch.
  ///
  /// - Returns: the endpoints that get it.
  func take(_ event: Event) async throws -> [String] {
    for _ in 0..<Self.tries {
      try await book.refresh()
      let wanting = book.endpoints.filter { $0.wants(event.type, in: event.channel) }
      do {
        if wanting.isEmpty {
          try await pass(event)
        } else {
          try await queue(event, for: wanting)
        }
        return wanting.map(\.id)
      } catch StoreError.conflict(statement: 0, _) {
        // An endpoint has changed since they were read, perhaps by another generation.
        book.forget()
        desk.endpointChanged()
      }
    }
    throw HostError(.conflict, "endpoints change too fast for an event to be queued")
  }

  /// Moves the cursor past an event that nobody wants, as long as that is so.
  private func pass(_ event: Event) async throws {
    var batch = Batch(settling: event)
    batch.add(book.isCurrent)
    try await context.store.commit(batch)
  }

  private func queue(_ event: Event, for endpoints: [Endpoint]) async throws {
    let now = try context.clock.now()
    var batch = Batch(settling: event)
    batch.add(book.isCurrent)
    let entry = QueueEntry(
      message: event.id, type: event.type, channel: event.channel, sequence: event.sequence,
      at: event.time, data: event.data)
    for statement in try entry.insertion(
      for: endpoints, at: now, id: { try context.id.make("dlv") })
    {
      batch.add(statement)
    }
    try await watch.commit(batch, at: now)
  }
}
