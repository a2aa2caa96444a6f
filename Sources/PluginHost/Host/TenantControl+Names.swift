internal import Bus
internal import Gateway
internal import Store

/// What leads to a tenant and what it keeps sealed: keys, host names, secrets.
extension TenantControl {
  func putKey(_ tenant: String, _ key: StoredKey) async throws(TenantFailure) {
    _ = try await registry.change { registry, done in
      registry.putCredential(tenant, key: key, completion: done)
    }
    guard let digest = key.digest.withUnsafeBytes({ Digest(raw: $0) }) else { return }
    let record = KeyRecord(key, tenant: tenant)
    await onEveryLoop { $0.gateway.put(key: digest, record) }
  }

  func revokeKey(_ tenant: String, id: String, at: Int64) async throws(TenantFailure) {
    let record = try await registry.change { registry, done in
      registry.revokeCredential(tenant, id: id, at: at, completion: done)
    }
    let left = record.key(id)
    await onEveryLoop { loop in
      guard let left, let digest = left.digest.withUnsafeBytes({ Digest(raw: $0) }) else {
        return loop.gateway.remove(key: id, of: tenant)
      }
      loop.gateway.put(key: digest, KeyRecord(left, tenant: tenant))
    }
  }

  func setScopes(_ tenant: String, id: String, _ scopes: [String]) async throws(TenantFailure) {
    let record = try await registry.change { registry, done in
      registry.setScopes(tenant, id: id, scopes: scopes, completion: done)
    }
    guard let key = record.key(id), let digest = key.digest.withUnsafeBytes({ Digest(raw: $0) })
    else { return }
    let known = KeyRecord(key, tenant: tenant)
    await onEveryLoop { $0.gateway.put(key: digest, known) }
  }

  func setHosts(_ tenant: String, _ hosts: [String]) async throws(TenantFailure) {
    let known = registry.record(tenant)?.hosts ?? []
    for host in hosts where !known.contains(host) { try admit(host, to: tenant) }
    let record = try await registry.change { registry, done in
      registry.setHosts(tenant, hosts: hosts, completion: done)
    }
    await lead(record)
  }

  func setOrigins(_ tenant: String, _ origins: [String]) async throws(TenantFailure) {
    let record = try await registry.change { registry, done in
      registry.setOrigins(tenant, origins: origins, completion: done)
    }
    let policy = OriginPolicy(record.origins)
    await onEveryLoop { $0.gateway.set(origins: policy, of: tenant) }
  }

  /// Stores a secret of a tenant. What was recognised with the old one is asked for again.
  func putSecret(_ tenant: String, name: String, value: [UInt8]?) async throws(TenantFailure) {
    let result = await withCheckedContinuation { continuation in
      registry.putSecret(tenant, name: name, value: value) { continuation.resume(returning: $0) }
    }
    if case .failure(let error) = result { throw TenantFailure(error) }
    await forgetIdentities(of: tenant)
  }

  /// What a tenant uses, in the form of `usage` (ext/tenants.h); the times are Unix milliseconds.
  func usage(of tenant: String, from: Int64, to: Int64) async throws(TenantFailure) -> ConfigValue {
    guard let record = registry.record(tenant) else {
      throw TenantFailure(code: .notFound, message: "there is no tenant \"\(tenant)\"")
    }
    await onEveryLoop { $0.gateway.addUsage() }
    let hours = { (time: Int64) in (max(time, 0) &+ 3_599_999) / 3_600_000 }
    do throws(StoreError) {
      return try await host.usage.report(
        on: tenant, from: hours(from), to: hours(to),
        plugins: record.plugins.values.count(where: \.enabled))
    } catch {
      throw TenantFailure(error, "what \"\(tenant)\" uses cannot be read")
    }
  }

  /// Puts a tenant on another of the operator's plans.
  func setPlan(_ plan: String, of tenant: String) async throws(TenantError) {
    guard registry.record(tenant) != nil, tenant != StaticTenant.platformID else {
      throw TenantError(.notFound, "there is no app \"\(tenant.prefix(80))\"")
    }
    try await host.usage.setPlan(plan, of: tenant)
  }

  /// Has every credential of a tenant shown to its authenticator again, on every loop.
  func forgetIdentities(of tenant: String) async {
    await onEveryLoop { $0.gateway.forgetIdentities(of: tenant) }
  }
}
