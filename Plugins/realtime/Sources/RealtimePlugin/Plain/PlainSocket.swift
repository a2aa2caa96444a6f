internal import PluginKit

/// `GET /ws`: plain JSON both ways, for clients without an SDK.
extension RealtimeShard {
  func open(plain request: Request, _ connection: Connection) throws -> Client {
    let principal = request.principal
    let client = Client(
      .socket(connection), .plain, writer, user: principal.id, name: try context.id.make("con"),
      info: TokenClaims.of(principal)?.info?.bytes, at: try context.clock.now())
    client.conversation.expiresAt = principal.voidSecond
    try link.join()
    wheel.insert(client, dueIn: settings.pingInterval)
    connections.add()
    startTicking()
    client.send(PlainMessage.handshake(client, app: context.tenant))
    for name in serverSideChannels(of: client) {
      let serial = client.conversation.reserve(name.text, isServerSide: true)
      context.spawn { [self] in await subscribe(client, toServerSide: name, serial) }
    }
    return client
  }

  func received(plain message: Message, from client: Client) {
    guard client.isOpen else { return }
    let isFirst = !client.hasSpoken
    client.hasSpoken = true
    let frame: PlainFrame
    do throws(PlainFrame.Fault) {
      frame = try PlainFrame(Array(message.bytes))
    } catch {
      // There is no command to be answered: a pong stands for it.
      let nothing = Command(id: 0, request: .pong, tag: error.id)
      return respond(.error(ProtocolError(error.problem)), to: nothing, client)
    }
    var command = Command(id: 1, request: frame.request, tag: frame.id)
    // What opened the connection is answered by its handshake.
    if case .refresh = frame.request { command.isQuiet = isFirst && frame.id == nil }
    if let reply = take(command, from: client) { respond(reply, to: command, client) }
  }

  private func subscribe(
    _ client: Client, toServerSide name: ChannelName, _ serial: UInt32
  ) async {
    do {
      let options = try await mayListen(client, serverSide: name)
      guard client.conversation.has(serial) else { return }
      let admission = try await prepare(
        name, SubscribeRequest(positioned: true), options, serial: serial)
      let result = try commit(admission, client)
      client.send(PlainMessage.subscribed(name.text, result))
      enlist(admission, client)
    } catch {
      if let seat = client.conversation.leave(serial) { vacate(seat, client) }
      let why = refusal(error)
      if client.isOpen { client.send(PlainMessage.notSubscribed(name.text, why.described)) }
    }
  }

  /// Tells clients without an SDK that their connections are about to end.
  func warnOfEnd() {
    wheel.each { client in
      if client.isOpen, client.dialect == .plain { client.send(PlainMessage.draining) }
    }
  }
}

extension FirstMessageCredential {
  /// The token of "auth", which is the first thing that a client of `/ws` says that has shown none before.
  static var auth: FirstMessageCredential {
    FirstMessageCredential(
      find: { message in
        do throws(PlainFrame.Fault) {
          let frame = try PlainFrame(Array(message.bytes))
          guard case .refresh(let token) = frame.request, !token.isEmpty else { return nil }
          return token
        } catch {
          throw HostError(.invalid, error.problem.detail)
        }
      },
      refuse: { message, why in
        let id = message.flatMap { message -> RawJSON? in
          do throws(PlainFrame.Fault) {
            return try PlainFrame(Array(message.bytes)).id
          } catch {
            return error.id
          }
        }
        switch why {
        case .unauthenticated, .notFound, .denied:
          return .authRequired("The token is missing or not valid.", id)
        case .expired: return .authRequired("The token has expired.", id)
        case .deadline: return .authRequired("Nothing was said in time.", id)
        case .invalid, .tooLarge:
          return .authRequired(
            "The first message must be {\"type\":\"auth\",\"token\":…} where the handshake has shown no token.",
            id)
        case .limited:
          let problem = Problem.rateLimited(
            "Too many connections are to be told apart. Try again later.")
          return SocketRefusal(
            message: PlainMessage.error(problem, id: id), code: 3013, reason: "too many requests")
        default:
          let problem = Problem.unavailable("Credentials cannot be checked now. Try again later.")
          return SocketRefusal(
            message: PlainMessage.error(problem, id: id), code: 3004,
            reason: "internal server error")
        }
      })
  }
}

extension SocketRefusal {
  fileprivate static func authRequired(_ detail: String, _ id: RawJSON?) -> SocketRefusal {
    SocketRefusal(
      message: PlainMessage.authRequired(detail, id: id), code: 3500, reason: "invalid token")
  }
}
