internal import PluginKit

/// A host name of an app, as its members see it: never the certificate's key.
struct Domain: Codable, Identifiable {
  struct Certificate: Codable {
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
  var createdAt: Timestamp
  var certificate: Certificate?

  var id: String { host }

  enum CodingKeys: String, CodingKey {
    case host, certificate
    case createdAt = "created_at"
  }
}

/// A domain as its row tells of it.
struct StoredDomain: Decodable {
  var host: String
  var createdAt: Timestamp
  var names: [String]?
  var notBefore: Timestamp?
  var notAfter: Timestamp?

  enum CodingKeys: String, CodingKey {
    case host
    case createdAt = "created_at"
    case names = "certificate_names"
    case notBefore = "not_before"
    case notAfter = "not_after"
  }

  static let columns = "host, created_at, certificate_names, not_before, not_after"

  var shown: Domain {
    var domain = Domain(host: host, createdAt: createdAt)
    if let names, let notBefore, let notAfter {
      domain.certificate = Domain.Certificate(
        names: names, notBefore: notBefore, notAfter: notAfter)
    }
    return domain
  }
}

/// Host names that the operator lets apps have. Whose a name is in the world's DNS is not asked.
struct DomainGrant: Decodable {
  /// `shop.example`, or `*.shop.example` for all names below.
  var host: String
  /// The one app that may; nil is any.
  var app: String?

  func covers(_ name: String, of app: String) -> Bool {
    guard self.app == nil || self.app == app else { return false }
    return host.hasPrefix("*.")
      ? name.hasSuffix(host.dropFirst()) && name != host.dropFirst(2) : name == host
  }
}
