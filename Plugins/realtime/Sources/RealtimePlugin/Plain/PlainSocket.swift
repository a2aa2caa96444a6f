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
      let sub = TokenClaims.of(client.connection.principal)?.subs?[name.text]
      let admission = try await prepare(
        name, SubscribeRequest(positioned: true), options, serial: serial,
        grant: sub.map { Grant(info: $0.info?.bytes) })
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
