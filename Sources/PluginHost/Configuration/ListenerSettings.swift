public import TLS

/// One of the places where the gateway listens.
public struct ListenerSettings: Sendable, Hashable, CustomStringConvertible {
  /// What its socket is bound to.
  public var address: ListenAddress
  /// How it speaks TLS; nil for plain HTTP.
  public var tls: ListenerTLS?

  /// - Parameter tls: nil for plain HTTP.
  public init(address: ListenAddress, tls: ListenerTLS? = nil) {
    self.address = address
    self.tls = tls
  }

  public var description: String { address.description }
}

/// The `tls` of a listener, paths resolved.
public struct ListenerTLS: Sendable, Hashable {
  /// The operator's certificates; the first is the default. Empty exactly where `selfSigned` is not.
  public var certificates: [CertificateSource] = []
  /// The names of a certificate that the gateway makes for itself.
  public var selfSigned: [String] = []
  /// A PEM file with the authorities of clients' certificates.
  public var clientCA: String?
  /// Whether clients must show a certificate of `clientCA`.
  public var clientAuthentication = TLSSettings.ClientAuthentication.none
  /// Whether HTTP/2 is offered to clients that know it.
  public var offersHTTP2 = true
  /// The value of `strict-transport-security` (RFC 6797 §6.1).
  public var transportSecurity: String?

  init(reading reader: inout ObjectReader, in folder: String) {
    let single = reader.optional("certificate")
    let list = reader.optional("certificates")
    let names = reader.optional("self_signed")
    let given = [single, list, names].compactMap { $0 }
    if given.count != 1 {
      reader.node.refuse(
        "must have exactly one of \"certificate\", \"certificates\" and \"self_signed\"")
    }
    if let single {
      certificates = [Self.source(&reader, certificate: single, in: folder)]
    } else {
      for key in ["key", "names", "ocsp"] {
        reader.optional(key)?.refuse("stands beside \"certificate\"")
      }
    }
    if let list {
      certificates = list.elements().compactMap { element in
        element.object { reader in
          let certificate = reader.required("certificate")
          return Self.source(&reader, certificate: certificate, in: folder)
        }
      }
      if case .array(let elements) = list.value, elements.isEmpty {
        list.refuse("must name at least one certificate")
      }
    }
    if let names {
      selfSigned = names.distinct { $0.string(.hostOrAddress) }
      if case .array(let elements) = names.value, elements.isEmpty {
        names.refuse("must name at least one host")
      }
    }
    clientCA = reader.optional("client_ca").map { FilePath.resolve($0.string(), in: folder) }
    let authentication = reader.optional("client_auth")
    clientAuthentication = authentication?.word() ?? (clientCA == nil ? .none : .required)
    if clientCA == nil, clientAuthentication != .none {
      authentication?.refuse("needs \"client_ca\", the authorities of clients' certificates")
    }
    if clientAuthentication == .none { clientCA = nil }
    offersHTTP2 = reader.boolean("http2", default: true)
    transportSecurity = reader.optional("strict_transport_security")?.string(.transportSecurity)
  }

  private static func source(
    _ reader: inout ObjectReader, certificate: ConfigNode?, in folder: String
  ) -> CertificateSource {
    CertificateSource(
      certificate: FilePath.resolve(certificate?.string() ?? "", in: folder),
      key: FilePath.resolve(reader.string("key"), in: folder),
      names: reader.strings("names", .hostPattern),
      ocsp: reader.optional("ocsp").map { FilePath.resolve($0.string(), in: folder) })
  }

  /// What the engine is set up with.
  func settings(_ certificates: [CertificateSource]) -> TLSSettings {
    var settings = TLSSettings(certificates: certificates)
    settings.clientCA = clientCA
    settings.clientAuthentication = clientAuthentication
    if !offersHTTP2 { settings.protocols = [.http11] }
    return settings
  }
}

extension Grammar {
  /// A name that a certificate is shown for.
  fileprivate static let hostPattern = Grammar(
    description: "a host name in lower case, or *. before one"
  ) { Grammar.host.accepts($0.hasPrefix("*.") ? String($0.dropFirst(2)) : $0) }

  /// A name that a certificate is made for.
  fileprivate static let hostOrAddress = Grammar(
    description: "a host name in lower case, *. before one, or an IP address"
  ) { SelfSignedCertificate.isAddress($0) || Grammar.hostPattern.accepts($0) }

  /// The value of `strict-transport-security`.
  fileprivate static let transportSecurity = Grammar(
    description: "a policy such as \"max-age=31536000; includeSubDomains\""
  ) { text in
    text.utf8.count <= 128 && text.hasPrefix("max-age=")
      && text.dropFirst(8).utf8.first.map(isDigit) == true
      && text.utf8.allSatisfy { (0x20...0x7e).contains($0) }
  }
}
