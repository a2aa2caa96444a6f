internal import CSSL

/// The server's end of one TLS connection as a state machine: ciphertext in, plaintext out, and the other way.
///
/// A handle that may be copied; there is no object behind it but OpenSSL's own. It does no I/O: what is to be sent lies in
/// the ``TLSTransfer`` that was passed, after every call. Confined to the thread of its transfer.
public struct TLSSession {
  let ssl: OpaquePointer

  /// Begins a session with a peer that has yet to send its first byte (RFC 8446 §2, RFC 5246 §7.3).
  ///
  /// - Returns: nil when OpenSSL has no memory. ``destroy()`` ends the ownership.
  public static func accept(_ context: TLSContext, on transfer: TLSTransfer) -> TLSSession? {
    guard let ssl = SSL_new(context.pointer) else {
      ERR_clear_error()
      return nil
    }
    BIO_up_ref(transfer.state.pointee.bio)
    SSL_set_bio(ssl, transfer.state.pointee.bio, transfer.state.pointee.bio)
    SSL_set_accept_state(ssl)
    return TLSSession(ssl: ssl)
  }

  /// Frees the session. Nothing is sent: see ``close(on:)``.
  public func destroy() { SSL_free(ssl) }

  /// Takes in bytes from the peer, all of them, and decrypts what they complete into the transfer's plaintext.
  ///
  /// Whatever the result, ciphertext may be waiting to be sent: the handshake's, an alert, a key update.
  public func receive(
    _ bytes: UnsafeRawPointer, _ count: Int, on transfer: TLSTransfer
  ) -> TLSArrival {
    let state = transfer.state
    state.pointee.input = bytes
    state.pointee.inputCount = count
    state.pointee.plaintext.removeAll()
    clearForeignErrors()
    var opened = false
    if SSL_is_init_finished(ssl) == 0 {
      let result = SSL_do_handshake(ssl)
      guard result == 1 else { return refusal(result) ?? .handshaking }
      opened = true
    }
    while state.pointee.inputCount > 0 || SSL_has_pending(ssl) == 1 {
      let place = state.pointee.plaintext.reserve(Self.recordBytes)
      var read = 0
      let result = SSL_read_ex(ssl, place, Self.recordBytes, &read)
      guard result == 1 else {
        guard let refusal = refusal(result) else { break }
        if case .failed = refusal { state.pointee.plaintext.removeAll() }
        return refusal
      }
      state.pointee.plaintext.count += read
    }
    return opened ? .opened : .open
  }

  /// Encrypts bytes behind the transfer's ciphertext, in records of at most 16 KB.
  ///
  /// - Returns: false when the session is not open, or broken; it is to be closed then.
  public func send(_ bytes: UnsafeRawBufferPointer, on transfer: TLSTransfer) -> Bool {
    guard bytes.count > 0 else { return true }
    clearForeignErrors()
    transfer.state.pointee.inputCount = 0
    var written = 0
    guard SSL_write_ex(ssl, bytes.baseAddress, bytes.count, &written) == 1 else {
      ERR_clear_error()
      return false
    }
    return written == bytes.count
  }

  /// Says that nothing more will be sent (close_notify, RFC 8446 §6.1). Idempotent.
  public func close(on transfer: TLSTransfer) {
    guard SSL_is_init_finished(ssl) == 1 else { return }
    transfer.state.pointee.inputCount = 0
    if SSL_shutdown(ssl) < 0 { ERR_clear_error() }
  }

  /// Whether the handshake is complete and nothing has broken the session since.
  public var isOpen: Bool { SSL_is_init_finished(ssl) == 1 }

  /// Bytes of plaintext in a record (RFC 8446 §5.1).
  private static let recordBytes = 16_384

  /// OpenSSL judges a failure by its thread's queue of errors, in which other users of the library may have left some.
  private func clearForeignErrors() {
    if ERR_peek_error() != 0 { ERR_clear_error() }
  }

  /// What a call that did not succeed means; nil when it lacks bytes.
  private func refusal(_ result: Int32) -> TLSArrival? {
    switch SSL_get_error(ssl, result) {
    case SSL_ERROR_WANT_READ: return nil
    case SSL_ERROR_ZERO_RETURN: return .ended
    default:
      let failure = TLSFailure(error: ERR_peek_last_error())
      ERR_clear_error()
      return .failed(failure)
    }
  }
}

/// What bytes from a peer have led to.
public enum TLSArrival: Equatable, Sendable {
  /// The handshake needs more from the peer.
  case handshaking
  /// The handshake is complete as of now; there may be plaintext already.
  case opened
  /// There may be plaintext.
  case open
  /// The peer will send no more (close_notify). There may be plaintext; the session may still send.
  case ended
  /// The session is broken. An alert may wait to be sent; there is no plaintext.
  case failed(TLSFailure)
}
