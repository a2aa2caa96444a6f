/// Which tenants there are, and what leads to them, as one loop knows it. Confined to its loop.
///
/// Every loop has its own copy, so that finding a tenant takes no lock; changes are carried to all of them before
/// they are acknowledged.
struct LoopDirectory {
  private(set) var tenants: [String: Tenant] = [:]
  private var hosts: [String: Tenant] = [:]
  private struct KnownKey {
    var record: KeyRecord
    let use: KeyUse
  }

  private var keys: [Digest: KnownKey] = [:]
  private var digests: [String: [String: Digest]] = [:]
  /// The operator's own tenant, which `tenants` keeps.
  private(set) var platform: Unmanaged<Tenant>?
  /// Whether any host name leads anywhere, so that most gateways never look one up.
  private(set) var hasHosts = false

  func tenant(_ id: String) -> Tenant? { tenants[id] }

  func tenant(host: String) -> Tenant? { hosts[host] }

  func key(_ digest: Digest) -> KeyRecord? { keys[digest]?.record }

  /// When a key was used.
  func use(of digest: Digest) -> KeyUse? { keys[digest]?.use }

  mutating func add(_ tenant: Tenant) {
    tenants[tenant.id] = tenant
    if tenant.id == "platform" { platform = .passUnretained(tenant) }
  }

  mutating func remove(_ id: String) -> Tenant? {
    guard let tenant = tenants.removeValue(forKey: id) else { return nil }
    for host in tenant.hosts { hosts[host] = nil }
    hasHosts = !hosts.isEmpty
    removeKeys(of: id)
    if id == "platform" { platform = nil }
    return tenant
  }

  mutating func setHosts(_ names: [String], of tenant: Tenant) {
    for host in tenant.hosts { hosts[host] = nil }
    tenant.hosts = names
    for host in names { hosts[host] = tenant }
    hasHosts = !hosts.isEmpty
  }

  mutating func putKey(_ digest: Digest, _ record: KeyRecord) {
    if let known = digests[record.tenant]?[record.id], known != digest { keys[known] = nil }
    let use = keys[digest]?.use ?? KeyUse(tenant: record.tenant, id: record.id)
    keys[digest] = KnownKey(record: record, use: use)
    digests[record.tenant, default: [:]][record.id] = digest
  }

  mutating func removeKeys(of tenant: String) {
    for digest in digests.removeValue(forKey: tenant)?.values ?? [:].values { keys[digest] = nil }
  }

  mutating func removeKey(_ id: String, of tenant: String) {
    if let digest = digests[tenant]?.removeValue(forKey: id) { keys[digest] = nil }
  }
}
