internal import PluginKit

/// A subscription that has been allowed, on its way to where nothing of the channel can be missed.
///
/// It is prepared with as many awaits as it takes, and committed with none: what the client is told of the channel's
/// position and what it gets from then on fit together exactly.
struct Admission {
  let name: ChannelName
  let request: SubscribeRequest
  let options: NamespaceOptions
  let serial: UInt32
  let channel: Channel
  /// Unix seconds at which the subscription's token is void; 0 is never.
  var expiresAt: UInt32 = 0
  /// What the subscription's token says of the client.
  var info: [UInt8]?
  /// nil when the client does not come back to where it was.
  var recovery: Recovery?
  /// In cache mode: the newest publication, if there is one, and where the channel stood.
  var cached: (event: ChannelEvent?, offset: UInt64)?

  /// Bytes that the client is given.
  var size: Int { isRecovered ? publications.reduce(0) { $0 + $1.size } : 0 }

  var isRecovering: Bool { recovery != nil || cached != nil }

  /// Whether everything is known up to where the channel stands now.
  var isCurrent: Bool {
    let offset = channel.feed.offset
    if let recovery { return !recovery.isComplete || recovery.through >= offset }
    if let cached { return cached.offset >= offset }
    return true
  }

  /// Whether the client has, or gets, all that it missed.
  var isRecovered: Bool {
    if let recovery { return recovery.isComplete }
    guard let cached else { return false }
    return cached.event != nil || isWhereItWas
  }

  /// Whether nothing has been published since the client left.
  private var isWhereItWas: Bool {
    request.epoch == channel.feed.epoch && request.offset == channel.feed.offset
  }

  /// What the client has to be given, up to where the channel stands now.
  var publications: [ChannelEvent] {
    let offset = channel.feed.offset
    if let recovery { return recovery.events.filter { $0.offset <= offset } }
    guard let event = cached?.event, event.offset <= offset, !isWhereItWas else { return [] }
    return [event]
  }
}

extension RealtimeShard {
  /// Holds a channel that a client may listen to, and finds out what the client has missed.
  ///
  /// - Throws: `ProtocolError`; then the channel is not held.
  func prepare(
    _ name: ChannelName, _ request: SubscribeRequest, _ options: NamespaceOptions,
    serial: UInt32, grant: Grant? = nil, bytes: Int? = nil
  ) async throws -> Admission {
    let isEphemeral = !options.isForeign && options.historySize == 0
    var admission = Admission(
      name: name, request: request, options: options, serial: serial,
      channel: try hub.hold(name.text, isEphemeral: isEphemeral))
    do {
      try await hub.positioned(admission.channel)
      if let grant {
        admission.expiresAt = grant.expiresAt
        admission.info = grant.info
      }
      try await recover(&admission, bytes: bytes ?? settings.answerBytes)
      try await catchUp(&admission)
      let isRefused =
        admission.isRecovering && !admission.isRecovered
        && (request.flag ?? 0) & SubscribeRequest.rejectsUnrecovered != 0
      if isRefused { throw ProtocolError.unrecoverablePosition }
      return admission
    } catch {
      hub.release(admission.channel)
      throw error
    }
  }

  /// Begins to read what a client has missed that asks for it.
  ///
  /// - Parameter bytes: the most that it is given.
  func recover(_ admission: inout Admission, bytes: Int) async throws {
    let request = admission.request
    guard request.recover == true, !admission.channel.isEphemeral else { return }
    if admission.options.recoveryMode == .cache {
      admission.cached = (nil, 0)
    } else {
      admission.recovery = Recovery(
        after: request.offset ?? 0, epoch: request.epoch ?? "", limit: settings.recoveryLimit,
        bytes: bytes)
    }
    try await readMissed(&admission)
  }

  /// Reads on until the client would miss nothing.
  func catchUp(_ admission: inout Admission) async throws {
    while !admission.isCurrent {
      guard hub.isOpen(admission.channel) else { throw Hub.Lost() }
      try await readMissed(&admission)
    }
  }

  private func readMissed(_ admission: inout Admission) async throws {
    let name = admission.name.text
    if admission.cached != nil {
      let page = try await histories.read(name, limit: 1, isReversed: true)
      admission.cached = (page.entries.first.map { ChannelEvent($0, of: page) }, page.topOffset)
      return
    }
    guard var recovery = admission.recovery else { return }
    // As many as are left, and one that is too many.
    let left = recovery.limit - recovery.events.count + 1
    let page = try await histories.read(
      name, since: recovery.through, limit: min(left, Recovery.slice))
    recovery.add(
      page.entries.map { ChannelEvent($0, of: page) }, top: page.topOffset, epoch: page.epoch)
    admission.recovery = recovery
  }

  /// Takes the seat and joins the channel, and says what the client is told. No await: what is published from here on
  /// reaches the client after that.
  ///
  /// - Throws: `ProtocolError`; then the channel is not held any more.
  func commit(_ admission: Admission, _ client: Client) throws(ProtocolError) -> SubscribeResult {
    let (channel, options, request) = (admission.channel, admission.options, admission.request)
    let hasDelta = request.delta.map(options.deltaTypes.contains) ?? false
    let isWitness =
      client.dialect == .commands && options.hasJoinLeave
      && (options.forcesJoinLeave || request.joinLeave == true)
    var isTaken = false
    if hub.isOpen(channel), channel.isPositioned {
      isTaken = client.conversation.take(admission.serial) { seat in
        seat.place = channel
        seat.hasDelta = hasDelta
        seat.isWitness = isWitness
        seat.expiresAt = admission.expiresAt
      }
    }
    guard isTaken else {
      hub.release(channel)
      throw client.isOpen && !client.conversation.has(admission.serial) ? .notAvailable : .internal
    }
    do {
      switch client.dialect {
      case .plain: try channel.named.add(client.connection, context.groups)
      case .commands where hasDelta: channel.needed.fresh.append(client.connection)
      case .commands: try channel.clients.add(client.connection, context.groups)
      }
      if isWitness { try channel.needed.witnesses.add(client.connection, context.groups) }
    } catch {
      if let seat = client.conversation.leave(admission.serial) { vacate(seat, client) }
      throw .limitExceeded
    }
    var result = SubscribeResult(hasDelta: hasDelta)
    if admission.expiresAt != 0 { result.ttl = secondsLeft(until: admission.expiresAt) }
    guard !channel.isEphemeral else { return result }
    result.isRecoverable =
      options.forcesRecovery || request.recoverable == true || request.recover == true
    result.isPositioned =
      result.isRecoverable || options.forcesPositioning || request.positioned == true
    if result.isPositioned {
      result.offset = channel.feed.offset
      result.epoch = channel.feed.epoch
    }
    result.wasRecovering = admission.isRecovering
    result.isRecovered = admission.isRecovered
    result.publications = admission.isRecovered ? admission.publications : []
    return result
  }

  /// Lists the client among the channel's members, once it has been told that it listens.
  func enlist(_ admission: Admission, _ client: Client) {
    guard client.conversation.has(admission.serial),
      enlist(admission, client.described(in: admission.info))
    else { return }
    _ = client.conversation.take(admission.serial) { $0.isMember = true }
  }

  /// Lists somebody among the channel's members, where it has any; false when nobody is listed.
  func enlist(_ admission: Admission, _ who: ClientInfo) -> Bool {
    guard admission.options.hasPresence else { return false }
    do {
      try context.presence.join(
        admission.name.text, client: who.client, user: who.user,
        info: RawJSON(unchecked: who.json), isAnnounced: admission.options.hasJoinLeave)
      return true
    } catch {
      context.log.warning(
        "a client cannot be listed", ["channel": admission.name.text, "error": "\(error)"])
      return false
    }
  }

  /// Leaves what a seat stood for.
  func vacate(_ seat: Conversation<Channel>.Seat, _ client: Client) {
    guard let channel = seat.place else { return }
    if seat.hasDelta {
      if let extras = channel.extras {
        if let index = extras.fresh.firstIndex(of: client.connection) {
          extras.fresh.remove(at: index)
        } else {
          extras.delta.remove(client.connection)
        }
        if extras.delta.isEmpty { extras.base = [] }
      }
    } else {
      switch client.dialect {
      case .plain: channel.named.remove(client.connection)
      case .commands: channel.clients.remove(client.connection)
      }
    }
    if seat.isWitness { channel.extras?.witnesses.remove(client.connection) }
    if seat.isMember { context.presence.leave(seat.channel, client: client.name) }
    hub.release(channel)
  }
}
