/// What a listener is to offer.
public struct TLSSettings: Sendable, Hashable {
  /// Whether clients show a certificate.
  public enum ClientAuthentication: String, Sendable, CaseIterable {
    case none
    /// A client may show one; one that is not from the authority ends the handshake.
    case optional
    case required
  }

  /// The first is shown to clients that name no host, or one that no certificate is for.
  public var certificates: [CertificateSource]
  /// A PEM file with the authorities whose certificates clients may show.
  public var clientCA: String?
  /// Whether clients must show a certificate; anything but `none` needs `clientCA`.
  public var clientAuthentication = ClientAuthentication.none
  /// In the order of preference. A client that offers none of them is refused; one that offers nothing is not.
  public var protocols: [ApplicationProtocol] = [.http2, .http11]

  /// - Parameter certificates: at least one.
  public init(certificates: [CertificateSource]) { self.certificates = certificates }

  /// Every file that is read.
  public var files: [String] {
    certificates.flatMap(\.files) + (clientCA.map { [$0] } ?? [])
  }
}
