internal import CSSL

/// What the sessions of a listener begin with: certificates, keys, what is allowed. Immutable; a change of a file takes
/// a new one. [any-thread]
///
/// `@unchecked Sendable`: OpenSSL's contexts may be used by several threads once they are set up, and nothing is set later.
public final class TLSContext: @unchecked Sendable {
  /// The context of the default certificate; it leads to the others.
  let pointer: OpaquePointer
  /// The second of Unix time at which a stapled response ends, and the context is to be made anew.
  public let staleAt: Int64?
  /// The OCSP responses that are stapled, by the files that they were read from.
  public let stapled: [String: [UInt8]]
  /// The names of the certificates that come from files: the operator's own, in lower case.
  public let ownNames: Set<String>

  /// Reads and checks everything. [control-thread, blocking]
  ///
  /// - Parameters:
  ///   - now: seconds of Unix time.
  ///   - allowsLapsed: whether a chain that is not valid now is a warning and no error: at the start, where there is
  ///     nothing better to serve.
  ///   - former: the responses that were stapled until now: one goes on being stapled, while it is good, when its file holds none.
  ///   - warnings: what does not keep the context from working: a response that cannot be stapled, a lapsed chain.
  public init(
    reading settings: TLSSettings, tickets: TicketKeys, now: Int64, allowsLapsed: Bool,
    former: [String: [UInt8]] = [:], warnings: inout [CertificateError]
  ) throws(CertificateError) {
    precondition(!settings.certificates.isEmpty)
    let authorities = try settings.clientCA.map { path throws(CertificateError) in
      try ClientAuthorities(reading: path, settings.clientAuthentication)
    }
    var contexts: [OpaquePointer] = []
    var facts: [ContextFacts] = []
    var stale: Int64?
    var stapled: [String: [UInt8]] = [:]
    var ownNames: Set<String> = []
    do throws(CertificateError) {
      for source in settings.certificates {
        if source.text != nil {
          // It was checked when it came; what has become of it since keeps nothing else from being served.
          do throws(CertificateError) {
            let certificate = try ServerCertificate(reading: source)
            let own = ContextFacts(
              tickets: tickets, protocols: settings.protocols, response: nil,
              names: certificate.names)
            contexts.append(try Self.make(certificate, own, authorities))
            facts.append(own)
          } catch {
            let host = source.names.first ?? ""
            warnings.append(
              CertificateError(file: "the certificate of \(host)", reason: error.reason))
          }
          continue
        }
        let certificate = try ServerCertificate(reading: source)
        if let lapse = certificate.lapse(at: now) {
          let problem = CertificateError(file: source.certificate, reason: lapse)
          guard allowsLapsed else { throw problem }
          warnings.append(problem)
        }
        var response: StapledResponse?
        if let path = source.ocsp {
          do throws(CertificateError) {
            response = try StapledResponse(reading: path, for: certificate, now: now)
          } catch {
            warnings.append(error)
            response = former[path].flatMap {
              try? StapledResponse($0, from: path, for: certificate, now: now)
            }
          }
          stapled[path] = response?.bytes
        }
        ownNames.formUnion(certificate.names)
        if let expires = response?.expires { stale = min(stale ?? expires, expires) }
        let own = ContextFacts(
          tickets: tickets, protocols: settings.protocols, response: response,
          names: certificate.names)
        contexts.append(try Self.make(certificate, own, authorities))
        facts.append(own)
      }
    } catch {
      for context in contexts { SSL_CTX_free(context) }
      throw error
    }
    pointer = contexts.removeFirst()
    staleAt = stale
    self.stapled = stapled
    self.ownNames = ownNames
    // The others belong to the facts of the first, which OpenSSL keeps as long as any session may look there.
    facts[0].others = contexts
    facts[0].table = NameTable(facts.map(\.names))
  }

  deinit { SSL_CTX_free(pointer) }

  /// Whether a certificate and its key are strong enough to be served.
  static func check(_ certificate: ServerCertificate) throws(CertificateError) {
    guard let context = SSL_CTX_new(TLS_server_method()) else {
      throw CertificateError(
        file: certificate.source.certificate, reason: CertificateError.reasonOfOpenSSL())
    }
    defer { SSL_CTX_free(context) }
    SSL_CTX_set_security_level(context, 2)
    try use(certificate, in: context)
  }

  private static func use(
    _ certificate: ServerCertificate, in context: OpaquePointer
  ) throws(CertificateError) {
    var isUsable = SSL_CTX_use_certificate(context, certificate.leaf.pointer) == 1
    for signer in certificate.chain where isUsable {
      isUsable = cssl_CTX_add1_chain_cert(context, signer.pointer) == 1
    }
    guard isUsable, SSL_CTX_use_PrivateKey(context, certificate.key) == 1 else {
      throw CertificateError(
        file: certificate.source.certificate,
        reason: "cannot be used: \(CertificateError.reasonOfOpenSSL())")
    }
  }

  private static let suites12 =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    + "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305"
  private static let suites13 =
    "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256"

  /// Makes a context of one certificate, with everything that is the same for all.
  private static func make(
    _ certificate: ServerCertificate, _ facts: ContextFacts, _ authorities: ClientAuthorities?
  ) throws(CertificateError) -> OpaquePointer {
    guard let context = SSL_CTX_new(TLS_server_method()) else {
      throw CertificateError(
        file: certificate.source.certificate, reason: CertificateError.reasonOfOpenSSL())
    }
    let isSet =
      cssl_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1
      && SSL_CTX_set_cipher_list(context, suites12) == 1
      && SSL_CTX_set_ciphersuites(context, suites13) == 1
      && cssl_CTX_set1_groups_list(context, "X25519:P-256") == 1
    SSL_CTX_set_security_level(context, 2)
    cssl_CTX_set_safe_options(context)
    cssl_CTX_set_mode(context, Int(SSL_MODE_RELEASE_BUFFERS | SSL_MODE_NO_AUTO_CHAIN))
    // Sessions are kept by clients, in tickets.
    cssl_CTX_set_session_cache_mode(context, Int(SSL_SESS_CACHE_OFF))
    SSL_CTX_set_timeout(context, TicketKeys.lifetime)
    // A session that was begun where clients need not show a certificate, or another, is not taken up elsewhere.
    var scope = authorities?.digest ?? [0]
    SSL_CTX_set_session_id_context(context, &scope, UInt32(scope.count))
    do throws(CertificateError) {
      guard isSet else {
        throw CertificateError(
          file: certificate.source.certificate,
          reason: "cannot be used: \(CertificateError.reasonOfOpenSSL())")
      }
      try use(certificate, in: context)
    } catch {
      SSL_CTX_free(context)
      throw error
    }
    authorities?.require(in: context)
    facts.attach(to: context)
    return context
  }
}
