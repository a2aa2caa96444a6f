internal import CSluice
internal import EventLoop
internal import Wire

typealias GreetingPointer = UnsafeMutablePointer<Greeting>

/// A WebSocket that was accepted before anybody knew whose it is: its credential comes in the first message.
///
/// The request of its handshake waits meanwhile; with the credential it goes through its stages again, now to the
/// tenant that the credential names, and what would be an answer becomes a close code. Confined to its loop.
struct Greeting {
  let socket: SocketPointer
  let table: UnsafePointer<sluice_websocket_credential_v1_t>
  /// The plugin's number for the socket's handler.
  let handler: UInt32
  var kind: UInt32 = 0
  /// The first message; owned.
  var message: UnsafeMutableRawBufferPointer?
  /// What the plugin has found in it; owned.
  var credential: UnsafeMutableRawBufferPointer?
  /// The first message is being dealt with further up the stack.
  var isInside = false
  /// The credential was good once.
  var hasExpired = false

  /// Bytes of a first message at most.
  static let messageBytes = 65_536

  /// What of the route and the request says that the socket's credential is still to come.
  static func isDue(_ request: RequestPointer) -> Bool {
    request.facts.pointee.firstMessage != nil && request.pointee.greeting == nil
      && request.loop.credential(of: request) == nil
  }
}

extension UnsafeMutablePointer where Pointee == RequestSlot {
  /// Accepts a handshake on nobody's behalf, and waits for the first message.
  func beginGreeting() {
    guard let key = checkHandshake() else { return }
    let connection = pointee.connection.unsafelyUnwrapped
    let facts = facts
    let generation = pointee.generation.unsafelyUnwrapped
    let socket = SocketPointer.make(
      SocketState(
        connection: connection, table: facts.pointee.socket.unsafelyUnwrapped,
        generation: generation.retain(),
        messageLimit: UInt32(
          clamping: Swift.min(withRoute { $0.messageLimit }, Greeting.messageBytes)),
        plugin: facts.pointee.plugin, handler: facts.pointee.handler), on: pointee.http2)
    socket.pointee.token = loop.pointee.tokens.insert(UnsafeMutableRawPointer(socket), .socket)
    socket.pointee.flags.insert(.isGreeting)
    generation._withUnsafeGuaranteedRef {
      $0.enter()
      $0.add(socket)
    }
    let greeting = GreetingPointer.allocate(capacity: 1)
    greeting.initialize(
      to: Greeting(
        socket: socket, table: facts.pointee.firstMessage.unsafelyUnwrapped,
        handler: facts.pointee.handler))
    pointee.greeting = greeting
    socket.pointee.context = UInt64(address: self)
    pointee.stage = .greeting
    let agreed = agreeOnCompression(socket)
    keep()
    accept(key, socket, agreed)
    guard pointee.flags.contains(.isTurnedAway) else { return }
    greeting.pointee.hasExpired = pointee.flags.contains(.hasExpired)
    // Whoever is known is not meant here.
    refuseGreeting(pointee.principal == nil ? SLUICE_E_UNAUTHENTICATED : SLUICE_E_DENIED)
  }

  /// Whether a credential that is not let in is refused over the WebSocket, because it might as well have come in its
  /// first message: browsers tell their pages nothing of a handshake that fails.
  func turnsAway(_ why: Int32) -> Bool {
    guard pointee.greeting == nil, pointee.route >= 0, facts.pointee.firstMessage != nil,
      pointee.head.wantsUpgradeWebSocket || pointee.flags.contains(.isTunnel),
      !pointee.head.hasBody
    else { return false }
    pointee.flags.formUnion([.awaitsGreeting, .isTurnedAway, .bodyIsComplete])
    if why == SLUICE_E_EXPIRED { pointee.flags.insert(.hasExpired) }
    pointee.stage = .handle
    return true
  }

  /// The first message has come.
  fileprivate func greeted(_ kind: UInt32, _ message: UnsafeRawBufferPointer) {
    guard let greeting = pointee.greeting, greeting.pointee.message == nil else { return }
    greeting.pointee.kind = kind
    greeting.pointee.message = .copy(of: message)
    let sink: sluice_sink_fn = { sink, bytes in
      let greeting = UnsafeMutableRawPointer(address: sink).assumingMemoryBound(to: Greeting.self)
      greeting.pointee.credential?.deallocate()
      greeting.pointee.credential = bytes.bytes == nil ? nil : .copy(of: bytes.raw)
    }
    let status = greeting.pointee.table.pointee.credential_of(
      greeting.pointee.handler, kind, sluice_slice_t(message), sink, UInt64(address: greeting))
    guard status >= 0 else { return refuseGreeting(status) }
    restart()
    greeting.pointee.isInside = true
    // By the socket: the request's token may be another one by then.
    let token = greeting.pointee.socket.pointee.token
    let loop = loop
    continueLater()
    guard let memory = loop.pointee.tokens.resolve(token, .socket) else { return }
    memory.assumingMemoryBound(to: SocketState.self).greetingIsOutside()
  }

  /// Goes back to the first stage, with the credential that has been found meanwhile.
  func restart() {
    if let generation = pointee.generation {
      pointee.generation = nil
      generation._withUnsafeGuaranteedRef { $0.leave() }
    }
    if pointee.flags.contains(.holdsTenant) { pointee.tenant?.release() }
    pointee.tenant = nil
    pointee.flags.remove([
      .holdsTenant, .isUnknown, .isMistyped, .awaitsGreeting, .awaitsCredential, .namesNoApp,
      .isUnproven, .isClaimed,
    ])
    pointee.identityDigest = nil
    pointee.route = -1
    pointee.stage = .tenant
    // What the peer took to say who it is was its own time.
    pointee.began = EventLoop.hrtime()
    watch(.request)
  }

  /// Hands the socket to the plugin of the tenant that has been found; returns the plugin's status.
  func adoptSocket(
    _ table: UnsafePointer<sluice_websocket_handler_v1_t>, handler: UInt32, plugin: Int,
    _ generation: Generation
  ) -> Int32 {
    let greeting = pointee.greeting.unsafelyUnwrapped
    let socket = greeting.pointee.socket
    guard socket.canSend else {
      endGreeting()
      return 0
    }
    let tenant = pointee.tenant.unsafelyUnwrapped
    guard tenant._withUnsafeGuaranteedRef({ entersConnections($0) }) else { return 0 }
    let former = socket.pointee.generation
    former._withUnsafeGuaranteedRef { $0.remove(socket) }
    socket.pointee.generation = .passRetained(generation)
    generation.enter()
    generation.add(socket)
    former._withUnsafeGuaranteedRef { $0.leave() }
    former.release()
    socket.pointee.table = table
    socket.pointee.plugin = Int32(plugin)
    socket.pointee.handler = handler
    socket.pointee.messageLimit = UInt32(clamping: withRoute { $0.messageLimit })
    if let principal = pointee.principal { socket.pointee.principal = principal.retain() }
    let token = pointee.token
    var context: UInt64 = 0
    var status: Int32 = 0
    let loop = loop
    socket.call("open") {
      status = $0.open(socket.pointee.shard, handler, token, socket.pointee.token, &context)
    }
    guard status >= 0, pointee.stage == .handling else {
      // Nobody's again, and on its way out.
      generation.tenant?.usage.leave()
      loop.leaveGroups(socket)
      loop.pointee.tokens.remove(socket.pointee.token)
      return status
    }
    socket.pointee.context = context
    socket.pointee.flags.remove(.isGreeting)
    let (stream, isInside) = (pointee.http2, greeting.pointee.isInside)
    if let message = greeting.pointee.message {
      greeting.pointee.message = nil
      let opcode = greeting.pointee.kind == SLUICE_MESSAGE_TEXT ? Opcode.text : .binary
      socket.deliver(opcode, UnsafeRawBufferPointer(message))
      message.deallocate()
    }
    guard pointee.stage == .handling else { return 0 }
    // A connection goes on with what came behind the first message.
    endGreeting()
    if let stream, !isInside {
      socket.receive(from: stream)
      stream.settle()
    }
    return 0
  }

  /// Closes the socket for a reason that a status names, with the plugin's words.
  func refuseGreeting(_ why: Int32) {
    let greeting = pointee.greeting.unsafelyUnwrapped
    let socket = greeting.pointee.socket
    var words = UnsafeMutableRawBufferPointer(start: nil, count: 0)
    var reason = sluice_slice_t(bytes: nil, length: 0)
    let message = greeting.pointee.message.map { UnsafeRawBufferPointer($0) }
    let code = withUnsafeMutablePointer(to: &words) { words in
      greeting.pointee.table.pointee.refusal(
        greeting.pointee.handler, greeting.pointee.kind,
        message.map { sluice_slice_t($0) } ?? sluice_slice_t(bytes: nil, length: 0),
        greeting.pointee.hasExpired ? SLUICE_E_EXPIRED : why,
        { sink, bytes in
          let words = UnsafeMutableRawPointer(address: sink)
            .assumingMemoryBound(to: UnsafeMutableRawBufferPointer.self)
          words.pointee.deallocate()
          words.pointee = .copy(of: bytes.raw)
        }, UInt64(address: words), &reason)
    }
    loop.pointee.metrics.add(.greetingsRefused)
    endGreeting()
    if socket.canSend {
      if words.count > 0, UTF8Validator.isValid(UnsafeRawBufferPointer(words)) {
        socket.append(.text, UnsafeRawBufferPointer(words))
      }
      let isCode = (3000...4999).contains(code)
      let isReason = reason.length <= 123 && UTF8Validator.isValid(reason.raw)
      socket.close(
        isCode ? UInt16(code) : HostCloseCode.refused,
        isReason ? reason.raw : UnsafeRawBufferPointer(start: nil, count: 0))
    }
    words.deallocate()
  }

  /// The request of the handshake has done its part.
  private func endGreeting() {
    let socket = pointee.greeting.unsafelyUnwrapped.pointee.socket
    dropGreeting()
    socket.awaitLife()
    let stream = pointee.http2
    finish()
    if stream != nil { socket.awaitLife() }
  }

  /// Frees what the greeting holds; its socket, if it is still nobody's, stays so.
  func dropGreeting() {
    guard let greeting = pointee.greeting else { return }
    if greeting.pointee.socket.pointee.flags.contains(.isGreeting) {
      greeting.pointee.socket.pointee.context = 0
    }
    greeting.pointee.message?.deallocate()
    greeting.pointee.credential?.deallocate()
    greeting.deallocate()
    pointee.greeting = nil
  }

  /// The status that an answer to a request stands for.
  static func status(forAnswer status: Int) -> Int32 {
    switch status {
    case 400: SLUICE_E_INVALID
    case 401: SLUICE_E_UNAUTHENTICATED
    case 403: SLUICE_E_DENIED
    case 404, 405: SLUICE_E_NOT_FOUND
    case 409: SLUICE_E_CONFLICT
    case 429: SLUICE_E_LIMITED
    case 503: SLUICE_E_UNAVAILABLE
    case 504: SLUICE_E_DEADLINE
    default: SLUICE_E_INTERNAL
    }
  }
}

extension UnsafeMutablePointer where Pointee == SocketState {
  /// The request of a socket that is still nobody's; nil when it has been refused.
  private var greeter: RequestPointer? {
    pointee.context == 0
      ? nil
      : UnsafeMutableRawPointer(address: pointee.context).assumingMemoryBound(
        to: RequestSlot.self)
  }

  /// A message has come on a socket that is still nobody's.
  func greet(_ opcode: Opcode, _ message: UnsafeRawBufferPointer) {
    let kind = opcode == .text ? SLUICE_MESSAGE_TEXT : SLUICE_MESSAGE_BINARY
    greeter?.greeted(kind, message)
  }

  /// Whether the first message is still awaited, or what it leads to.
  var isGreeting: Bool { pointee.flags.contains(.isGreeting) && pointee.context != 0 }

  /// Whether the first message has come and the socket is still nobody's: what follows it must wait.
  var hasGreeted: Bool {
    isGreeting && greeter?.pointee.greeting?.pointee.message != nil
  }

  /// What the first message has led to at once is done.
  fileprivate func greetingIsOutside() {
    if isGreeting { greeter?.pointee.greeting?.pointee.isInside = false }
  }

  /// The time for the first message is over.
  func greetingIsLate() { greeter?.refuseGreeting(SLUICE_E_DEADLINE) }
}

extension UnsafeMutableRawBufferPointer {
  /// New memory with the same bytes, the caller's to free.
  fileprivate static func copy(of bytes: UnsafeRawBufferPointer) -> UnsafeMutableRawBufferPointer {
    let copy = UnsafeMutableRawBufferPointer.allocate(
      byteCount: Swift.max(bytes.count, 1), alignment: 16)
    copy.copyMemory(from: bytes)
    return UnsafeMutableRawBufferPointer(rebasing: copy[..<bytes.count])
  }
}
