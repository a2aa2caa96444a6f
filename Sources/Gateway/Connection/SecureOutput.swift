internal import EventLoop
internal import TLS
internal import Wire

extension UnsafeMutablePointer where Pointee == Connection {
  /// Bytes that are encrypted before they are written: what the loop's buffer of ciphertext grows to.
  private static var pieceBytes: Int { 256 * 1024 }

  /// Encrypts bytes and writes them. For connections that speak TLS, and whose handshake is complete.
  func writeEncrypted(_ bytes: UnsafeRawBufferPointer) -> WriteOutcome {
    guard let session = pointee.secure?.pointee.session else { return .failed(-1) }
    let transfer = loop.pointee.transfer.unsafelyUnwrapped
    var outcome = WriteOutcome.written
    var offset = 0
    while offset < bytes.count {
      let end = Swift.min(offset + Self.pieceBytes, bytes.count)
      guard session.send(UnsafeRawBufferPointer(rebasing: bytes[offset..<end]), on: transfer)
      else {
        transfer.removeCiphertext()
        return .failed(-1)
      }
      outcome = writeCiphertext()
      if case .failed = outcome { return outcome }
      offset = end
    }
    return outcome
  }

  /// Writes what a session has left to be sent.
  func writeCiphertext() -> WriteOutcome {
    let transfer = loop.pointee.transfer.unsafelyUnwrapped
    let outcome = pointee.stream.write(transfer.ciphertext)
    transfer.removeCiphertext()
    return outcome
  }

  /// Writes what is queued, says that nothing more will come, waits for the peer to say so too, then closes.
  func shutDown() {
    if let session = pointee.secure?.pointee.session, !pointee.stream.isClosing {
      session.close(on: loop.pointee.transfer.unsafelyUnwrapped)
      if case .failed = writeCiphertext() { return pointee.stream.close() }
    }
    pointee.stream.shutdownThenClose()
  }
}

extension UnsafeMutablePointer where Pointee == RequestSlot {
  /// Adds what every answer on a listener with TLS says of it, if the operator has set it.
  func addTransportSecurity(_ secure: UnsafeMutablePointer<SecureState>) {
    guard var value = secure.pointee.listener.pointee.transportSecurity else { return }
    value.withUTF8 {
      add(("strict-transport-security" as StaticString).raw, UnsafeRawBufferPointer($0))
    }
  }
}
