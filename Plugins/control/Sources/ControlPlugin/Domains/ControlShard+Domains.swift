internal import PluginKit

extension ControlShard {
  /// `GET /v1/apps/{app}/domains`
  func listDomains(_ request: Request) async throws -> Response {
    let app = try await app(of: request, for: .readDomains)
    let limit = request.pageLimit
    let rows = try await context.store.read(
      StoredDomain.all(
        of: app.id, where: ">", request.pageStart, claimedAfter: try claimsEnd, limit: limit + 1))
    let domains = try rows.prefix(limit).map { try shown($0) }
    return try .json(Page(data: domains, next: rows.count > limit ? domains.last?.host : nil))
  }

  /// `GET /v1/apps/{app}/domains/{host}`
  func readDomain(_ request: Request) async throws -> Response {
    let app = try await app(of: request, for: .readDomains)
    guard let domain = try await domain(try host(of: request), of: app) else {
      throw ControlShard.noDomain
    }
    return try .json(domain)
  }

  private struct Change: Decodable {
    var certificate: String?
    var key: String?
  }

  static let noDomain = Problem.notFound("The app has no such domain.")

  static func notGranted(_ host: String) -> Problem {
    .forbidden("The operator has not granted \(host) to the app.")
  }

  func isGranted(_ host: String, to app: App) -> Bool {
    settings.domains.contains { $0.covers(host, of: app.id) }
  }

  /// `PUT /v1/apps/{app}/domains/{host}`: the host leads to the app, and its certificate is served, when it is answered; or it waits for its proof.
  func putDomain(_ request: Request) async throws -> Response {
    let form = try request.decode(Change.self)
    let app = try await app(of: request, for: .changeDomains)
    let host = try host(of: request)
    guard (form.certificate == nil) == (form.key == nil) else {
      throw Problem.invalid(
        pointer: form.key == nil ? "/key" : "/certificate",
        "A certificate and its key come together.")
    }
    guard isGranted(host, to: app) else { throw ControlShard.notGranted(host) }
    let former = try await domain(host, of: app)
    if former?.state != .proven, needsProof(host, of: app) {
      guard form.certificate == nil else {
        throw Problem.conflict(
          "It is not proven that \(host) is the app's. Put it without a certificate, prove it, and put the certificate then."
        )
      }
      if let former { return try .json(former) }
      return try await claim(host, of: app, request)
    }
    let domain = try former ?? Domain(host: host, createdAt: context.clock.now())
    let certificate = form.certificate.flatMap { chain in
      form.key.map { (chain: Array(chain.utf8), key: Array($0.utf8)) }
    }
    return try .json(try await lead(domain, former: former, to: app, certificate, request))
  }

  /// Leads a host to an app, which it is proven to be of.
  ///
  /// - Parameters:
  ///   - former: what the app had, and has still when it begins.
  ///   - certificate: nil leaves the one that there is.
  /// - Returns: the domain as it is then.
  func lead(
    _ domain: Domain, former: Domain?, to app: App, _ certificate: (chain: [UInt8], key: [UInt8])?,
    _ request: Request
  ) async throws -> Domain {
    let host = domain.host
    let record = try audit(request, Permission.changeDomains.action, of: app.id, target: host)
    let led: Domain?
    do {
      led = try await change(
        .domain(host), record, by: Authority(request, .changeDomains, of: app),
        former.map { [stands($0, of: app)] } ?? []
      ) {
        (before: try await self.domain(host, of: app), intent: "{}")
      } make: {
        var domain = domain
        domain.proof = nil
        var served: HostCertificate?
        do {
          served = try await context.tenants.putHost(
            host, chain: certificate?.chain, key: certificate?.key, of: app.id)
        } catch {
          throw ControlShard.problem(error, host: host)
        }
        if served == nil {
          // The one that is kept.
          served = try await hosts(of: app.id).first { $0.host == host }?.certificate
        }
        domain.certificate = served.map(Domain.Certificate.init)
        return domain
      } batch: { domain in
        try domain.map { try leading($0, to: app.id) } ?? Batch()
      }
    } catch StoreError.conflict(statement: 0, _) {
      throw ControlShard.unknownApp
    }
    return led ?? domain
  }

  /// What has to hold of what an app had: nobody has removed it.
  private func stands(_ domain: Domain, of app: App) -> Condition {
    let table = domain.state == .proven ? "control_domains" : "control_domain_claims"
    return (
      SQL(
        """
        SELECT host FROM \(raw: table) WHERE host = \(domain.host) AND app_id = \(app.id)
          AND created_at = \(domain.createdAt)
        """
      ).expect(exactly: 1), ControlShard.noDomain
    )
  }

  /// Notes that a host leads to an app.
  private func leading(_ domain: Domain, to app: String) throws -> Batch {
    let names = try domain.certificate.map { try RawJSON(encoding: $0.names) }
    return Batch {
      SQL(
        """
        INSERT INTO control_domains (host, app_id, created_at, certificate_names, not_before, not_after)
        SELECT \(domain.host), id, \(domain.createdAt), \(names),
          \(domain.certificate?.notBefore), \(domain.certificate?.notAfter)
        FROM control_apps WHERE id = \(app) AND state = \(Stage.ready)
        ON CONFLICT (host) DO UPDATE SET app_id = excluded.app_id, created_at = excluded.created_at,
          certificate_names = excluded.certificate_names, not_before = excluded.not_before,
          not_after = excluded.not_after
        """
      ).expect(exactly: 1)
      SQL("DELETE FROM control_domain_claims WHERE host = \(domain.host) AND app_id = \(app)")
    }
  }

  /// What the audit log calls the end of a domain.
  private static let removed = "domain.removed"

  /// `DELETE /v1/apps/{app}/domains/{host}`
  func deleteDomain(_ request: Request) async throws -> Response {
    let app = try await app(of: request, for: .changeDomains)
    let host = try host(of: request)
    guard let domain = try await domain(host, of: app) else {
      throw ControlShard.noDomain
    }
    let record = try audit(request, ControlShard.removed, of: app.id, target: host)
    try await change(
      .domain(host), record, by: Authority(request, .changeDomains, of: app),
      [stands(domain, of: app)]
    ) {
      (before: try await self.domain(host, of: app), intent: "{}")
    } make: {
      do {
        try await context.tenants.removeHost(host, of: app.id)
      } catch let error as HostError where error.status == .notFound {
        // It has led nowhere.
      }
      return Domain?.none
    } batch: { _ in
      removing(host, of: app.id)
    }
    return .empty(204)
  }

  private func removing(_ host: String, of app: String) -> Batch {
    Batch {
      SQL("DELETE FROM control_domains WHERE host = \(host) AND app_id = \(app)")
      SQL("DELETE FROM control_domain_claims WHERE host = \(host) AND app_id = \(app)")
    }
  }

  /// A host is put or removed when the gateway says so. Whether the same certificate was put again nobody can tell, nor need.
  func lookAtDomain(_ host: String, _ change: HostChange) async throws -> Finding {
    let before: Domain? = try change.record.before?.decode()
    let state = try await hosts(of: change.app).first { $0.host == host }
    let isProven = before?.state == .proven
    guard change.record.action != ControlShard.removed else {
      return isProven && state == nil
        ? .made(after: nil, removing(host, of: change.app)) : .unmade
    }
    guard let state else { return .unmade }
    var domain = before ?? Domain(host: host, createdAt: change.record.createdAt)
    let certificate = state.certificate.map(Domain.Certificate.init)
    guard !isProven || certificate != domain.certificate else { return .unmade }
    domain.proof = nil
    domain.certificate = certificate
    return .made(after: try RawJSON(encoding: domain), try leading(domain, to: change.app))
  }

  /// The hosts that lead to an app, with what their certificates say.
  func hosts(of app: String) async throws -> [HostState] {
    do {
      return try await context.tenants.hosts(of: app)
    } catch let error as HostError where error.status == .notFound {
      return []
    }
  }

  func domain(_ host: String, of app: App) async throws -> Domain? {
    let rows = try await context.store.read(
      StoredDomain.all(of: app.id, where: "=", host, claimedAfter: try claimsEnd, limit: 1))
    return try rows.first.map { try shown($0) }
  }

  private func shown(_ row: Row) throws -> Domain {
    try row.decode(StoredDomain.self).shown(patience: settings.claimPatience)
  }

  /// The host that the path names, as names are compared.
  func host(of request: Request) throws -> String {
    let host = try request.parameter(1).lowercased()
    let labels = host.split(separator: ".", omittingEmptySubsequences: false)
    let areLabels = labels.allSatisfy { label in
      (1...63).contains(label.utf8.count) && label.first != "-" && label.last != "-"
        && label.utf8.allSatisfy {
          (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2D
        }
    }
    guard labels.count >= 2, areLabels, host.utf8.count <= 253,
      labels.last?.allSatisfy(\.isNumber) == false
    else {
      throw Problem.invalid(
        pointer: "/path/host", "The path names no host such as shop.example.")
    }
    return host
  }

  /// What the host's refusal means to the client.
  private static func problem(_ error: any Error, host: String) -> any Error {
    guard let error = error as? HostError else { return error }
    switch error.status {
    case .conflict:
      return Problem.conflict(error.text.isEmpty ? "\(host) belongs to another app." : error.text)
    case .unavailable: return Problem.unavailable(error.text)
    case .invalid:
      let faults = HostFault.all(in: error, under: "")
      return Problem.invalid(
        "The domain is refused: \(faults.map(\.message).joined(separator: "; "))", errors: faults)
    default: return error
    }
  }
}
