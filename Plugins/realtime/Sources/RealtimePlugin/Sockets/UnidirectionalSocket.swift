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
      .socket(connection), request.principal, of: names, name: try context.id.make("con"),
      at: try context.clock.now())
    try link.join()
    enter(subscriber)
    let past = Resumption(request)
    context.spawn { [self] in await admit(subscriber, names, from: past) }
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
  private func admit(
    _ subscriber: Subscriber, _ names: [ChannelName], from past: Resumption
  ) async {
    do {
      var allowed: [NamespaceOptions] = []
      for name in names {
        guard let options = try await mayListen(subscriber.principal, name) else {
          subscriber.end(.permissionDenied.about(name))
          return
        }
        guard subscriber.stage == .asking else { return }
        allowed.append(options)
      }
      subscriber.stage = .waiting
      var admissions: [Admission] = []
      for (index, (name, options)) in zip(names, allowed).enumerated() {
        let isEphemeral = !options.isForeign && options.historySize == 0
        let channel = try hub.hold(name.text, isEphemeral: isEphemeral)
        subscriber.channels.append(channel)
        admissions.append(
          Admission(
            name: name, request: past.request(at: index, of: names.count), options: options,
            serial: 0, channel: channel))
      }
      for channel in subscriber.channels {
        try await hub.positioned(channel)
        guard subscriber.stage == .waiting else { return }
      }
      try await readMissed(&admissions, by: subscriber)
      guard subscriber.stage == .waiting else { return }
      try welcome(subscriber, admissions, without: past.lost(admissions))
    } catch {
      guard context.isOpen, subscriber.stage != .ended else { return }
      if !(error is Hub.Lost) {
        context.log.error("a connection cannot be let in", ["error": "\(error)"])
      }
      subscriber.end(.serverError)
    }
  }

  /// Reads what a client missed that comes back, as long as it is there.
  private func readMissed(_ admissions: inout [Admission], by subscriber: Subscriber) async throws {
    // What is sent at once is bounded as one answer is.
    var left = settings.answerBytes
    for index in admissions.indices {
      try await recover(&admissions[index], bytes: left)
      guard subscriber.stage == .waiting else { return }
      left -= admissions[index].size
    }
    while subscriber.stage == .waiting, let late = admissions.firstIndex(where: { !$0.isCurrent }) {
      try await catchUp(&admissions[late])
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

  /// Makes a connection live: it is known where all its channels stand, and what it missed in them.
  private func welcome(
    _ subscriber: Subscriber, _ admissions: [Admission], without lost: [String]
  ) throws {
    let hello = ConnectedMessage(
      subscriber, of: context.tenant, at: try context.clock.now(), admissions.map(\.start))
    // No await from here to the last audience: what goes out after this was not in what was missed.
    subscriber.connection.send(try JSON.encode(hello))
    if !lost.isEmpty { subscriber.connection.send(try JSON.encode(LostMessage(channels: lost))) }
    for admission in admissions where admission.isRecovered {
      for event in admission.publications {
        subscriber.connection.send(writer.plain(event, in: admission.name.text))
      }
    }
    for channel in subscriber.channels {
      try channel.plain.add(subscriber.connection, context.groups)
      subscriber.joined += 1
    }
    subscriber.stage = .live
    enlist(subscriber, admissions)
  }

  /// Lists a connection among the members of its channels, once it has been told that it listens.
  func enlist(_ subscriber: Subscriber, _ admissions: [Admission]) {
    let who = subscriber.described
    for admission in admissions where enlist(admission, who) {
      subscriber.memberships.append(admission.name.text)
    }
  }

  /// Lets go of a connection's channels.
  private func leave(_ subscriber: Subscriber) {
    for name in subscriber.memberships { context.presence.leave(name, client: subscriber.name) }
    subscriber.memberships = []
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
