internal import PluginKit

/// A host name of an app, as its members see it: never the certificate's key.
struct Domain: Codable, Identifiable {
  enum State: String, Codable {
    /// It leads nowhere until it is shown whose it is.
    case pending
    case proven
  }

  struct Certificate: Codable, Equatable {
    var names: [String]
    var notBefore: Timestamp
    var notAfter: Timestamp

    enum CodingKeys: String, CodingKey {
      case names
      case notBefore = "not_before"
      case notAfter = "not_after"
    }
  }

  var host: String
  private(set) var state: State
  var createdAt: Timestamp
  var certificate: Certificate?
  /// How it is proven; nil when it is.
  var proof: DomainProof? {
    didSet { state = proof == nil ? .proven : .pending }
  }

  var id: String { host }

  enum CodingKeys: String, CodingKey {
    case host, state, certificate, proof
    case createdAt = "created_at"
  }

  init(host: String, createdAt: Timestamp, proof: DomainProof? = nil) {
    self.host = host
    self.createdAt = createdAt
    self.proof = proof
    state = proof == nil ? .proven : .pending
  }
}

extension Domain.Certificate {
  init(_ certificate: HostCertificate) {
    self.init(
      names: certificate.names, notBefore: certificate.notBefore, notAfter: certificate.notAfter)
  }
}

/// A domain as a row tells of it: one that is the app's, or one that it has claimed.
struct StoredDomain: Decodable {
  var host: String
  var createdAt: Timestamp
  var names: [String]?
  var notBefore: Timestamp?
  var notAfter: Timestamp?
  var token: String?
  var checks: Int64?
  var checkedAt: Timestamp?
  var failure: String?

  enum CodingKeys: String, CodingKey {
    case host, token, checks, failure
    case createdAt = "created_at"
    case names = "certificate_names"
    case notBefore = "not_before"
    case notAfter = "not_after"
    case checkedAt = "checked_at"
  }

  /// Those of an app whose host names are compared with `host` so.
  ///
  /// - Parameter edge: what was claimed before is waited for no more.
  static func all(
    of app: String, where comparison: String, _ host: String, claimedAfter edge: Timestamp,
    limit: Int
  ) -> SQL {
    """
    SELECT host, created_at, certificate_names, not_before, not_after,
      NULL AS token, NULL AS checks, NULL AS checked_at, NULL AS failure
    FROM control_domains WHERE app_id = \(app) AND host \(raw: comparison) \(host)
    UNION ALL
    SELECT c.host, c.created_at, NULL, NULL, NULL, c.token, c.checks, c.checked_at, c.failure
    FROM control_domain_claims c WHERE c.app_id = \(app) AND c.host \(raw: comparison) \(host)
      AND c.created_at > \(edge)
      AND NOT EXISTS (
        SELECT 1 FROM control_domains d WHERE d.host = c.host AND d.app_id = c.app_id)
    ORDER BY host LIMIT \(limit)
    """
  }

  /// - Parameter patience: how long a host name waits for its proof, in milliseconds.
  func shown(patience: Int64) -> Domain {
    var domain = Domain(
      host: host, createdAt: createdAt,
      proof: token.map {
        DomainProof(
          host: host, token: $0, expiresAt: createdAt.adding(milliseconds: patience),
          checks: checks ?? 0, checkedAt: checkedAt, failure: failure)
      })
    if let names, let notBefore, let notAfter {
      domain.certificate = Domain.Certificate(
        names: names, notBefore: notBefore, notAfter: notAfter)
    }
    return domain
  }
}

/// Host names that the operator lets apps have.
struct DomainGrant: Decodable {
  /// `shop.example`, `*.shop.example` for all names below, or `*` for any.
  var host: String
  /// The one app that may; nil is any.
  var app: String?

  func covers(_ name: String, of app: String) -> Bool {
    guard self.app == nil || self.app == app else { return false }
    guard host != "*" else { return true }
    return host.hasPrefix("*.")
      ? name.hasSuffix(host.dropFirst()) && name != host.dropFirst(2) : name == host
  }
}
