internal import CSSL

/// A version of the protocol.
public enum TLSVersion: Sendable {
  case tls12
  case tls13
}

// What the handshake has settled; meaningful once it is complete.
extension TLSSession {
  /// The version in use.
  public var version: TLSVersion { SSL_version(ssl) == TLS1_3_VERSION ? .tls13 : .tls12 }

  /// Whether the peer has come back with a ticket, and no certificate was shown.
  public var isResumed: Bool { SSL_session_reused(ssl) == 1 }

  /// The protocol that was chosen by ALPN (RFC 7301); nil when the peer offered none.
  public var applicationProtocol: ApplicationProtocol? {
    var name: UnsafePointer<UInt8>?
    var count: UInt32 = 0
    SSL_get0_alpn_selected(ssl, &name, &count)
    let bytes = UnsafeBufferPointer(start: name, count: Int(count))
    return ApplicationProtocol.allCases.first { bytes.elementsEqual($0.rawValue.utf8) }
  }

  /// The subject of the certificate that the peer has shown and that was verified, as RFC 4514 writes it; nil when it has
  /// shown none. At most 512 bytes.
  public var clientSubject: String? {
    guard let certificate = SSL_get0_peer_certificate(ssl), SSL_get_verify_result(ssl) == X509_V_OK,
      let bio = BIO_new(BIO_s_mem())
    else { return nil }
    defer { BIO_free(bio) }
    cssl_print_name(bio, X509_get_subject_name(certificate))
    var text = [UInt8](repeating: 0, count: 512)
    let count = BIO_read(bio, &text, Int32(text.count))
    return String(decoding: text.prefix(Int(max(count, 0))), as: UTF8.self)
  }
}
