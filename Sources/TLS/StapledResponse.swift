internal import CSSL

/// An OCSP response (RFC 6960) that was found to say that a certificate is good.
struct StapledResponse: Sendable {
  let bytes: [UInt8]
  /// The second after which clients refuse it; nil when it does not say.
  let expires: Int64?

  /// Seconds by which clocks may differ.
  private static let tolerance: Int64 = 300

  /// Reads and checks a response for a certificate: signature, subject, status and times. [control-thread]
  init(
    reading path: String, for certificate: ServerCertificate, now: Int64
  ) throws(CertificateError) {
    try self.init(CertificateFile.contents(of: path), from: path, for: certificate, now: now)
  }

  /// Checks a response that is in memory; `path` is for messages.
  init(
    _ bytes: [UInt8], from path: String, for certificate: ServerCertificate, now: Int64
  ) throws(CertificateError) {
    func refusal(_ reason: String) -> CertificateError {
      ERR_clear_error()
      return CertificateError(file: path, reason: reason)
    }
    guard let issuer = certificate.chain.first else {
      throw refusal("cannot be checked: \(certificate.source.certificate) lacks its issuer")
    }
    let parsed = bytes.withUnsafeBufferPointer { bytes in
      var place = bytes.baseAddress
      return d2i_OCSP_RESPONSE(nil, &place, bytes.count)
    }
    guard let response = parsed else { throw refusal("is not an OCSP response in DER") }
    defer { OCSP_RESPONSE_free(response) }
    guard OCSP_response_status(response) == OCSP_RESPONSE_STATUS_SUCCESSFUL,
      let basic = OCSP_response_get1_basic(response)
    else { throw refusal("is a response of failure") }
    defer { OCSP_BASICRESP_free(basic) }
    guard Self.isSigned(basic, by: issuer) else {
      throw refusal("is not signed by the certificate's issuer, nor by whom it has appointed")
    }
    guard let id = OCSP_cert_to_id(nil, certificate.leaf.pointer, issuer.pointer) else {
      throw refusal(CertificateError.reasonOfOpenSSL())
    }
    defer { OCSP_CERTID_free(id) }
    var status: Int32 = 0
    var since: UnsafeMutablePointer<ASN1_GENERALIZEDTIME>?
    var until: UnsafeMutablePointer<ASN1_GENERALIZEDTIME>?
    guard OCSP_resp_find_status(basic, id, &status, nil, nil, &since, &until) == 1 else {
      throw refusal("is not about the certificate in \(certificate.source.certificate)")
    }
    guard status == V_OCSP_CERTSTATUS_GOOD else {
      throw refusal(
        status == V_OCSP_CERTSTATUS_REVOKED
          ? "says that the certificate is revoked" : "does not know the certificate")
    }
    guard X509Certificate.unixSeconds(since) <= now + Self.tolerance else {
      throw refusal("is not valid yet")
    }
    expires = until.map { X509Certificate.unixSeconds($0) }
    self.bytes = bytes
    guard isCurrent(at: now) else { throw refusal("has expired") }
  }

  /// Whether clients still take it, at a second of Unix time.
  func isCurrent(at now: Int64) -> Bool { expires.map { $0 >= now } ?? true }

  private static func isSigned(_ response: OpaquePointer, by issuer: X509Certificate) -> Bool {
    guard let store = X509_STORE_new(), let helpers = cssl_borrow_certificate(issuer.pointer)
    else { return false }
    defer {
      cssl_free_certificates(helpers)
      X509_STORE_free(store)
    }
    // The issuer is trusted here whether or not it is a root.
    X509_STORE_set_flags(store, UInt(X509_V_FLAG_PARTIAL_CHAIN))
    X509_STORE_add_cert(store, issuer.pointer)
    return OCSP_basic_verify(response, helpers, store, UInt(OCSP_TRUSTOTHER)) == 1
  }
}
