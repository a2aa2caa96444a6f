internal import EventLoop
internal import HTTP2
internal import Wire

/// A WebSocket on a stream of HTTP/2 (RFC 8441): the same state and the same plugins, with the stream's address behind it
/// in memory, so that sockets on connections of their own are no larger.
extension UnsafeMutablePointer where Pointee == SocketState {
  /// Allocates a socket, on a stream or on a connection of its own.
  static func make(_ state: SocketState, on stream: StreamPointer?) -> SocketPointer {
    guard let stream else {
      let socket = SocketPointer.allocate(capacity: 1)
      socket.initialize(to: state)
      return socket
    }
    let size = MemoryLayout<SocketState>.stride
    let memory = UnsafeMutableRawPointer.allocate(
      byteCount: size + MemoryLayout<StreamPointer>.size, alignment: 16)
    (memory + size).storeBytes(of: stream, as: StreamPointer.self)
    let socket = memory.bindMemory(to: SocketState.self, capacity: 1)
    socket.initialize(to: state)
    socket.pointee.flags.insert(.isOverHTTP2)
    return socket
  }

  var isOverHTTP2: Bool { pointee.flags.contains(.isOverHTTP2) }

  /// The stream of a socket that lies on one.
  var stream: StreamPointer {
    let size = MemoryLayout<SocketState>.stride
    return (UnsafeMutableRawPointer(self) + size).load(as: StreamPointer.self)
  }

  /// Bytes that wait for the peer.
  var queuedBytes: Int {
    if pointee.flags.contains(.isOpening) { return pointee.message.bytes.count }
    return isOverHTTP2
      ? stream.pointee.output.count : pointee.connection.pointee.stream.queuedBytes
  }

  /// Begins to wait for a sign of life from the peer, from now on.
  func awaitLife() {
    if isOverHTTP2 { stream.watch(.ping) } else { pointee.connection.watch(.ping) }
  }

  /// Lets go out what is laid out, and ends the connection or the stream behind it.
  func leave() {
    if isOverHTTP2 {
      stream.unwatch()
      stream.complete()
    } else {
      pointee.connection.unwatch()
      pointee.connection.shutDown()
    }
  }

  /// Ends the connection or the stream at once.
  func cut() {
    if isOverHTTP2 { stream.reset(.cancel) } else { pointee.connection.pointee.stream.close() }
  }

  /// Takes what has come on the stream.
  func receive(from stream: StreamPointer) {
    if stream.pointee.viewCount > 0, !pointee.flags.contains(.isDeaf) {
      if stream.pointee.timeout == .ping, isAwaited { stream.watch(.ping) }
      let bytes = UnsafeMutableRawBufferPointer(
        start: stream.pointee.view, count: stream.pointee.viewCount)
      stream.consume(decode(bytes))
    }
    if pointee.flags.contains(.isDeaf) { return stream.consume(stream.pointee.viewCount) }
    if stream.pointee.flags.contains(.hasEnded) { hasEnded() }
  }
}

extension UnsafeMutablePointer where Pointee == RequestSlot {
  /// Checks an extended CONNECT as far as the codec has not (RFC 8441 §5), and answers one that is refused.
  func checkExtendedConnect() -> Bool {
    guard pointee.flags.contains(.isTunnel) else {
      add(("allow" as StaticString).raw, ("CONNECT" as StaticString).raw)
      problem(
        .methodNotAllowed,
        "This is a WebSocket: open it with an extended CONNECT (RFC 8441), or over HTTP/1.1.")
      return false
    }
    guard field(.secWebSocketVersion)?.elementsEqual("13".utf8) == true else {
      add(("sec-websocket-version" as StaticString).raw, ("13" as StaticString).raw)
      problem(.invalidRequest, "The only Sec-WebSocket-Version here is 13.")
      return false
    }
    let fields = UnsafeMutableBufferPointer(start: pointee.fields, count: pointee.head.fieldCount)
    if let refusal = WebSocketHandshake.checkLists(pointee.head, fields, in: pointee.base) {
      refuseHandshake(refusal)
      return false
    }
    return true
  }

  /// Answers 200: from now on the stream's bytes are the socket's.
  func accept(
    _ socket: SocketPointer, on stream: StreamPointer, subprotocol: UnsafeRawBufferPointer?,
    _ agreed: DeflateParameters?
  ) {
    if let subprotocol { add(("sec-websocket-protocol" as StaticString).raw, subprotocol) }
    if let agreed {
      withUnsafeTemporaryAllocation(byteCount: DeflateParameters.answerBytes, alignment: 8) {
        var text = ByteWriter($0.baseAddress.unsafelyUnwrapped, capacity: $0.count)
        agreed.appendAnswer(to: &text)
        add(("sec-websocket-extensions" as StaticString).raw, text.bytes)
      }
    }
    let none = UnsafeRawBufferPointer(start: nil, count: 0)
    writeHead(on: stream, 200, contentType: none, length: -2, isFollowed: true)
    stream.append(socket.early)
    socket.hasOpened()
    stream.pointee.socket = socket
    if pointee.greeting == nil { finish(on: stream) }
    socket.pointee.flags.insert(.isTakenOver)
    stream.watch(socket.isGreeting ? .greeting : .ping)
    socket.receive(from: stream)
    stream.settle()
  }
}
