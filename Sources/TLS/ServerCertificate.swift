internal import CSSL

/// Where a certificate of the server's lies.
public struct CertificateSource: Sendable, Hashable {
  /// A PEM file: the server's certificate, then those that lead to a root, each signed by the next.
  public var certificate: String
  /// A PEM file with the certificate's private key.
  public var key: String
  /// The host names that it is shown for, exact or `*.example.org`; when empty, those that stand in it.
  public var names: [String]
  /// A DER file with an OCSP response for the certificate (RFC 6960), to be stapled.
  public var ocsp: String?

  /// Nothing is read before the settings are used.
  public init(certificate: String, key: String, names: [String] = [], ocsp: String? = nil) {
    self.certificate = certificate
    self.key = key
    self.names = names
    self.ocsp = ocsp
  }

  /// Every file that it is read from.
  public var files: [String] { [certificate, key] + (ocsp.map { [$0] } ?? []) }
}

/// A certificate with its chain and its key, read and checked.
///
/// `@unchecked Sendable`: the key is never changed, and its count of owners is atomic.
final class ServerCertificate: @unchecked Sendable {
  let source: CertificateSource
  let leaf: X509Certificate
  let chain: [X509Certificate]
  let key: OpaquePointer
  let names: [String]

  /// Reads and checks. [control-thread]
  init(reading source: CertificateSource) throws(CertificateError) {
    self.source = source
    var certificates = try CertificateFile.certificates(in: source.certificate)
    leaf = certificates.removeFirst()
    chain = certificates
    names = source.names.isEmpty ? leaf.names : source.names.map { $0.lowercased() }
    key = try CertificateFile.key(in: source.key)
    guard X509_check_private_key(leaf.pointer, key) == 1 else {
      ERR_clear_error()
      throw CertificateError(
        file: source.key,
        reason: "the key does not match the first certificate in \(source.certificate)")
    }
    var signed = leaf
    for (index, signer) in chain.enumerated() {
      guard signed.isIssued(by: signer) else {
        throw CertificateError(
          file: source.certificate,
          reason:
            "certificate \(index + 2) did not sign certificate \(index + 1): put them in order")
      }
      signed = signer
    }
  }

  deinit { EVP_PKEY_free(key) }

  /// What is wrong with the times of the chain, if anything is.
  func lapse(at now: Int64) -> String? {
    for (index, certificate) in ([leaf] + chain).enumerated() {
      if certificate.notAfter < now { return "certificate \(index + 1) has expired" }
      if certificate.notBefore > now { return "certificate \(index + 1) is not valid yet" }
    }
    return nil
  }
}
