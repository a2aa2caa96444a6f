extension TenantEdit {
  /// Expired keys that one change forgets, at most: each is a statement of the change's batch.
  private static let forgottenAtOnce = 100

  static func put(
    _ key: StoredKey, into record: inout TenantRecord, _ table: TenantTable, _ now: Int64
  ) throws(TenantError) {
    guard record.key(key.id) == nil else {
      throw TenantError(.conflict, "tenant \"\(record.id)\" has a credential \"\(key.id)\" already")
    }
    if let other = table.digests[key.digest] {
      throw TenantError(
        .conflict, "the credential \"\(key.id)\" is let in for tenant \"\(other)\" already")
    }
    forgetExpired(in: &record, now)
    guard record.keys.count < TenantLimits.keys else {
      throw TenantError(
        .limitExceeded, "tenant \"\(record.id)\" has \(TenantLimits.keys) credentials")
    }
    let place = record.keys.firstIndex { $0.id > key.id } ?? record.keys.endIndex
    record.keys.insert(key, at: place)
  }

  static func revoke(
    _ id: String, at time: Int64, in record: inout TenantRecord, _ now: Int64
  ) throws(TenantError) {
    guard let place = record.keys.firstIndex(where: { $0.id == id }) else {
      throw TenantError(.notFound, "tenant \"\(record.id)\" has no credential \"\(id.prefix(80))\"")
    }
    let expiry = record.keys[place].expiresAt
    if time <= now {
      record.keys.remove(at: place)
    } else if expiry == 0 || time < expiry {
      record.keys[place].expiresAt = time
    }
  }

  static func setScopes(
    _ scopes: [String], of id: String, in record: inout TenantRecord
  ) throws(TenantError) {
    guard let place = record.keys.firstIndex(where: { $0.id == id }) else {
      throw TenantError(.notFound, "tenant \"\(record.id)\" has no credential \"\(id.prefix(80))\"")
    }
    record.keys[place].scopes = scopes
  }

  private static func forgetExpired(in record: inout TenantRecord, _ now: Int64) {
    var forgotten = 0
    record.keys.removeAll { key in
      guard forgotten < forgottenAtOnce, key.hasExpired(at: now - TenantLimits.expiredKeyRetention)
      else {
        return false
      }
      forgotten += 1
      return true
    }
  }
}
