internal import CSSL

/// Why a session broke, as far as an operator can do something about it.
public enum TLSFailure: String, CaseIterable, Sendable {
  /// The peer speaks no version that is allowed.
  case version
  /// No cipher suite, group or signature scheme in common.
  case parameters
  /// No application protocol in common.
  case applicationProtocol = "alpn"
  /// The peer's certificate is missing, or does not lead to the authority that was set.
  case clientCertificate = "client_certificate"
  /// The peer gave up: mostly because it does not trust our certificate.
  case peerAlert = "peer_alert"
  /// What came is not TLS, or was changed on its way.
  case malformed

  /// Sorts an error of OpenSSL's queue.
  init(error: UInt) {
    self =
      switch cssl_error_reason(error) {
      case SSL_R_UNSUPPORTED_PROTOCOL, SSL_R_NO_PROTOCOLS_AVAILABLE, SSL_R_VERSION_TOO_LOW,
        SSL_R_VERSION_TOO_HIGH, SSL_R_UNKNOWN_PROTOCOL, SSL_R_INAPPROPRIATE_FALLBACK:
        .version
      case SSL_R_NO_SHARED_CIPHER, SSL_R_NO_SUITABLE_KEY_SHARE, SSL_R_NO_SHARED_GROUPS,
        SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM, SSL_R_NO_SHARED_SIGNATURE_ALGORITHMS:
        .parameters
      case SSL_R_NO_APPLICATION_PROTOCOL: .applicationProtocol
      case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE, SSL_R_CERTIFICATE_VERIFY_FAILED:
        .clientCertificate
      // OpenSSL numbers the alerts that have come from the peer from here on.
      case SSL_AD_REASON_OFFSET...(SSL_AD_REASON_OFFSET + 255): .peerAlert
      default: .malformed
      }
  }
}
