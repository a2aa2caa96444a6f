internal import CSluice

extension ShardContext {
  /// A publication in a channel that the shard has subscribed to: `sluice.bus-subscriber/1`.
  func published(_ context: UInt64, _ event: UnsafePointer<sluice_event_v1_t>) {
    guard let function = handlers.plan.publication, let shard else { return }
    executor.enter()
    function(shard, context, Publication(event.pointee))
    executor.leave()
  }

  /// An event that `listens` names: `sluice.event-listener/1`.
  func hear(_ event: Event) -> sluice_status_t {
    guard let shard else { return SLUICE_E_UNAVAILABLE }
    // What the manifest listens for and the code does not: an error, seen because it comes again.
    guard let listener = handlers.plan.listeners.first(where: { $0.pattern.matches(event.type) })
    else { return SLUICE_E_UNSUPPORTED }
    executor.enter()
    defer { executor.leave() }
    switch listener.handler {
    case .synchronous(let function):
      do {
        return try function(shard, event).outcome
      } catch {
        return failed(event, error)
      }
    case .asynchronous(let function):
      guard let (events, host) = link.find("sluice.events/1", sluice_events_v1_t.self) else {
        log.error("\(ExtensionUnavailable("sluice.events/1"))")
        return SLUICE_E_DENIED
      }
      keep { [self] in
        var outcome: sluice_status_t
        do {
          outcome = try await function(shard, event).outcome
        } catch {
          outcome = failed(event, error)
        }
        if isOpen { _ = events.pointee.done(host, event.delivery, outcome) }
      }
      return SLUICE_PENDING
    }
  }

  private func failed(_ event: Event, _ error: any Error) -> sluice_status_t {
    let answer = ErrorAnswer(error)
    if case .unexpected(let error) = answer {
      log.error(
        "a listener failed",
        ["type": event.type, "event": event.id, "error": "\(error)"])
    }
    return answer.status
  }
}
