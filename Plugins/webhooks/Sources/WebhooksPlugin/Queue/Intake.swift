internal import PluginKit

/// Takes the tenant's events into the queue: each once, for every endpoint that wants it. Loop thread.
final class Intake {
  /// How often it is looked again which endpoints there are, when they change all the time.
  private static let tries = 8

  private let settings: WebhookSettings
  private let context: ShardContext
  private let book: EndpointBook
  private let watch: Watch
  private let desk: Desk

  init(
    _ settings: WebhookSettings, _ context: ShardContext, _ desk: Desk, _ book: EndpointBook,
    _ watch: Watch
  ) {
    self.settings = settings
    self.context = context
    self.desk = desk
    self.book = book
    self.watch = watch
  }

  /// Queues an event, if anybody wants it; the listener's cursor moves in the same batch.
  ///
  /// - Returns: the endpoints that get it.
  func take(_ event: Event) async throws -> [String] {
    for _ in 0..<Self.tries {
      try await book.refresh()
      let wanting = book.endpoints.filter { $0.wants(event.type, in: event.channel) }
      if try await wanting.isEmpty ? book.isUnchanged() : queue(event, for: wanting) {
        return wanting.map(\.id)
      }
      // An endpoint has changed since they were read, perhaps by another generation.
      book.forget()
      desk.endpointChanged()
    }
    throw HostError(.conflict, "endpoints change too fast for an event to be queued")
  }

  /// - Returns: whether the endpoints are still those that are known; else nothing was done.
  private func queue(_ event: Event, for endpoints: [Endpoint]) async throws -> Bool {
    let now = try context.clock.now()
    var batch = Batch(settling: event)
    batch.add(book.isCurrent)
    let entry = QueueEntry(
      message: event.id, type: event.type, channel: event.channel, sequence: event.sequence,
      at: event.time, data: event.data)
    for statement in try entry.insertion(
      for: endpoints, at: now, due: settings.first(at: now), id: { try context.id.make("dlv") })
    {
      batch.add(statement)
    }
    do {
      try await watch.commit(batch, at: now)
    } catch StoreError.conflict(statement: 0, _) {
      return false
    }
    return true
  }
}
