internal import CSluice
internal import EventLoop
internal import Wire

extension UnsafeMutablePointer where Pointee == SocketState {
  /// From now on the connection's bytes come here, first of all those that came behind the handshake.
  func takeOver() {
    let connection = pointee.connection
    pointee.flags.insert(.isTakenOver)
    connection.watch(isGreeting ? .greeting : .ping)
    if connection.pointee.viewCount > 0 { decode() }
    guard !connection.pointee.stream.isClosing else { return }
    connection.pointee.stream.startReading()
    if connection.pointee.flags.contains(.hasEnded) { hasEnded() }
  }

  /// Bytes have come.
  func received(_ bytes: UnsafeMutableRawPointer, _ count: Int) {
    let connection = pointee.connection
    guard !pointee.flags.contains(.isDeaf) else { return }
    if connection.pointee.viewCount == 0 {
      connection.pointee.view = bytes
      connection.pointee.viewCount = UInt32(count)
    } else {
      connection.stash(bytes, count)
    }
    decode()
  }

  private func decode() {
    let connection = pointee.connection
    if connection.pointee.timeout == .ping, isAwaited { connection.watch(.ping) }
    connection.pointee.flags.insert(.isProcessing)
    let bytes = UnsafeMutableRawBufferPointer(
      start: connection.pointee.view, count: Int(connection.pointee.viewCount))
    let offset = decode(bytes)
    connection.pointee.flags.remove(.isProcessing)
    connection.flush()
    if connection.pointee.stream.isClosing || pointee.flags.contains(.isDeaf) {
      return connection.dropInput()
    }
    if offset > 0 { connection.consume(offset) }
    if hasGreeted { connection.pointee.stream.stopReading() }
    connection.settle()
  }

  /// Takes whole frames, and pieces of messages, from the front of `bytes`, which are unmasked; returns how many bytes
  /// they are.
  func decode(_ bytes: UnsafeMutableRawBufferPointer) -> Int {
    let connection = pointee.connection
    let loop = connection.loop
    pointee.flags.remove(.awaitsPong)
    var limits = frameLimits
    let isNew = pointee.flags.contains(.isGreeting)
    if isNew, hasGreeted { return 0 }
    var offset = 0
    reading: while offset < bytes.count, !connection.pointee.stream.isClosing {
      switch pointee.decoder.next(bytes, offset: &offset, limits: limits) {
      case .needMore: break reading
      case .data(let piece):
        if let violation = receive(piece, in: bytes) {
          violated(violation)
          break reading
        }
        if isNew {
          // What follows the first message waits until the socket is somebody's, whose limits then hold.
          if hasGreeted { break reading }
          limits = frameLimits
        }
      case .ping(let payload):
        let payload = UnsafeRawBufferPointer(bytes)[payload.start..<payload.end]
        answerPing(UnsafeRawBufferPointer(rebasing: payload))
        if pointee.flags.contains(.closeSent) { break reading }
      case .pong: continue
      case .close(let code, let reason):
        peerCloses(
          code,
          UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(bytes)[reason.start..<reason.end])
        )
        break reading
      case .violation(let violation):
        violated(violation)
        break reading
      }
      if loop.pointee.outputOwner == connection, loop.pointee.output.isFull { connection.flush() }
    }
    return offset
  }

  /// Whether what the peer says keeps the socket open: no more once it has been sent a close frame, which it has only so long
  /// to answer, whatever else it sends.
  var isAwaited: Bool { !pointee.flags.contains(.closeSent) }

  /// Pongs count as much as messages do: who asks and never reads is too far behind at the same bound.
  @inline(never)
  private func answerPing(_ payload: UnsafeRawBufferPointer) {
    guard isAwaited else { return }
    append(.pong, payload)
    _ = isTooFarBehind()
  }

  private func receive(
    _ piece: FramePiece, in bytes: UnsafeMutableRawBufferPointer
  ) -> FrameViolation? {
    let payload = piece.payload.bytes(in: UnsafeRawPointer(bytes.baseAddress.unsafelyUnwrapped))
    if piece.isCompressed {
      if let violation = inflate(payload, piece) { return violation }
    } else if piece.isFirst && piece.isLast {
      deliver(piece.opcode, payload)
      return nil
    } else {
      pointee.message.append(payload)
    }
    guard piece.isLast else { return nil }
    // The plugin may do anything meanwhile, and another message may begin.
    var message = pointee.message
    pointee.message = MessageMemory()
    deliver(piece.opcode, message.bytes)
    message.release()
    return nil
  }

  private var frameLimits: FrameLimits {
    FrameLimits(
      messageBytes: UInt64(pointee.messageLimit),
      messageFrames: UInt32(clamping: loop.pointee.settings.messageFrames),
      allowsRSV1: pointee.deflate.isAgreed)
  }

  /// Hands the plugin a whole message.
  func deliver(_ opcode: Opcode, _ message: UnsafeRawBufferPointer) {
    guard pointee.flags.isDisjoint(with: [.hasEnded, .closeSent]) else { return }
    if pointee.flags.contains(.isGreeting) { return greet(opcode, message) }
    loop.pointee.metrics.add(.webSocketMessagesReceived)
    if isOverQuota(by: 1) { return }
    loop.pointee.groups.speaker = self
    let kind = opcode == .text ? SLUICE_MESSAGE_TEXT : SLUICE_MESSAGE_BINARY
    let (shard, handler, context, token) = (
      pointee.shard, pointee.handler, pointee.context, pointee.token
    )
    let base = message.baseAddress ?? UnsafeRawPointer(self)
    call("message") { table in
      table.message(
        shard, handler, context, token, kind,
        sluice_slice_t(UnsafeRawBufferPointer(start: base, count: message.count)))
    }
  }

  /// Counts messages; true when the tenant's plan allows no more, and then the socket is closed.
  func isOverQuota(by messages: Int) -> Bool {
    guard let tenant = pointee.generation._withUnsafeGuaranteedRef({ $0.tenant }) else {
      return false
    }
    guard loop.isOverQuota(tenant, messages: messages) else { return false }
    close(1008, ("quota_exceeded: messages_per_month" as StaticString).raw)
    return true
  }

  private func peerCloses(_ code: UInt16?, _ reason: UnsafeRawBufferPointer) {
    pointee.flags.insert(.isDeaf)
    if !pointee.flags.contains(.closeSent) {
      pointee.flags.insert(.closeSent)
      appendClose(code, UnsafeRawBufferPointer(start: nil, count: 0))
    }
    let connection = pointee.connection
    connection.flush()
    end(code: code ?? 1005, reason: reason)
    leave()
  }

  private func violated(_ violation: FrameViolation) {
    pointee.flags.insert(.isDeaf)
    pointee.closeCode = violation.closeCode
    if violation == .messageTooBig { loop.pointee.metrics.add(.messagesTooBig) }
    if violation == .tooManyFrames { loop.pointee.metrics.add(.messagesOfTooManyFrames) }
    if violation == .invalidCompression { loop.pointee.metrics.add(.invalidCompression) }
    let connection = pointee.connection
    if !pointee.flags.contains(.closeSent) {
      pointee.flags.insert(.closeSent)
      appendClose(violation.closeCode, violation.message.raw)
    }
    connection.flush()
    end(code: violation.closeCode, reason: violation.message.raw)
    leave()
  }

  /// The peer will send no more, without having closed as the protocol asks.
  func hasEnded() {
    end(code: 1006, reason: UnsafeRawBufferPointer(start: nil, count: 0))
    cut()
  }

  /// Nothing has come for a while: ask, and give up when the answer fails to come.
  func isSilent() {
    guard !pointee.flags.contains(.closeSent), !pointee.flags.contains(.awaitsPong) else {
      loop.pointee.metrics.add(.silentSockets)
      end(code: 1006, reason: UnsafeRawBufferPointer(start: nil, count: 0))
      cut()
      return
    }
    pointee.flags.insert(.awaitsPong)
    append(.ping, UnsafeRawBufferPointer(start: nil, count: 0))
    awaitLife()
  }
}
