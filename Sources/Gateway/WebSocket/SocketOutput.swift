internal import EventLoop
internal import Wire

extension UnsafeMutablePointer where Pointee == SocketState {
  /// Whether messages can still be sent.
  var canSend: Bool {
    pointee.flags.isDisjoint(with: [.closeSent, .isDeaf, .hasEnded])
      && !pointee.connection.pointee.stream.isClosing
  }

  /// Queues one message; false when the peer is too far behind and is being closed.
  func send(_ opcode: Opcode, _ message: UnsafeRawBufferPointer) -> Bool {
    loop.flushGroups(of: self)
    guard canSend else { return false }
    loop.pointee.metrics.add(.webSocketMessagesSent)
    if !appendCompressed(opcode, message) { append(opcode, message) }
    return !isTooFarBehind()
  }

  /// Lays a frame out behind what the connection is about to send.
  func append(_ opcode: Opcode, _ payload: UnsafeRawBufferPointer) {
    let room = FrameEncoder.headerBytes(payload.count) + payload.count
    guard pointee.flags.isDisjoint(with: [.isOpening, .isOverHTTP2]) else {
      var frame = ByteWriter(growingFrom: room)
      FrameEncoder.append(opcode, payload, to: &frame)
      appendApart(frame.bytes)
      frame.deallocate()
      return
    }
    let connection = pointee.connection
    let loop = connection.loop
    loop.own(connection)
    var frame = ByteWriter(loop.pointee.output.reserve(room), capacity: room)
    FrameEncoder.append(opcode, payload, to: &frame)
    loop.pointee.output.advance(by: frame.count)
    loop.pointee.metrics.add(.bytesSent, frame.count)
    flushSoon()
  }

  /// Lays out frames that go elsewhere than to the connection's next write: behind the answer to the handshake, or onto
  /// a stream.
  func appendApart(_ frames: UnsafeRawBufferPointer) {
    if pointee.flags.contains(.isOpening) { return pointee.message.append(frames) }
    loop.pointee.metrics.add(.bytesSent, frames.count)
    stream.append(frames)
  }

  func flushSoon() {
    let connection = pointee.connection
    if connection.loop.pointee.output.isFull { return connection.flush() }
    if !connection.pointee.flags.contains(.isProcessing) { connection.loop.pointee.groupHook.arm() }
  }

  func appendClose(_ code: UInt16?, _ reason: UnsafeRawBufferPointer) {
    guard pointee.flags.isDisjoint(with: [.isOpening, .isOverHTTP2]) else {
      var frame = ByteWriter(growingFrom: 160)
      FrameEncoder.appendClose(code: code, reason: reason, to: &frame)
      appendApart(frame.bytes)
      frame.deallocate()
      return
    }
    let connection = pointee.connection
    let loop = connection.loop
    loop.own(connection)
    var frame = ByteWriter(loop.pointee.output.reserve(160), capacity: 160)
    FrameEncoder.appendClose(code: code, reason: reason, to: &frame)
    loop.pointee.output.advance(by: frame.count)
    flushSoon()
  }

  /// Starts the closing handshake (RFC 6455 §7.1.2).
  func close(_ code: UInt16, _ reason: UnsafeRawBufferPointer) {
    loop.flushGroups(of: self)
    guard canSend else { return }
    if pointee.flags.contains(.isOpening) { pointee.flags.insert(.closeSent) }
    pointee.closeCode = code
    appendClose(code, reason)
    pointee.flags.insert(.closeSent)
    // The peer's answer is waited for no longer than a sign of life.
    awaitLife()
  }

  /// Ends a connection whose peer does not keep up.
  func isTooFarBehind() -> Bool {
    guard queuedBytes > loop.pointee.settings.socketQueueBytes else {
      return false
    }
    endSlow()
    return true
  }

  /// The peer could not read a close frame behind a full queue, so the frame goes out only if there is room; then the
  /// connection is cut, and the plugin hears of it when it is closed.
  func endSlow() {
    guard !pointee.flags.contains(.closeSent) else { return }
    loop.pointee.metrics.add(.slowSubscribers)
    // The answer to the handshake is still to come, and what was sent before it.
    if pointee.flags.contains(.isOpening) {
      return close(HostCloseCode.slow, ("slow" as StaticString).raw)
    }
    pointee.closeCode = HostCloseCode.slow
    if isOverHTTP2 {
      pointee.flags.insert(.closeSent)
      return cut()
    }
    appendClose(HostCloseCode.slow, ("slow" as StaticString).raw)
    pointee.flags.insert(.closeSent)
    pointee.connection.flush()
    leave()
  }

  /// The kernel has taken everything.
  func hasDrained() {
    if pointee.connection.pointee.timeout == .write { pointee.connection.watch(.ping) }
  }
}
