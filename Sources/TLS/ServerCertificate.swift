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
  /// Both as text, where they lie in no file; the paths are then what errors call them.
  public var text: CertificateText?

  /// Nothing is read before the settings are used.
  public init(certificate: String, key: String, names: [String] = [], ocsp: String? = nil) {
    self.certificate = certificate
    self.key = key
    self.names = names
    self.ocsp = ocsp
  }

  /// A certificate that lies in no file, for one host name and no other, whatever stands in it.
  public init(host: String, text: CertificateText) {
    self.init(certificate: "certificate", key: "key", names: [host])
    self.text = text
  }

  /// Every file that it is read from.
  public var files: [String] {
    text == nil ? [certificate, key] + (ocsp.map { [$0] } ?? []) : []
  }
}

/// A certificate with its key, in PEM.
public struct CertificateText: Sendable, Hashable {
  /// The server's certificate, then those that lead to a root, each signed by the next.
  public var chain: [UInt8]
  /// The certificate's private key.
  public var key: [UInt8]

  /// Nothing is looked at.
  public init(chain: [UInt8], key: [UInt8]) {
    self.chain = chain
    self.key = key
  }
}

/// What a certificate says of itself.
public struct CertificateSummary: Sendable, Equatable {
  /// The DNS names that it is for, in lower case.
  public var names: [String]
  /// The first second in which it is valid, of Unix time.
  public var notBefore: Int64
  /// The last second in which it is valid, of Unix time.
  public var notAfter: Int64

  init(_ leaf: X509Certificate) {
    names = leaf.names
    notBefore = leaf.notBefore
    notAfter = leaf.notAfter
  }
}

extension CertificateSource {
  /// Whether it can be served for a host: key and chain belong together, all of it is valid now and strong enough, and the host
  /// is among its names (RFC 6125 §6.4). [control-thread]
  ///
  /// - Parameter now: seconds of Unix time.
  /// - Throws: ``CertificateError``, whose `file` is ``certificate`` or ``key``.
  public func check(for host: String, at now: Int64) throws(CertificateError) -> CertificateSummary
  {
    let read = try ServerCertificate(reading: self)
    if let lapse = read.lapse(at: now) {
      throw CertificateError(file: certificate, reason: lapse)
    }
    let names = read.leaf.names
    guard NameTable([names]).position(of: host) != nil else {
      let list = names.isEmpty ? "no host" : names.prefix(5).joined(separator: ", ")
      throw CertificateError(file: certificate, reason: "is for \(list), not for \(host)")
    }
    try TLSContext.check(read)
    return CertificateSummary(read.leaf)
  }

  /// What the certificate says of itself, whether or not it can be served. [control-thread]
  public func summary() throws(CertificateError) -> CertificateSummary {
    CertificateSummary(try ServerCertificate(reading: self).leaf)
  }
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
    var certificates =
      if let text = source.text {
        try CertificateFile.certificates(of: text.chain, called: source.certificate)
      } else { try CertificateFile.certificates(in: source.certificate) }
    leaf = certificates.removeFirst()
    chain = certificates
    names = source.names.isEmpty ? leaf.names : source.names.map { $0.lowercased() }
    key =
      if let text = source.text {
        try CertificateFile.key(of: text.key, called: source.key)
      } else { try CertificateFile.key(in: source.key) }
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
