internal import Gateway
internal import Glibc
internal import TLS

/// The host names of apps, with their certificates.
extension TenantControl {
  /// Leads a host name to a tenant, and serves a certificate for it. What fails leaves things as they were.
  ///
  /// - Parameter certificate: nil leaves the one that there is.
  /// - Returns: what the certificate says of itself.
  func putHost(
    _ tenant: String, _ host: String, _ certificate: CertificateText?
  ) async throws(TenantFailure) -> CertificateSummary? {
    await lock(tenant)
    defer { unlock(tenant) }
    guard let known = registry.record(tenant) else {
      throw TenantFailure(code: .notFound, message: "there is no tenant \"\(tenant)\"")
    }
    try admit(host, to: tenant)
    let isNew = !known.hosts.contains(host)
    let hosts = isNew ? known.hosts + [host] : known.hosts
    do throws(TenantError) {
      try registry.check(.setHosts(tenant, hosts))
    } catch {
      throw TenantFailure(error)
    }
    var summary: CertificateSummary?
    if let certificate { summary = try check(certificate, for: host) }
    let name = HostCertificate.name(of: host)
    let former: [UInt8]?
    do throws(TenantError) {
      former = try registry.secret(tenant: tenant, name: name)
    } catch {
      throw TenantFailure(error)
    }
    if let certificate {
      try await putSecret(tenant, name: name, value: HostCertificate.bytes(certificate))
    } else if isNew, former != nil {
      // Left by a crash; the host is new, and has no certificate.
      try await putSecret(tenant, name: name, value: nil)
    }
    let record = try await registry.change { registry, done in
      registry.setHosts(tenant, hosts: hosts, completion: done)
    }
    await lead(record)
    do throws(CertificateError) {
      try self.host.certificates?.serve(registry.hostCertificates())
    } catch {
      try await putSecret(tenant, name: name, value: isNew ? nil : former)
      await lead(
        try await registry.change { registry, done in
          registry.setHosts(tenant, hosts: known.hosts, completion: done)
        })
      throw TenantFailure(
        code: .certificates,
        message: "No certificate can be served now: the operator's own are not in order.")
    }
    return summary
  }

  /// Checks that a tenant may have a host name: it is no other's, and none under which the platform itself may be reached.
  func admit(_ name: String, to tenant: String) throws(TenantFailure) {
    let (owner, isPlatforms) = registry.table.withLock {
      ($0.hosts[name], $0.platformHosts.contains(name))
    }
    if isPlatforms || host.certificates?.isOwn(name) == true {
      throw TenantFailure(code: .conflict, message: "The host \"\(name)\" is the platform's own.")
    }
    guard owner == nil || owner == tenant else {
      throw TenantFailure(
        code: .conflict, message: "The host \"\(name)\" belongs to another app.")
    }
  }

  private func check(
    _ text: CertificateText, for name: String
  ) throws(TenantFailure) -> CertificateSummary {
    do throws(CertificateError) {
      return try CertificateSource(host: name, text: text).check(for: name, at: Int64(time(nil)))
    } catch {
      throw TenantFailure(
        code: .invalid, message: error.description,
        problems: [SettingsProblem(pointer: "/\(error.file)", message: error.reason)])
    }
  }

  /// Leads a host name nowhere any more, and forgets its certificate.
  func removeHost(_ tenant: String, _ host: String) async throws(TenantFailure) {
    await lock(tenant)
    defer { unlock(tenant) }
    guard let known = registry.record(tenant), known.hosts.contains(host) else {
      throw TenantFailure(code: .notFound, message: "tenant \"\(tenant)\" has no such host")
    }
    let hosts = known.hosts.filter { $0 != host }
    let record = try await registry.change { registry, done in
      registry.setHosts(tenant, hosts: hosts, completion: done)
    }
    await lead(record)
    serveCertificates()
    try await putSecret(tenant, name: HostCertificate.name(of: host), value: nil)
  }

  /// The hosts that lead to a tenant, with what the certificate that is kept for each says of itself; of the platform the
  /// names that are its own.
  func hosts(
    of tenant: String
  ) throws(TenantFailure) -> [(name: String, certificate: CertificateSummary?)] {
    guard let record = registry.record(tenant) else {
      throw TenantFailure(code: .notFound, message: "there is no tenant \"\(tenant)\"")
    }
    guard tenant != StaticTenant.platformID else {
      let named = registry.table.withLock { Set(record.hosts).union($0.platformHosts) }
      return named.union(host.certificates?.ownHosts ?? []).sorted().map { ($0, nil) }
    }
    let certificates = registry.hostCertificates(of: record)
    return registry.leadingHosts(of: record).map { name in
      (name, try? certificates.first { $0.names == [name] }?.summary())
    }
  }

  /// Has every loop lead a tenant's hosts to it, and no others.
  func lead(_ record: TenantRecord) async {
    let hosts = registry.leadingHosts(of: record)
    await onEveryLoop { $0.gateway.set(hosts: hosts, of: record.id) }
  }

  /// Has the listeners serve the certificates of all apps' hosts that there are now, or, where the operator's own are not in
  /// order, from then on when they are.
  func serveCertificates() {
    let apps = registry.hostCertificates()
    do throws(CertificateError) {
      try host.certificates?.serve(apps)
    } catch {
      host.certificates?.serveLater(apps)
    }
  }
}
