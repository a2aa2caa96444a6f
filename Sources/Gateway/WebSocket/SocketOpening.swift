internal import CSluice
internal import EventLoop
internal import Wire

extension UnsafeMutablePointer where Pointee == RequestSlot {
  /// Checks a handshake (RFC 6455 §4.2), asks the plugin, and answers 101; returns the plugin's status.
  func openSocket(
    _ table: UnsafePointer<sluice_websocket_handler_v1_t>, handler: UInt32, plugin: Int,
    _ generation: Generation
  ) -> Int32 {
    if pointee.greeting != nil {
      return adoptSocket(table, handler: handler, plugin: plugin, generation)
    }
    guard let key = checkHandshake() else { return 0 }
    let tenant = pointee.tenant.unsafelyUnwrapped
    guard tenant._withUnsafeGuaranteedRef({ entersConnections($0) }) else { return 0 }
    let connection = pointee.connection.unsafelyUnwrapped
    let loop = connection.loop
    let socket = SocketPointer.make(
      SocketState(
        connection: connection, table: table, generation: .passRetained(generation),
        messageLimit: UInt32(clamping: withRoute { $0.messageLimit }), plugin: Int32(plugin),
        handler: handler), on: pointee.http2)
    socket.pointee.token = loop.pointee.tokens.insert(UnsafeMutableRawPointer(socket), .socket)
    if let principal = pointee.principal { socket.pointee.principal = principal.retain() }
    socket.pointee.flags.insert(.isOpening)
    let agreed = agreeOnCompression(socket)
    generation.enter()
    generation.add(socket)
    let token = pointee.token
    var context: UInt64 = 0
    var status: Int32 = 0
    socket.call("open") {
      status = $0.open(socket.pointee.shard, handler, token, socket.pointee.token, &context)
    }
    guard status >= 0, pointee.stage == .handling else {
      loop.leaveGroups(socket)
      loop.pointee.tokens.remove(socket.pointee.token)
      socket.destroy()
      return status
    }
    socket.pointee.context = context
    accept(key, socket, agreed)
    return 0
  }

  /// The handshake's key, empty over HTTP/2; nil when the handshake has been refused.
  func checkHandshake() -> ByteSpan? {
    guard pointee.http2 == nil else { return checkExtendedConnect() ? .empty : nil }
    let fields = UnsafeMutableBufferPointer(start: pointee.fields, count: pointee.head.fieldCount)
    switch WebSocketHandshake.check(pointee.head, fields, in: pointee.base) {
    case .accept(let key): return key
    case .refuse(let refusal):
      refuseHandshake(refusal)
      return nil
    }
  }

  /// Negotiates permessage-deflate (RFC 7692 §5.1); nil when nothing is compressed.
  func agreeOnCompression(_ socket: SocketPointer) -> DeflateParameters? {
    var policy = withRoute { $0.compression }
    guard policy.mode != .off, pointee.head.first(.secWebSocketExtensions) != nil else {
      return nil
    }
    let fields = UnsafeMutableBufferPointer(start: pointee.fields, count: pointee.head.fieldCount)
    guard
      var agreed = DeflateParameters.negotiate(
        pointee.head, fields, in: pointee.base, terms: policy.terms)
    else { return nil }
    if !agreed.serverNoContextTakeover || !agreed.clientNoContextTakeover {
      if socket.loop.takeCompressionState() {
        socket.pointee.deflate = SocketDeflate(agreed, policy)
        socket.pointee.deflate.flags.insert(.holdsState)
        return agreed
      }
      policy.mode = .noContext
      guard
        let less = DeflateParameters.negotiate(
          pointee.head, fields, in: pointee.base, terms: policy.terms)
      else { return nil }
      agreed = less
    }
    socket.pointee.deflate = SocketDeflate(agreed, policy)
    return agreed
  }

  /// Answers a handshake: from now on the bytes are the socket's. Ends the request, unless it has a greeting to wait for.
  func accept(
    _ key: ByteSpan, _ socket: SocketPointer, _ agreed: DeflateParameters?
  ) {
    let protocolName = selectedSubprotocol()
    if let stream = pointee.http2 {
      return accept(socket, on: stream, subprotocol: protocolName, agreed)
    }
    if pointee.passage != nil { runResponders(101) }
    let connection = socket.pointee.connection
    let loop = connection.loop
    loop.own(connection)
    let room =
      512 + DeflateParameters.answerBytes + (protocolName?.count ?? 0) + (pointee.added?.count ?? 0)
    var text = ByteWriter(loop.pointee.output.reserve(room), capacity: room)
    text.append("HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\n")
    text.append("sec-websocket-accept: ")
    WebSocketHandshake.appendAccept(for: bytes(key), to: &text)
    text.append("\r\nx-request-id: ")
    text.append(requestID)
    if let protocolName {
      text.append("\r\nsec-websocket-protocol: ")
      text.append(protocolName)
    }
    if let agreed {
      text.append("\r\nsec-websocket-extensions: ")
      agreed.appendAnswer(to: &text)
    }
    text.append("\r\n")
    if let added = pointee.added { text.append(added.bytes) }
    text.append("\r\n")
    loop.pointee.output.advance(by: text.count)
    pointee.status = 101
    pointee.sent += text.count
    loop.pointee.output.append(socket.early)
    socket.hasOpened()
    connection.pointee.socket = socket
    if pointee.greeting == nil { finish() }
  }

  func refuseHandshake(_ refusal: WebSocketHandshake.Refusal) {
    if refusal.status == 426 {
      add(("sec-websocket-version" as StaticString).raw, ("13" as StaticString).raw)
      add(("upgrade" as StaticString).raw, ("websocket" as StaticString).raw)
      // RFC 9110 §7.8: whoever sends Upgrade names it in Connection.
      add(("connection" as StaticString).raw, ("upgrade" as StaticString).raw)
    }
    let code: StaticString =
      refusal.status == 426
      ? "upgrade_required" : refusal.status == 405 ? "method_not_allowed" : "invalid_request"
    problem(refusal.status, code: code.raw, detail: refusal.message.raw)
  }

  /// The subprotocol to select: the server's first preference that the client offers; else, when a bearer token is
  /// all that was offered, that offer, because browsers insist on one (RFC 6455 §4.1).
  private func selectedSubprotocol() -> UnsafeRawBufferPointer? {
    let fields = UnsafeMutableBufferPointer(start: pointee.fields, count: pointee.head.fieldCount)
    // Browsers that bring their token among the subprotocols need another one to be selected beside it.
    for var wanted in withRoute({ $0.subprotocols }) + ["sluice.v1"] {
      var offers = SubprotocolList(pointee.head, fields)
      while let offer = offers.next(in: pointee.base) {
        let name = bytes(offer)
        if wanted.withUTF8({ $0.elementsEqual(name) }) { return name }
      }
    }
    var offers = SubprotocolList(pointee.head, fields)
    guard let first = offers.next(in: pointee.base), offers.next(in: pointee.base) == nil,
      bytes(first).starts(with: ("bearer." as StaticString).raw)
    else { return nil }
    return bytes(first)
  }
}

extension UnsafeMutablePointer where Pointee == SocketState {
  /// What the plugin has sent before the handshake was answered.
  var early: UnsafeRawBufferPointer { pointee.message.bytes }

  /// The answer to the handshake is laid out, and what was sent early behind it.
  func hasOpened() {
    pointee.message.release()
    pointee.flags.remove(.isOpening)
    loop.pointee.metrics.add(.webSocketsOpened)
    loop.pointee.metrics.add(.webSocketsOpen)
  }
}
