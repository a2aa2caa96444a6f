internal import PluginKit

/// `GET /connection/uni_websocket?channels=a,b`: events one way, one JSON object per message.
extension RealtimeShard {
  /// A peer asks to connect. Whether it may listen is known later, so it is let in and, if it may not,
  /// closed with a code that says so.
  func open(_ request: Request, _ connection: Connection) throws -> Subscriber {
    let names: [ChannelName]
    do {
      names = try ChannelName.list(
        request.query("channels"), limit: settings.channelsPerConnection)
    } catch {
      throw Problem.invalid(pointer: "/query/channels", error.message)
    }
    let subscriber = Subscriber(connection, request.principal)
    hub.subscribers[connection.token] = subscriber
    connections.add()
    watchDeadline(of: subscriber)
    context.spawn { [self] in await admit(subscriber, names) }
    return subscriber
  }

  func closed(_ subscriber: Subscriber) {
    subscriber.stage = .ended
    hub.subscribers[subscriber.connection.token] = nil
    hub.leave(subscriber)
    connections.add(-1)
    if let deadline = subscriber.deadline {
      deadlines.remove(subscriber.connection.token, at: deadline)
    }
  }

  /// Asks the owner of every channel, then joins all of them or none.
  private func admit(_ subscriber: Subscriber, _ names: [ChannelName]) async {
    do {
      for name in names {
        let verdict = try await authority.ask(name, .subscribe, subscriber.principal)
        guard subscriber.stage == .asking else { return }
        guard verdict == .allowed else {
          subscriber.end(.permissionDenied.about(name))
          return
        }
      }
      try hub.join(subscriber, names)
    } catch {
      guard context.isOpen, subscriber.stage != .ended else { return }
      context.log.error("a connection cannot be let in", ["error": "\(error)"])
      subscriber.end(.serverError)
    }
  }
}

/// A connection does not outlive the token that opened it.
extension RealtimeShard {
  private static let longestTimer: Int64 = 3600

  private func watchDeadline(of subscriber: Subscriber) {
    guard let deadline = subscriber.deadline else { return }
    let before = deadlines.first
    deadlines.insert(subscriber.connection.token, at: deadline)
    if deadlines.first != before { armDeadlineTimer() }
  }

  /// A long wait is cut into hours, so that a clock that is set is noticed.
  private func armDeadlineTimer() {
    if let timer = deadlineTimer { context.timers.cancel(timer) }
    deadlineTimer = nil
    guard let first = deadlines.first else { return }
    do {
      let now = try context.clock.now().unixMilliseconds
      let wait = min(max(first * 1000 - now, 1), Self.longestTimer * 1000)
      deadlineTimer = try context.timers.after(milliseconds: Int(wait)) { [unowned self] in
        deadlineTimer = nil
        endExpired()
      }
    } catch {
      context.log.error("tokens cannot be watched", ["error": "\(error)"])
    }
  }

  private func endExpired() {
    if let now = try? context.clock.now() {
      for token in deadlines.due(now.unixMilliseconds / 1000) {
        hub.subscribers[token]?.end(.expired)
      }
    }
    armDeadlineTimer()
  }
}
