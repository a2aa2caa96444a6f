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
    let subscriber = Subscriber(
      .socket(connection), request.principal, name: try context.id.make("con"),
      at: try context.clock.now())
    try link.join()
    enter(subscriber)
    context.spawn { [self] in await admit(subscriber, names) }
    return subscriber
  }

  /// A connection is there, and is watched from now on.
  func enter(_ subscriber: Subscriber) {
    subscribers[subscriber.connection.token] = subscriber
    connections.add()
    watchDeadline(of: subscriber)
    startTicking()
  }

  func closed(_ subscriber: Subscriber) {
    subscriber.stage = .ended
    subscribers[subscriber.connection.token] = nil
    leave(subscriber)
    connections.add(-1)
    if let deadline = subscriber.deadline {
      deadlines.remove(subscriber.connection.token, at: deadline)
    }
  }

  /// Asks the owner of every channel, then joins all of them or none.
  private func admit(_ subscriber: Subscriber, _ names: [ChannelName]) async {
    do {
      var allowed: [(name: ChannelName, isEphemeral: Bool)] = []
      for name in names {
        guard let options = try await mayListen(subscriber.principal, name) else {
          subscriber.end(.permissionDenied.about(name))
          return
        }
        guard subscriber.stage == .asking else { return }
        allowed.append((name, !options.isForeign && options.historySize == 0))
      }
      subscriber.stage = .waiting
      for (name, isEphemeral) in allowed {
        subscriber.channels.append(try hub.hold(name.text, isEphemeral: isEphemeral))
      }
      for channel in subscriber.channels {
        try await hub.positioned(channel)
        guard subscriber.stage == .waiting else { return }
      }
      try welcome(subscriber)
    } catch {
      guard context.isOpen, subscriber.stage != .ended else { return }
      if !(error is Hub.Lost) {
        context.log.error("a connection cannot be let in", ["error": "\(error)"])
      }
      subscriber.end(.serverError)
    }
  }

  /// What a channel is like, if a user may listen to it.
  func mayListen(
    _ principal: Principal, _ name: ChannelName
  ) async throws -> NamespaceOptions? {
    switch try await authority.ask(name, .subscribe, principal) {
    case .allowed(let options): return options
    case .denied: return nil
    case .unowned: return try? rules.check(.subscribe, name, user: principal.id)
    }
  }

  /// Makes a connection live: it is known where all its channels stand.
  private func welcome(_ subscriber: Subscriber) throws {
    let hello = ConnectedMessage(
      connectionID: subscriber.name, userID: subscriber.principal.id,
      app: context.tenant, time: try context.clock.now(),
      channels: subscriber.channels.map {
        ConnectedMessage.Channel(channel: $0.name, offset: $0.feed.offset, epoch: $0.feed.epoch)
      })
    // No await from here to the last audience: what goes out after this was not in `hello`.
    subscriber.connection.send(try JSON.encode(hello))
    for channel in subscriber.channels {
      try channel.plain.add(subscriber.connection, context.groups)
      subscriber.joined += 1
    }
    subscriber.stage = .live
  }

  /// Lets go of a connection's channels.
  private func leave(_ subscriber: Subscriber) {
    let channels = subscriber.channels
    subscriber.channels = []
    for (index, channel) in channels.enumerated() {
      if index < subscriber.joined {
        channel.plain.remove(subscriber.connection)
        channel.extras?.readers[subscriber.connection.token] = nil
      }
      hub.release(channel)
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

  /// Has a connection end at a time, in Unix seconds, if it does not end before.
  func bound(_ subscriber: Subscriber, by second: Int64) {
    if let deadline = subscriber.deadline {
      guard second < deadline else { return }
      deadlines.remove(subscriber.connection.token, at: deadline)
    }
    subscriber.deadline = second
    watchDeadline(of: subscriber)
  }

  private func endExpired() {
    if let now = try? context.clock.now() {
      for token in deadlines.due(now.unixMilliseconds / 1000) {
        subscribers[token]?.end(.expired)
      }
    }
    armDeadlineTimer()
  }
}
