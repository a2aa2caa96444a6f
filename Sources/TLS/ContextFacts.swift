internal import CSSL
internal import Glibc

/// What OpenSSL's callbacks need to know of the context they run for. It is the context's: OpenSSL lets go of it last.
///
/// `@unchecked Sendable`: `others` and `table` are set once, before any session begins.
final class ContextFacts: @unchecked Sendable {
  let tickets: TicketKeys
  let protocols: [ApplicationProtocol]
  /// The OCSP response to staple.
  let response: StapledResponse?
  let names: [String]
  /// The contexts of the other certificates, owned; only the default context has them.
  var others: [OpaquePointer] = []
  /// Whose positions are 0 for the default context, then those of `others`.
  var table: NameTable?

  init(
    tickets: TicketKeys, protocols: [ApplicationProtocol], response: StapledResponse?,
    names: [String]
  ) {
    self.tickets = tickets
    self.protocols = protocols
    self.response = response
    self.names = names
  }

  deinit { for other in others { SSL_CTX_free(other) } }

  /// Where OpenSSL keeps it with a context.
  private static let index = cssl_CTX_new_index { _, facts, _, _, _, _ in
    if let facts { Unmanaged<ContextFacts>.fromOpaque(facts).release() }
  }

  /// Gives it to a context, with all callbacks.
  func attach(to context: OpaquePointer) {
    SSL_CTX_set_ex_data(context, Self.index, Unmanaged.passRetained(self).toOpaque())
    cssl_CTX_set_servername_callback(context, chooseCertificate)
    SSL_CTX_set_alpn_select_cb(context, chooseProtocol, nil)
    SSL_CTX_set_tlsext_ticket_key_evp_cb(context, protectTicket)
    if response != nil { cssl_CTX_set_status_callback(context, stapleResponse) }
  }

  /// Calls with the facts of the context that a session is under now.
  static func with<Result>(_ ssl: OpaquePointer?, _ body: (ContextFacts) -> Result) -> Result {
    let memory = SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), index).unsafelyUnwrapped
    return Unmanaged<ContextFacts>.fromOpaque(memory)._withUnsafeGuaranteedRef(body)
  }
}

/// Server name indication (RFC 6066 §3): a name that no certificate is for gets the default one, and the client decides.
private func chooseCertificate(
  _ ssl: OpaquePointer?, _: UnsafeMutablePointer<Int32>?, _: UnsafeMutableRawPointer?
) -> Int32 {
  guard let name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name) else {
    return SSL_TLSEXT_ERR_NOACK
  }
  let context = ContextFacts.with(ssl) { facts -> OpaquePointer? in
    guard let position = facts.table?.position(of: String(cString: name)), position > 0 else {
      return nil
    }
    return facts.others[position - 1]
  }
  if let context, SSL_set_SSL_CTX(ssl, context) == nil { return SSL_TLSEXT_ERR_ALERT_FATAL }
  return SSL_TLSEXT_ERR_OK
}

/// ALPN (RFC 7301 §3.2): the server's preference; no protocol in common ends the handshake. OpenSSL has checked the list.
private func chooseProtocol(
  _ ssl: OpaquePointer?, _ chosen: UnsafeMutablePointer<UnsafePointer<UInt8>?>?,
  _ chosenCount: UnsafeMutablePointer<UInt8>?, _ offered: UnsafePointer<UInt8>?,
  _ offeredCount: UInt32, _: UnsafeMutableRawPointer?
) -> Int32 {
  guard let offered else { return SSL_TLSEXT_ERR_ALERT_FATAL }
  return ContextFacts.with(ssl) { facts in
    for preferred in facts.protocols {
      var place = 0
      while place < Int(offeredCount) {
        let size = Int(offered[place])
        let name = UnsafeBufferPointer(start: offered + place + 1, count: size)
        if name.elementsEqual(preferred.rawValue.utf8) {
          chosen?.pointee = offered + place + 1
          chosenCount?.pointee = UInt8(size)
          return SSL_TLSEXT_ERR_OK
        }
        place += 1 + size
      }
    }
    return SSL_TLSEXT_ERR_ALERT_FATAL
  }
}

/// OCSP stapling (RFC 6066 §8), when the client asks. The context may outlive the response, where nothing better can be
/// read in its place, and a client would take an expired one for an attack.
private func stapleResponse(_ ssl: OpaquePointer?, _: UnsafeMutableRawPointer?) -> Int32 {
  ContextFacts.with(ssl) { facts in
    guard let response = facts.response, response.isCurrent(at: Int64(time(nil))),
      let copy = cssl_memdup(response.bytes, response.bytes.count)
    else { return SSL_TLSEXT_ERR_NOACK }
    cssl_set_ocsp_response(ssl, copy, response.bytes.count)
    return SSL_TLSEXT_ERR_OK
  }
}

private func protectTicket(
  _ ssl: OpaquePointer?, _ name: UnsafeMutablePointer<UInt8>?,
  _ vector: UnsafeMutablePointer<UInt8>?,
  _ cipher: OpaquePointer?, _ mac: OpaquePointer?, _ seals: Int32
) -> Int32 {
  guard let name, let vector, let cipher, let mac else { return -1 }
  return ContextFacts.with(ssl) { facts in
    seals == 1
      ? facts.tickets.seal(name: name, vector: vector, cipher, mac)
      : facts.tickets.open(name: name, vector: vector, cipher, mac)
  }
}
