internal import PluginKit

/// Host names that wait until it is shown whose they are. Until then the gateway knows nothing of them.
extension ControlShard {
  /// Whether an app has to show that a host name is its own. What the operator has given to it by name is.
  func needsProof(_ host: String, of app: App) -> Bool {
    settings.domainProof == .dns
      && !settings.domains.contains { $0.host == host && $0.app == app.id }
  }

  /// What was claimed before, and has not been proven since, is waited for no more.
  var claimsEnd: Timestamp {
    get throws { try context.clock.now().adding(milliseconds: -settings.claimPatience) }
  }

  /// Forgets host names that nobody has proven in time.
  func expireClaims(at now: Timestamp) async throws {
    let edge = now.adding(milliseconds: -settings.claimPatience)
    try await context.store.commit(isApartFromRequest: true) {
      SQL("DELETE FROM control_domain_claims WHERE created_at <= \(edge)")
    }
  }

  /// Notes that an app wants a host name, and says how it is proven. The same record each time that it is asked for.
  func claim(_ host: String, of app: App, _ request: Request) async throws -> Response {
    let rows = try await context.store.read(
      "SELECT app_id FROM control_domains WHERE host = \(host)")
    var record = try audit(
      request, Permission.changeDomains.action, of: app.id, target: host, before: Domain?.none,
      after: Domain?.none)
    let isPlatforms = try await hosts(of: "platform").contains { $0.host == host }
    guard rows.isEmpty, !isPlatforms else {
      let problem = Problem.conflict(
        "The host \"\(host)\" \(isPlatforms ? "is the platform's own" : "belongs to another app").")
      try await fail(record, because: problem)
      throw problem
    }
    let now = try context.clock.now()
    let token = try context.random.bytes(DomainProof.tokenLength).hexadecimal
    let domain = Domain(
      host: host, createdAt: now,
      proof: DomainProof(
        host: host, token: token, expiresAt: now.adding(milliseconds: settings.claimPatience)))
    record.after = try RawJSON(encoding: domain)
    var batch = Batch()
    batch.add(
      SQL(
        """
        DELETE FROM control_domain_claims
        WHERE app_id = \(app.id) AND created_at <= \(try claimsEnd)
        """))
    batch.add(
      SQL(
        """
        INSERT INTO control_domain_claims (host, app_id, token, created_at, checks)
        SELECT \(host), \(app.id), \(token), \(domain.createdAt), 0
        WHERE (SELECT COUNT(*) FROM control_domain_claims WHERE app_id = \(app.id))
          < \(settings.unprovenDomainsPerApp)
        ON CONFLICT (host, app_id) DO NOTHING
        """
      ).expect(exactly: 1))
    do {
      try await commit(batch, record, by: Authority(request, .changeDomains, of: app))
    } catch StoreError.conflict(statement: 1, _) {
      // Of another request, a moment ago.
      if let known = try await self.domain(host, of: app) { return try .json(known) }
      throw Problem(
        status: 403, code: "quota_exceeded",
        detail:
          "The app has \(settings.unprovenDomainsPerApp) hosts that are not proven. Prove or remove one first."
      )
    }
    return try .json(domain)
  }

  private static func wait(_ problem: Problem) -> Response {
    .problem(problem).header("retry-after", "\(DomainProof.pause / 1_000)")
  }

  /// `POST /v1/apps/{app}/domains/{host}/verify`: looks for the record; the host leads to the app when it is found.
  func verifyDomain(_ request: Request) async throws -> Response {
    let app = try await app(of: request, for: .changeDomains)
    let host = try host(of: request)
    guard var domain = try await domain(host, of: app) else { throw ControlShard.noDomain }
    guard var proof = domain.proof else { return try .json(domain) }
    guard isGranted(host, to: app) else { throw ControlShard.notGranted(host) }
    guard needsProof(host, of: app) else {
      return try .json(try await lead(domain, former: domain, to: app, nil, request))
    }
    guard proofDesk.enter(request.principal.id) else {
      return ControlShard.wait(
        Problem(
          status: 503, code: "overloaded",
          detail: "Too many proofs are being looked for, or one of yours is. Try again shortly."))
    }
    defer { proofDesk.leave(request.principal.id) }
    let now = try context.clock.now()
    do {
      try await context.store.commit(isApartFromRequest: true) {
        SQL(
          """
          UPDATE control_domain_claims SET checks = checks + 1, checked_at = \(now)
          WHERE host = \(host) AND app_id = \(app.id) AND NOT EXISTS (
            SELECT 1 FROM control_domain_claims
            WHERE app_id = \(app.id) AND checked_at > \(now.adding(milliseconds: -DomainProof.pause)))
          """
        ).expect(exactly: 1)
      }
    } catch StoreError.conflict {
      return ControlShard.wait(
        .rateLimited("The app's last proof was looked for a moment ago. Try again shortly."))
    }
    let name = proof.record.name
    let answer = try await context.worker.run { [nameServer] in nameServer.texts(at: name) }
    proof.checks += 1
    proof.checkedAt = now
    proof.failure = proof.refusal(of: answer)
    domain.proof = proof
    if let failure = proof.failure {
      try await note(failure, of: host, app)
      return try .json(domain)
    }
    do {
      return try .json(try await lead(domain, former: domain, to: app, nil, request))
    } catch let problem as Problem {
      try await note(problem.detail, of: host, app)
      throw problem
    }
  }

  private func note(_ failure: String, of host: String, _ app: App) async throws {
    try await context.store.commit(isApartFromRequest: true) {
      SQL(
        """
        UPDATE control_domain_claims SET failure = \(failure)
        WHERE host = \(host) AND app_id = \(app.id)
        """)
    }
  }
}
