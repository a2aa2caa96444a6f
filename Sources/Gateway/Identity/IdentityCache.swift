/// Credentials that an authenticator has recognised, by digest. Confined to its loop.
///
/// An entry is good until the principal expires or the tenant's revocation counter moves. Bounded: when it is full,
/// the older half goes.
struct IdentityCache {
  struct Entry {
    let tenant: Tenant
    let principal: Principal
    let revocations: UInt64
    /// Of a key.
    var use: KeyUse?
    /// Of users alone: their rate, over all loops.
    let limiter: RateLimiter?
    /// Whether the credential leads to the tenant by itself; else the host name or `?app=` did, and may lead elsewhere.
    var isLeading = true
  }

  static let bound = 16_384
  private var young: [Digest: Entry] = [:]
  private var old: [Digest: Entry] = [:]

  /// The entry for a digest, if it is still good.
  mutating func find(_ digest: Digest, now: Int64) -> Entry? {
    guard let entry = young[digest] ?? old[digest] else { return nil }
    let expires = entry.principal.expiresAt
    guard entry.revocations == entry.tenant.revocations, expires == 0 || now < expires else {
      young[digest] = nil
      old[digest] = nil
      return nil
    }
    return entry
  }

  mutating func insert(_ digest: Digest, _ entry: Entry) {
    if young.count >= Self.bound / 2 {
      old = young
      young = [:]
    }
    young[digest] = entry
  }
}
