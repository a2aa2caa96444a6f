internal import Gateway
internal import Glibc
internal import TLS

/// The host names of apps, with their certificates.
extension TenantControl {
  /// Leads a host name to a tenant, and serves a certificate for it.
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
    var hosts = known.hosts
    if !hosts.contains(host) { hosts.append(host) }
    do throws(TenantError) {
      try registry.check(.setHosts(tenant, hosts))
    } catch {
      throw TenantFailure(error)
    }
    var summary: CertificateSummary?
    if let certificate {
      do throws(CertificateError) {
        summary = try CertificateSource(host: host, text: certificate)
          .check(for: host, at: Int64(time(nil)))
      } catch {
        throw TenantFailure(
          code: .invalid, message: error.description,
          problems: [SettingsProblem(pointer: "/\(error.file)", message: error.reason)])
      }
      try await putSecret(
        tenant, name: HostCertificate.name(of: host), value: HostCertificate.bytes(certificate))
    }
    let record = try await registry.change { registry, done in
      registry.setHosts(tenant, hosts: hosts, completion: done)
    }
    await onEveryLoop { $0.gateway.set(hosts: record.hosts, of: tenant) }
    serveCertificates()
    return summary
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
    await onEveryLoop { $0.gateway.set(hosts: record.hosts, of: tenant) }
    serveCertificates()
    try await putSecret(tenant, name: HostCertificate.name(of: host), value: nil)
  }

  /// Has the listeners serve the certificates of all apps' hosts that there are now.
  func serveCertificates() { host.certificates?.serve(registry.hostCertificates()) }
}
