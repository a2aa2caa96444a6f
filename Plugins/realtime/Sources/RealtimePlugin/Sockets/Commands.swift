internal import PluginKit

/// The commands that change nothing about the connection, or only its tokens.
extension RealtimeShard {
  func answer(_ request: Command.Request, _ client: Client) async throws -> Reply {
    // What is handed over the host counts by itself.
    if !request.isHandedOver { try context.admit(client.connection) }
    switch request {
    case .publish(let channel, let data):
      let name = try named(channel)
      let options = try await allow(.publish, name, client)
      if options.keepsHistory { try room() }
      return .publish(
        try await publish(
          Envelope(data: data.bytes, info: client.described().json), in: name, options))
    case .presence(let channel):
      let name = try named(channel)
      try await allow(.presence, name, client)
      let members = try await context.presence.members(of: name.text)
      return .presence(members.map { ($0.client, $0.info.bytes) })
    case .presenceStats(let channel):
      let name = try named(channel)
      try await allow(.presence, name, client)
      let (clients, users) = try await context.presence.stats(of: name.text)
      return .presenceStats(clients: clients, users: users)
    case .history(let request): return try await history(request, client)
    case .refresh(let token): return try await refresh(token, client)
    case .subRefresh(let channel, let token): return try await refresh(channel, token, client)
    case .rpc(let method, let data): return .rpc(try await dispatch(method, data, client))
    case .send(let message):
      // Nobody hears what comes of it, so what is no message is nothing.
      if let message = try? message.decode(SentMessage.self) {
        _ = try await dispatch(message.type, message.data ?? "{}", client)
      }
      return .nothing
    case .connect, .subscribe, .unsubscribe, .ping, .pong: throw ProtocolError.badRequest
    }
  }

  /// What "send" carries.
  private struct SentMessage: Decodable {
    let type: String
    let data: RawJSON?
  }

  /// Hands a message to the plugin that declares its type. "null" is no data, as SDKs send it.
  private func dispatch(
    _ type: String, _ data: RawJSON, _ client: Client
  ) async throws -> RawJSON {
    do {
      return try await context.dispatch(
        type, data == "null" ? "{}" : data, from: client.connection)
    } catch let error as HostError where error.status == .notFound {
      throw ProtocolError.unknownMethod(type)
    }
  }

  /// Checks that the app may store more.
  private func room() throws {
    do {
      try context.store.checkRoom()
    } catch let problem as Problem {
      throw ProtocolError(problem)
    }
  }

  private func named(_ channel: String) throws(ProtocolError) -> ChannelName {
    do { return try ChannelName(channel) } catch { throw .badRequest }
  }

  /// What the channel is like, if a client may do something in it.
  @discardableResult
  private func allow(
    _ action: ChannelAuthority.Action, _ name: ChannelName, _ client: Client
  ) async throws -> NamespaceOptions {
    switch try await authority.ask(name, action, client.connection.principal) {
    case .allowed(let options): return options
    case .denied(let reason): throw ProtocolError(.forbidden(reason))
    case .unowned:
      return try rules.check(
        action, name, user: client.user,
        isSubscribed: client.conversation.isSubscribed(to: name.text))
    }
  }

  private func history(_ request: HistoryRequest, _ client: Client) async throws -> Reply {
    let name = try named(request.channel ?? "")
    try await allow(.history, name, client)
    let asked = request.limit ?? 0
    let limit = asked < 0 ? settings.historyLimit : min(asked, settings.historyLimit)
    let page = try await histories.read(
      name.text, since: request.since?.offset, limit: limit, isReversed: request.reverse == true)
    if let epoch = request.since?.epoch, !epoch.isEmpty, epoch != page.epoch {
      throw ProtocolError.unrecoverablePosition
    }
    let events = page.entries.map { ChannelEvent($0, of: page) }
    return .history(
      Array(events.prefix(bytes: settings.answerBytes)), offset: page.topOffset, epoch: page.epoch)
  }

  private func refresh(_ token: String, _ client: Client) async throws -> Reply {
    guard !token.isEmpty || client.dialect == .plain else {
      end(client, .badRequest)
      throw ProtocolError.badRequest
    }
    let principal: Principal?
    do {
      principal = try await credentials.renew(client.connection, with: token)
    } catch let error as ProtocolError where error == .tokenExpired {
      switch client.dialect {
      // To an SDK an error would be the end: sent away like this, it comes back with a new token.
      case .commands: end(client, .expired)
      // In the words that it hears at the handshake.
      case .plain:
        end(
          client, .invalidToken,
          saying: PlainMessage.authRequired("The token has expired.", .expired))
      }
      throw error
    }
    guard let principal else {
      end(client, .invalidToken)
      throw ProtocolError.unauthorized
    }
    client.conversation.expiresAt = principal.voidSecond
    client.isWarned = false
    return .refresh(
      client: client.name,
      ttl: principal.voidSecond == 0 ? nil : secondsLeft(until: principal.voidSecond))
  }

  private func refresh(_ channel: String, _ token: String, _ client: Client) async throws -> Reply {
    let name = try named(channel)
    guard client.conversation.isSubscribed(to: channel) else {
      throw ProtocolError.permissionDenied
    }
    guard !token.isEmpty else { throw ProtocolError.badRequest }
    let grant: Grant
    do {
      grant = try await credentials.grant(token, name, user: client.user)
    } catch var error as ProtocolError where error == .tokenExpired {
      // The subscription goes on until its own token is void: the client may try again with a new one.
      error.isTemporary = true
      throw error
    }
    guard client.conversation.renew(channel, until: grant.expiresAt) else {
      throw ProtocolError.permissionDenied
    }
    return .subRefresh(ttl: grant.expiresAt == 0 ? nil : secondsLeft(until: grant.expiresAt))
  }
}

extension Command.Request {
  /// Whether it goes to the plugin that declares its type.
  fileprivate var isHandedOver: Bool {
    switch self {
    case .rpc, .send: true
    default: false
    }
  }
}
