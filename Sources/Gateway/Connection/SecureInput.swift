internal import EventLoop
internal import TLS

/// What a connection that speaks TLS has beside the rest.
struct SecureState {
  let listener: SecureListenerPointer
  /// Begun with the first byte that looks like TLS, so that whoever only connects costs little.
  var session: TLSSession?
  /// The subject of the certificate that the client has shown, owned, at most `AccessLog.longestClient` bytes; empty when it
  /// has shown none.
  var clientSubject = UnsafeRawBufferPointer(start: nil, count: 0)
}

/// What the gateway does about the events of streams that carry TLS: the same, behind its decryption. Connections without
/// TLS have callbacks of their own and pay nothing for this.
let secureCallbacks: StreamCallbackTable = StreamCallbacks(
  onRead: { stream, bytes, count in connection(of: stream).receivedCiphertext(bytes, count) },
  onEOF: { stream in connection(of: stream).peerHasGone() },
  onError: { stream, _ in connection(of: stream).unwatch() },
  onDrained: { stream in connection(of: stream).hasDrained() },
  onClosed: { stream in connection(of: stream).hasClosed() }
).makeTable()

/// A connection has been accepted on a listener with TLS.
func secureConnectionAccepted(_ stream: TCPStream, _ context: UInt64) {
  let listener = UnsafeMutableRawPointer(address: context)
    .assumingMemoryBound(to: SecureListener.self)
  let connection = connection(of: stream)
  connection.initialize(to: Connection(stream: stream, loop: listener.pointee.loop))
  let secure = UnsafeMutablePointer<SecureState>.allocate(capacity: 1)
  secure.initialize(to: SecureState(listener: listener))
  connection.pointee.secure = secure
  connection.loop.pointee.metrics.add(.secureConnectionsOpen)
  connection.admit(.handshake)
}

extension UnsafeMutablePointer where Pointee == Connection {
  /// Ciphertext has come. What it holds goes the way of plain bytes, in one piece.
  fileprivate func receivedCiphertext(_ bytes: UnsafeMutableRawPointer, _ count: Int) {
    guard let session = pointee.secure?.pointee.session ?? beginHandshake(bytes, count) else {
      return
    }
    let transfer = loop.pointee.transfer.unsafelyUnwrapped
    let arrival = session.receive(bytes, count, on: transfer)
    if transfer.ciphertext.count > 0 { settle(writeCiphertext()) }
    switch arrival {
    case .open, .ended: break
    case .handshaking: return
    case .opened: handshakeHasEnded(session)
    case .failed(let failure): return sessionHasFailed(failure)
    }
    guard !pointee.stream.isClosing else { return }
    if let plaintext = transfer.plaintext.baseAddress, transfer.plaintext.count > 0 {
      received(plaintext, transfer.plaintext.count)
    }
    if arrival == .ended { peerHasGone() }
  }

  /// Looks at a connection's first bytes and begins a session, unless they are no TLS or there is no room for it.
  private func beginHandshake(_ bytes: UnsafeRawPointer, _ count: Int) -> TLSSession? {
    guard let secure = pointee.secure, !pointee.flags.contains(.isFinishing) else { return nil }
    let loop = loop
    // The first record of TLS is one of handshake (RFC 8446 §5.1).
    let first = bytes.load(as: UInt8.self)
    guard first == 0x16 else {
      refusePlaintext(first)
      return nil
    }
    let limiter = loop.pointee.shared.handshakes
    guard limiter.take(now: EventLoop.hrtime()).isAllowed else {
      loop.pointee.metrics.add(.handshakesRefused)
      pointee.stream.close()
      return nil
    }
    let context = secure.pointee.listener.pointee.context
    guard let session = TLSSession.accept(context, on: loop.pointee.transfer.unsafelyUnwrapped)
    else {
      pointee.stream.close()
      return nil
    }
    secure.pointee.session = session
    return session
  }

  /// Answers somebody who speaks HTTP without TLS in their language; ends what is neither.
  private func refusePlaintext(_ first: UInt8) {
    unwatch()
    guard (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(first) else {
      loop.pointee.metrics.add(.handshakesNotTLS)
      return pointee.stream.close()
    }
    loop.pointee.metrics.add(.handshakesPlainHTTP)
    pointee.flags.insert(.isFinishing)
    let refusal: StaticString = """
      HTTP/1.1 400 Bad Request\r
      content-type: text/plain; charset=utf-8\r
      connection: close\r
      content-length: 68\r
      \r
      This port speaks HTTP inside TLS alone: write https://, not http://

      """
    _ = pointee.stream.tryWrite(refusal.raw)
    pointee.stream.shutdownThenClose()
  }

  private func handshakeHasEnded(_ session: TLSSession) {
    let metrics = loop.pointee.metrics
    metrics.add(session.version == .tls13 ? .handshakes13 : .handshakes12)
    if session.isResumed { metrics.add(.handshakesResumed) }
    if let subject = session.clientSubject {
      let bytes = subject.utf8.prefix(AccessLog.longestClient)
      let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
      memory.copyBytes(from: bytes)
      pointee.secure?.pointee.clientSubject = UnsafeRawBufferPointer(memory)
    }
    watch(pointee.flags.contains(.isShed) ? .head : .idle)
    if session.applicationProtocol == .http2 {
      beginHTTP2()
      pointee.http2?.takeView()
    }
  }

  private func sessionHasFailed(_ failure: TLSFailure) {
    let isHandshake = pointee.timeout == .handshake
    loop.pointee.metrics.add(isHandshake ? failure.metric : .secureConnectionsBroken)
    guard !pointee.stream.isClosing else { return }
    pointee.flags.insert(.isFinishing)
    unwatch()
    dropInput()
    // The alert is on its way; a request in hand ends when the stream is closed.
    pointee.stream.shutdownThenClose()
  }

  /// The peer has sent all it will send, with a word or without: requests say themselves where they end.
  fileprivate func peerHasGone() {
    guard !pointee.stream.isClosing, let secure = pointee.secure else { return }
    guard secure.pointee.session?.isOpen == true else {
      if secure.pointee.session != nil { loop.pointee.metrics.add(.handshakesAbandoned) }
      unwatch()
      return pointee.stream.close()
    }
    if !pointee.flags.contains(.hasEnded) { endOfInput() }
  }

  /// Frees the session. The stream is closed.
  func dropSecure() {
    guard let secure = pointee.secure else { return }
    secure.pointee.session?.destroy()
    secure.pointee.clientSubject.deallocate()
    secure.deinitialize(count: 1)
    secure.deallocate()
    pointee.secure = nil
    loop.pointee.metrics.add(.secureConnectionsOpen, -1)
  }
}

extension TLSFailure {
  /// What counts it, when it ends a handshake.
  fileprivate var metric: Metric {
    switch self {
    case .version: .handshakesOfVersion
    case .parameters: .handshakesOfParameters
    case .applicationProtocol: .handshakesOfProtocol
    case .clientCertificate: .handshakesOfCertificate
    case .peerAlert: .handshakesOfAlert
    case .malformed: .handshakesMalformed
    }
  }
}
