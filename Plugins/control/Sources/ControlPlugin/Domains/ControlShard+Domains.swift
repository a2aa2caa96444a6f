internal import PluginKit

extension ControlShard {
  /// `GET /v1/apps/{app}/domains`
  func listDomains(_ request: Request) async throws -> Response {
    let app = try await app(of: request, for: .readDomains)
    let limit = request.pageLimit
    let rows = try await context.store.read(
      """
      SELECT \(raw: StoredDomain.columns) FROM control_domains
      WHERE app_id = \(app.id) AND host > \(request.pageStart) ORDER BY host LIMIT \(limit + 1)
      """)
    let domains = try rows.prefix(limit).map { try $0.decode(StoredDomain.self).shown }
    return try .json(Page(data: domains, next: rows.count > limit ? domains.last?.host : nil))
  }

  /// `GET /v1/apps/{app}/domains/{host}`
  func readDomain(_ request: Request) async throws -> Response {
    let app = try await app(of: request, for: .readDomains)
    guard let domain = try await domain(try host(of: request), of: app) else {
      throw Problem.notFound("The app has no such domain.")
    }
    return try .json(domain)
  }

  private struct Change: Decodable {
    var certificate: String?
    var key: String?
  }

  /// `PUT /v1/apps/{app}/domains/{host}`: the host leads to the app, and its certificate is served, when it is answered.
  func putDomain(_ request: Request) async throws -> Response {
    let form = try request.decode(Change.self)
    let app = try await app(of: request, for: .changeDomains)
    let host = try host(of: request)
    guard (form.certificate == nil) == (form.key == nil) else {
      throw Problem.invalid(
        pointer: form.key == nil ? "/key" : "/certificate",
        "A certificate and its key come together.")
    }
    guard settings.domains.contains(where: { $0.covers(host, of: app.id) }) else {
      throw Problem.forbidden("The operator has not granted \(host) to the app.")
    }
    let former = try await domain(host, of: app)
    let now = try context.clock.now()
    var domain = former ?? Domain(host: host, createdAt: now)
    let record = try audit(
      request, Permission.changeDomains.action, of: app.id, target: host, before: former,
      after: Domain?.none)
    let change = DomainChange(record, host: host)
    try await begin(record, change.noted, by: Authority(request, .changeDomains, of: app))
    var certificate: HostCertificate?
    do {
      certificate = try await context.tenants.putHost(
        host, chain: form.certificate.map { Array($0.utf8) },
        key: form.key.map { Array($0.utf8) },
        of: app.id)
    } catch {
      try await fail(record, Batch { change.ended })
      throw ControlShard.problem(error, host: host)
    }
    if certificate == nil {
      // The one that is kept.
      certificate = try await hosts(of: app.id).first { $0.host == host }?.certificate
    }
    domain.certificate = certificate.map {
      Domain.Certificate(names: $0.names, notBefore: $0.notBefore, notAfter: $0.notAfter)
    }
    var batch = Batch()
    batch.add(
      SQL(
        """
        INSERT INTO control_domains (host, app_id, created_at, certificate_names, not_before, not_after)
        VALUES (\(host), \(app.id), \(domain.createdAt),
          \(try domain.certificate.map { try RawJSON(encoding: $0.names) }),
          \(domain.certificate?.notBefore), \(domain.certificate?.notAfter))
        ON CONFLICT (host) DO UPDATE SET app_id = excluded.app_id, created_at = excluded.created_at,
          certificate_names = excluded.certificate_names, not_before = excluded.not_before,
          not_after = excluded.not_after
        """))
    batch.add(change.ended)
    var done = record
    done.after = try RawJSON(encoding: domain)
    try await commit(batch, done, by: nil)
    return try .json(domain)
  }

  /// `DELETE /v1/apps/{app}/domains/{host}`
  func deleteDomain(_ request: Request) async throws -> Response {
    let app = try await app(of: request, for: .changeDomains)
    let host = try host(of: request)
    guard let domain = try await domain(host, of: app) else {
      throw Problem.notFound("The app has no such domain.")
    }
    let record = try audit(
      request, "domain.removed", of: app.id, target: host, before: domain, after: Domain?.none)
    let change = DomainChange(record, host: host)
    try await begin(record, change.noted, by: Authority(request, .changeDomains, of: app))
    do {
      try await context.tenants.removeHost(host, of: app.id)
    } catch let error as HostError where error.status == .notFound {
      // A crash before has taken it already.
    } catch {
      try await fail(record, Batch { change.ended })
      throw error
    }
    var batch = Batch()
    batch.add(SQL("DELETE FROM control_domains WHERE host = \(host) AND app_id = \(app.id)"))
    batch.add(change.ended)
    try await commit(batch, record, by: nil)
    return .empty(204)
  }

  private func domain(_ host: String, of app: App) async throws -> Domain? {
    let rows = try await context.store.read(
      """
      SELECT \(raw: StoredDomain.columns) FROM control_domains
      WHERE app_id = \(app.id) AND host = \(host)
      """)
    return try rows.first?.decode(StoredDomain.self).shown
  }

  /// The host that the path names, as names are compared.
  private func host(of request: Request) throws -> String {
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
    else { throw Problem.invalid("The path names no host such as shop.example.") }
    return host
  }

  private struct Fault: Decodable {
    var pointer: String
    var message: String
  }

  /// What the host's refusal means to the client.
  private static func problem(_ error: any Error, host: String) -> any Error {
    guard let error = error as? HostError else { return error }
    switch error.status {
    case .conflict:
      return Problem.conflict(error.text.isEmpty ? "\(host) belongs to another app." : error.text)
    case .unavailable: return Problem.unavailable(error.text)
    case .invalid:
      let faults = (try? JSON.decode([Fault].self, from: Array(error.text.utf8))) ?? []
      return Problem.invalid(
        "The domain is refused: \(faults.map(\.message).joined(separator: "; "))",
        errors: faults.map { Problem.Fault(pointer: $0.pointer, message: $0.message) })
    default: return error
    }
  }
}
