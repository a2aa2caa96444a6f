internal import PluginKit

/// `GET /connection/websocket`: Centrifugo's client protocol, JSON.
extension RealtimeShard {
  /// How long a client may take to say "connect", in seconds.
  static let connectTimeout = 10
  /// Bytes of messages that may come while "connect" is being answered.
  static let heldLimit = 65_536

  func open(client request: Request, _ connection: Connection) throws -> Client {
    try welcome(request.principal) { .socket(connection) }
  }

  /// A client of the protocol has come.
  ///
  /// - Parameter makeTransport: called when nothing else can fail.
  func welcome(
    _ principal: Principal, session: String? = nil, _ makeTransport: () throws -> Transport
  ) throws -> Client {
    let now = try context.clock.now()
    let name = try context.id.make("con")
    try link.join()
    let client = Client(
      try makeTransport(), .commands, writer, user: principal.id, name: name,
      info: TokenClaims.of(principal)?.info?.bytes, session: session, at: now)
    client.conversation.expiresAt = principal.voidSecond
    // The first look comes when "connect" must have been said.
    wheel.insert(client, dueIn: Self.connectTimeout - settings.pongTimeout)
    connections.add()
    startTicking()
    return client
  }

  func received(_ message: [UInt8], from client: Client) {
    guard client.isOpen else { return }
    if client.conversation.phase == .connecting {
      client.heldBytes += message.count
      guard client.heldBytes <= Self.heldLimit else { return end(client, .badRequest) }
    }
    do {
      let commands = try CommandFrame.commands(in: message)
      guard context.count(commands: commands.count, of: client.connection) else {
        return end(client, .overQuota)
      }
      carryOut(commands, from: client)
    } catch {
      end(client, .badRequest)
    }
  }

  /// Carries commands out in their order. What comes behind "connect" waits for its answer, as SDKs expect that send their
  /// subscriptions with it.
  func carryOut(_ commands: [Command], from client: Client) {
    var answers: [UInt8] = []
    for command in commands {
      if client.conversation.phase == .connecting, command.request != .pong {
        client.held.append(command)
        continue
      }
      if let reply = take(command, from: client) {
        if !answers.isEmpty { answers.append(UInt8(ascii: "\n")) }
        answers += reply.line(command.id)
      }
      guard client.isOpen else { break }
    }
    if !answers.isEmpty { client.send(answers) }
  }

  func closed(client: Client) {
    wheel.remove(client)
    connections.add(-1)
    for seat in client.conversation.end() { vacate(seat, client) }
  }

  /// Carries out what has waited for the answer to "connect".
  private func carryOutHeld(_ client: Client) {
    let held = client.held
    client.held = []
    if !held.isEmpty { carryOut(held, from: client) }
  }

  /// Closes the connection; what it listened to is left at once.
  func end(_ client: Client, _ close: CloseCode, saying why: [UInt8]? = nil) {
    guard client.isOpen else { return }
    for seat in client.conversation.end() { vacate(seat, client) }
    client.close(close, saying: why)
  }

  /// Carries a command out; what can be answered at once is.
  func take(_ command: Command, from client: Client) -> Reply? {
    perform(
      client.conversation.take(command, channelLimit: settings.channelsPerConnection), command,
      client)
  }

  /// Carries out what has waited for another command of its channel, which is done.
  private func goOn(_ client: Client, behind done: Command) {
    guard let channel = done.request.channel else { return }
    while let (command, action) = client.conversation.next(
      in: channel, channelLimit: settings.channelsPerConnection)
    {
      if let reply = perform(action, command, client) { respond(reply, to: command, client) }
    }
  }

  private func perform(
    _ action: Conversation<Channel>.Action, _ command: Command, _ client: Client
  ) -> Reply? {
    switch action {
    case .nothing: return nil
    case .drop:
      refusals.add()
      return nil
    case .refuse(let error):
      if error == .tooManyRequests { refusals.add() }
      return .error(error)
    case .close(let code):
      end(client, code)
      return nil
    case .pong: return .ping
    case .unsubscribe(let channel):
      if let seat = client.conversation.leave(channel) { vacate(seat, client) }
      return .unsubscribe
    case .connect(let request):
      context.spawn { [self] in await connect(client, command, request) }
      return nil
    case .subscribe(let name, let request, let serial):
      context.spawn { [self] in await subscribe(client, command, name, request, serial) }
      return nil
    case .work(let request):
      context.spawn { [self] in
        let reply: Reply
        do {
          reply = try await answer(request, client)
        } catch {
          reply = .error(self.refusal(error))
        }
        client.conversation.finish(command)
        defer { goOn(client, behind: command) }
        if case .send = request { return }
        if case .error = reply {} else if command.isQuiet { return }
        respond(reply, to: command, client)
      }
      return nil
    }
  }

  /// Tells a client what came of a command. One that says too much that makes no sense is sent away.
  func respond(_ reply: Reply, to command: Command, _ client: Client) {
    guard client.isOpen else { return }
    if client.keeps(reply, to: command) { return flushLater(client) }
    client.reply(reply, to: command)
    guard client.dialect == .plain, case .error(let error) = reply, error.isClientsMistake else {
      return
    }
    guard !client.conversation.err() else { return }
    nonsense.add()
    end(client, .badRequest)
  }

  /// Sends a client what it has kept when all has been told that is known now: what is committed together is answered together.
  private func flushLater(_ client: Client) {
    answered.append(client)
    guard answered.count == 1 else { return }
    do {
      try context.later { [unowned self] in flushAnswered() }
    } catch {
      flushAnswered()
    }
  }

  private func flushAnswered() {
    let clients = answered
    answered = []
    for client in clients { client.flush() }
  }

  /// What an error means to a client.
  func refusal(_ error: any Error) -> ProtocolError {
    switch error {
    case let error as ProtocolError: return error
    case let problem as Problem: return ProtocolError(problem)
    case is Hub.Lost: return .internal
    case let error as HostError where error.status == .tooLarge: return .badRequest
    case let error as HostError where error.status == .stale: return .internal
    default:
      // What is no fault of this plugin's and may be over when the client tries again.
      if let problem = Problem(of: error), [429, 503, 504].contains(problem.status) {
        return ProtocolError(problem)
      }
      if context.isOpen {
        context.log.error("a command failed", ["error": "\(error)"])
      }
      return .internal
    }
  }

  private func subscribe(
    _ client: Client, _ command: Command, _ name: ChannelName, _ request: SubscribeRequest,
    _ serial: UInt32
  ) async {
    do {
      let (options, grant) = try await mayListen(client, name, token: request.token)
      guard client.conversation.has(serial) else { throw ProtocolError.notAvailable }
      var admission = try await prepare(name, request, options, serial: serial, grant: grant)
      if !admission.isCurrent { try await catchUp(&admission) }
      let result = try commit(admission, client)
      client.conversation.finish(command)
      client.reply(.subscribe(result), to: command)
      enlist(admission, client)
    } catch {
      client.conversation.finish(command)
      if let seat = client.conversation.leave(serial) { vacate(seat, client) }
      if client.isOpen { client.reply(.error(refusal(error)), to: command) }
    }
    goOn(client, behind: command)
  }

  /// Whether a client may listen to a channel: by its owner's word, or by the settings and the token it shows.
  private func mayListen(
    _ client: Client, _ name: ChannelName, token: String?
  ) async throws -> (NamespaceOptions, Grant?) {
    switch try await authority.ask(name, .subscribe, client.connection.principal) {
    case .allowed(let options): return (options, nil)
    case .denied(let reason): throw ProtocolError(.forbidden(reason))
    case .unowned: break
    }
    var grant: Grant?
    if let token, !token.isEmpty {
      grant = try await credentials.grant(token, name, user: client.user)
    }
    let options = try rules.check(
      .subscribe, name, user: client.user, hasToken: grant != nil)
    return (options, grant)
  }

  private func connect(
    _ client: Client, _ command: Command, _ request: ConnectRequest
  ) async {
    var admissions: [Admission] = []
    do {
      let now = try context.clock.now()
      guard !client.conversation.expired(at: now.unixMilliseconds / 1000).isVoid else {
        throw ProtocolError.tokenExpired
      }
      if let token = request.token, !token.isEmpty {
        // What opened the connection may have been another's: two that disagree are as good as none.
        let user = try await credentials.user(of: token, for: .bearer)
        guard user?.id.isExactly(client.user) == true else { return end(client, .invalidToken) }
      }
      // One answer holds them all.
      var left = settings.answerBytes
      let subs = TokenClaims.of(client.connection.principal)?.subs
      for name in serverSideChannels(of: client) {
        let serial = client.conversation.reserve(name.text, isServerSide: true)
        let asked = request.subs?[name.text] ?? SubscribeRequest()
        let options = try await mayListen(client, serverSide: name)
        let grant = subs?[name.text].map { Grant(info: $0.info?.bytes) }
        let admission = try await prepare(
          name, asked, options, serial: serial, grant: grant, bytes: left)
        left -= admission.size
        admissions.append(admission)
      }
      // All of them at once: what comes after the answer was not in it.
      while let late = admissions.firstIndex(where: { !$0.isCurrent }) {
        try await catchUp(&admissions[late])
      }
    } catch {
      for admission in admissions { hub.release(admission.channel) }
      for seat in client.conversation.seats { _ = client.conversation.leave(seat.serial) }
      client.conversation.reject()
      if client.isOpen { client.reply(.error(refusal(error)), to: command) }
      carryOutHeld(client)
      return
    }
    guard client.conversation.connect() else {
      for admission in admissions { hub.release(admission.channel) }
      return
    }
    var result = ConnectResult(client: client.name, ping: settings.pingInterval)
    if let session = client.session, let shard = link.name {
      result.emulation = (session, NodeName(app: context.tenant, shard: shard).text)
    }
    if client.conversation.expiresAt != 0 {
      result.ttl = secondsLeft(until: client.conversation.expiresAt)
    }
    for admission in admissions {
      guard let made = try? commit(admission, client) else { return end(client, .serverError) }
      result.subs.append((admission.name.text, made))
    }
    client.reply(.connect(result), to: command)
    for admission in admissions { enlist(admission, client) }
    carryOutHeld(client)
  }

  /// What a channel is like to which the server subscribes a client: the token names it, or it is the user's own.
  func mayListen(_ client: Client, serverSide name: ChannelName) async throws -> NamespaceOptions {
    switch try await authority.ask(name, .subscribe, client.connection.principal) {
    case .allowed(let owned): owned
    case .denied(let reason): throw ProtocolError(.forbidden(reason))
    case .unowned: try rules.check(.subscribe, name, user: client.user, hasToken: true)
    }
  }

  /// The channels that a connection listens to from its beginning.
  func serverSideChannels(of client: Client) -> [ChannelName] {
    var names: [ChannelName] = []
    if settings.subscribesToPersonalChannel, let own = try? ChannelName.personal(of: client.user) {
      names.append(own)
    }
    let claims = TokenClaims.of(client.connection.principal)
    for text in (claims?.channels ?? []) + (claims?.subs ?? [:]).keys.sorted() {
      guard names.count < settings.channelsPerConnection, let name = try? ChannelName(text),
        !names.contains(name)
      else { continue }
      names.append(name)
    }
    return names
  }

  func secondsLeft(until second: UInt32) -> Int64 {
    let now = (try? context.clock.now().unixMilliseconds) ?? 0
    return Int64(second) - now / 1000
  }
}
