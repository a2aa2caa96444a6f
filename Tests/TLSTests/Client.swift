import CSSL
import TLS

/// OpenSSL's own client between two memory BIOs: what comes out of one end goes into a ``TLSSession``, and back.
final class Client {
  struct Choice {
    var host: String?
    /// As ALPN writes them.
    var protocols: [UInt8] = []
    var lowest = TLS1_2_VERSION
    var highest = TLS1_3_VERSION
    /// Comes back with this session.
    var session: OpaquePointer?
    var suites: String?
  }

  let context: OpaquePointer
  let ssl: OpaquePointer
  let transfer: TLSTransfer
  let server: TLSSession
  private let incoming: OpaquePointer
  private let outgoing: OpaquePointer
  /// What the server has decrypted so far.
  var heard: [UInt8] = []
  /// What the server's last call said.
  var arrival = TLSArrival.handshaking
  /// The largest piece in which bytes reach the server.
  var step = Int.max

  init(of serverContext: TLSContext, _ choice: Choice = Choice()) {
    transfer = TLSTransfer.make()
    server = TLSSession.accept(serverContext, on: transfer)!
    context = SSL_CTX_new(TLS_client_method())
    _ = SSL_CTX_ctrl(context, SSL_CTRL_SET_MIN_PROTO_VERSION, Int(choice.lowest), nil)
    _ = SSL_CTX_ctrl(context, SSL_CTRL_SET_MAX_PROTO_VERSION, Int(choice.highest), nil)
    if choice.lowest < TLS1_2_VERSION { SSL_CTX_set_security_level(context, 0) }
    if let suites = choice.suites { SSL_CTX_set_cipher_list(context, suites) }
    ssl = SSL_new(context)
    incoming = BIO_new(BIO_s_mem())
    outgoing = BIO_new(BIO_s_mem())
    SSL_set_bio(ssl, incoming, outgoing)
    if var host = choice.host.map({ Array($0.utf8CString) }) {
      SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, Int(TLSEXT_NAMETYPE_host_name), &host)
    }
    if !choice.protocols.isEmpty {
      SSL_set_alpn_protos(ssl, choice.protocols, UInt32(choice.protocols.count))
    }
    if let session = choice.session { SSL_set_session(ssl, session) }
    SSL_set_connect_state(ssl)
  }

  deinit {
    ERR_clear_error()
    server.destroy()
    transfer.destroy()
    // Without this OpenSSL takes the session for a broken one that must not be resumed.
    SSL_set_shutdown(ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN)
    SSL_free(ssl)
    SSL_CTX_free(context)
  }

  /// Whether both sides have finished the handshake.
  @discardableResult
  func shakeHands() -> Bool {
    for _ in 0..<10 where !(SSL_is_init_finished(ssl) == 1 && server.isOpen) {
      SSL_do_handshake(ssl)
      exchange()
      if case .failed = arrival { break }
    }
    // The client reads what comes behind the handshake, tickets above all, when it reads.
    _ = read()
    return SSL_is_init_finished(ssl) == 1 && server.isOpen
  }

  /// Carries what both sides have to say, once each way.
  func exchange() {
    feed(takeOutgoing())
    deliver()
  }

  /// What the client wants to send.
  func takeOutgoing() -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: BIO_ctrl_pending(outgoing))
    if !bytes.isEmpty { BIO_read(outgoing, &bytes, Int32(bytes.count)) }
    return bytes
  }

  /// Hands bytes to the server.
  func feed(_ bytes: [UInt8]) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let piece = Array(rest.prefix(step))
      rest = rest.dropFirst(piece.count)
      arrival = piece.withUnsafeBytes { server.receive($0.baseAddress!, $0.count, on: transfer) }
      heard += transfer.plaintext
      deliver()
      if case .failed = arrival { return }
    }
  }

  /// Hands what the server wants to send to the client.
  func deliver() {
    let bytes = transfer.ciphertext
    if bytes.count > 0 { BIO_write(incoming, bytes.baseAddress, Int32(bytes.count)) }
    transfer.removeCiphertext()
  }

  func write(_ bytes: [UInt8]) {
    var count = 0
    SSL_write_ex(ssl, bytes, bytes.count, &count)
  }

  /// All that the client can decrypt now.
  func read() -> [UInt8] {
    var all: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 65_536)
    var count = 0
    while SSL_read_ex(ssl, &chunk, chunk.count, &count) == 1 { all += chunk.prefix(count) }
    return all
  }

  /// Encrypts on the server and delivers.
  func serverSends(_ bytes: [UInt8]) -> Bool {
    let isSent = bytes.withUnsafeBytes { server.send($0, on: transfer) }
    deliver()
    return isSent
  }

  /// Whether the client has seen the server's close_notify.
  var hasSeenEnd: Bool { SSL_get_shutdown(ssl) & SSL_RECEIVED_SHUTDOWN != 0 }

  /// What the server said in the last alert that the client got, by its number; nil for none.
  var alert: Int32? {
    while true {
      let error = ERR_get_error()
      if error == 0 { return nil }
      let reason = cssl_error_reason(error)
      if reason > SSL_AD_REASON_OFFSET { return reason - SSL_AD_REASON_OFFSET }
    }
  }

  /// The names in the certificate that the server has shown.
  var shownName: String? {
    guard let certificate = SSL_get0_peer_certificate(ssl) else { return nil }
    var text = [CChar](repeating: 0, count: 256)
    let count = X509_NAME_get_text_by_NID(
      X509_get_subject_name(certificate), NID_commonName, &text, 256)
    return String(decoding: text.prefix(Int(count)).map(UInt8.init(bitPattern:)), as: UTF8.self)
  }
}
