/// All tenants in memory, with what finds a host's and a credential's owner. Pure: knows no store and no lock.
struct TenantTable: Sendable {
  private(set) var records: [String: TenantRecord] = [:]
  private(set) var hosts: [String: String] = [:]
  /// Names that are the platform's own: no app is given one, and those that had one before are not led to by it.
  private(set) var platformHosts: Set<String> = []
  private(set) var digests: [[UInt8]: String] = [:]
  /// Also of tenants that are not there: those of a static tenant outlive its absence from the files.
  private(set) var secrets: [String: TenantSecrets] = [:]
  /// The last revision that was given out.
  private(set) var revision: UInt64 = 0

  func record(_ id: String) throws(TenantError) -> TenantRecord {
    if let record = records[id] { return record }
    throw TenantError(.notFound, "there is no tenant \"\(id.prefix(80))\"")
  }

  /// The secret called `name` of a tenant that there is.
  func secret(_ tenant: String, _ name: String) -> StoredSecret? {
    records[tenant] == nil ? nil : secrets[tenant]?.byName[name]
  }

  /// Checks that a tenant that is no file's may have a host.
  func admit(host: String, to tenant: String) throws(TenantError) {
    if let other = hosts[host], other != tenant { throw .hostTaken(host, by: other) }
    guard !platformHosts.contains(host) else {
      throw TenantError(.conflict, "host \"\(host)\" is the platform's own")
    }
  }

  /// Makes room for a first load.
  mutating func reserve(tenants: Int) { records.reserveCapacity(tenants) }

  mutating func apply(_ delta: TenantDelta) {
    switch delta {
    case .none: break
    case .record(let record), .creation(let record, _): put(record)
    case .removal(let record):
      if let old = records.removeValue(forKey: record.id) { unlist(old) }
      secrets[record.id] = nil
      revision = max(revision, record.revision)
    case .restoration(let record, let given, _, _):
      put(record)
      secrets[record.id] = nil
      for (name, secret) in given { put(secret, name: name, of: record.id) }
    case .recordAndSecret(let record, let name, let secret):
      put(record)
      apply(.secret(record, name: name, secret))
    case .secret(let record, let name, let secret):
      secrets[record.id, default: TenantSecrets()].set(name, secret)
      if secrets[record.id]?.byName.isEmpty == true { secrets[record.id] = nil }
    }
  }

  /// Replaces a tenant's record, or adds one.
  mutating func put(_ record: TenantRecord) {
    if let old = records[record.id] { unlist(old) }
    for host in record.hosts { hosts[host] = record.id }
    for key in record.keys { digests[key.digest] = record.id }
    records[record.id] = record
    revision = max(revision, record.revision)
  }

  /// Forgets the tenants that files give, with the secrets that their files gave. What their plugins keep stays.
  ///
  /// - Parameter hosts: the platform's own from now on.
  mutating func removeStatic(platformHosts hosts: Set<String>) {
    platformHosts = hosts
    for record in records.values where record.isStatic {
      records[record.id] = nil
      unlist(record)
      for (name, secret) in secrets[record.id]?.byName ?? [:] where secret.sealed == nil {
        secrets[record.id]?.set(name, nil)
      }
      if secrets[record.id]?.byName.isEmpty == true { secrets[record.id] = nil }
    }
  }

  /// Puts a secret where nothing checks it: while loading, and for a static tenant.
  mutating func put(_ secret: StoredSecret, name: String, of tenant: String) {
    secrets[tenant, default: TenantSecrets()].set(name, secret)
  }

  private mutating func unlist(_ old: TenantRecord) {
    for host in old.hosts { hosts[host] = nil }
    for key in old.keys { digests[key.digest] = nil }
  }
}

/// One tenant's secrets by name.
struct TenantSecrets: Sendable {
  private(set) var byName: [String: StoredSecret] = [:]
  /// Their bytes together.
  private(set) var bytes = 0

  mutating func set(_ name: String, _ secret: StoredSecret?) {
    if let old = byName[name] { bytes -= old.cost }
    if let secret { bytes += secret.cost }
    byName[name] = secret
  }
}

/// What one accepted change does to the table; `record` is the tenant's as it will be.
enum TenantDelta: Sendable {
  /// Things are as asked already.
  case none(TenantRecord)
  case record(TenantRecord)
  /// A tenant that was not there, on a plan; nil is none.
  case creation(TenantRecord, plan: String?)
  case removal(TenantRecord)
  /// The tenant as it comes from an export, with all its secrets, in the place of what there is; nil leaves its plan. These
  /// plugins are woken.
  case restoration(TenantRecord, [String: StoredSecret], plan: String?, waking: [String])
  /// The secret `name` is put, or removed with `nil`.
  case secret(TenantRecord, name: String, StoredSecret?)
  /// Both at once.
  case recordAndSecret(TenantRecord, name: String, StoredSecret?)

  /// This change of the record and another of a secret of the same tenant.
  func with(_ other: TenantDelta) -> TenantDelta {
    guard case .secret(_, let name, let secret) = other else { return self }
    guard case .record(let record) = self else { return other }
    return .recordAndSecret(record, name: name, secret)
  }

  var record: TenantRecord {
    switch self {
    case .none(let record), .record(let record), .creation(let record, _), .removal(let record),
      .restoration(let record, _, _, _):
      record
    case .secret(let record, _, _), .recordAndSecret(let record, _, _): record
    }
  }
}
