internal import Bus
internal import Gateway
internal import Store

/// Secrets that another takes the place of, and that stay good for a while.
extension TenantControl {
  /// Where plugins of a tenant hear that what the host recognised up to now is void from a time on. No client can name it.
  private static let identitiesChannel = "@identities"

  /// Puts another secret in the place of one, which stays good until a time under another name. What there was is written
  /// first, so that a crash in between takes nothing away. Then those are told who keep what was recognised with it.
  ///
  /// - Parameter until: Unix milliseconds.
  func rotateSecret(
    _ tenant: String, name: String, value: [UInt8], until: Int64
  ) async throws(TenantFailure) {
    guard !value.contains(RotatedSecret.lineFeed) else {
      throw TenantFailure(code: .invalid, message: "a secret that is rotated holds no line feed")
    }
    await lock(tenant)
    defer { unlock(tenant) }
    guard let record = registry.record(tenant) else {
      throw TenantFailure(code: .notFound, message: "there is no tenant \"\(tenant)\"")
    }
    if let origin = record.origin {
      throw TenantFailure(
        code: .conflict, message: "the tenant \"\(tenant)\" is set in \(origin)",
        told: TenantFailure.setByOperator)
    }
    let now = host.store.options.now()
    let former = RotatedSecret(
      secret: try read(name, of: tenant),
      previous: try read(name + RotatedSecret.suffix, of: tenant))
    guard let previous = former.previous(until: until, at: now) else {
      throw TenantFailure(
        code: .quota,
        message:
          "\(RotatedSecret.kept) secrets that were rotated out are still good, and no more are kept."
      )
    }
    try await putSecret(
      tenant, name: RotatedSecret.journal(of: name),
      value: former.journal(digest: HexDigest.sha256(value)))
    try await putSecret(
      tenant, name: name + RotatedSecret.suffix, value: previous.isEmpty ? nil : previous)
    try await putSecret(tenant, name: name, value: value)
    host.bus.publish([
      Publication(
        tenant: tenant, channel: Self.identitiesChannel, sequence: 0, offset: 0, time: now,
        type: "identities.void", id: host.identifier("evt"), epoch: "",
        data: Array(#"{"void_at_ms":\#(until)}"#.utf8))
    ])
  }

  /// Has a secret and those before it be what they were before the last rotation, if that has put the secret of a digest there.
  ///
  /// - Parameter digest: in lower-case hexadecimal digits.
  func takeBackSecret(
    _ tenant: String, name: String, digest: String
  ) async throws(TenantFailure) {
    await lock(tenant)
    defer { unlock(tenant) }
    guard registry.record(tenant) != nil else {
      throw TenantFailure(code: .notFound, message: "there is no tenant \"\(tenant)\"")
    }
    let journal = RotatedSecret.journal(of: name)
    guard let text = try read(journal, of: tenant),
      let former = RotatedSecret(journal: text, digest: digest)
    else { return }
    try await putSecret(tenant, name: name, value: former.secret)
    try await putSecret(tenant, name: name + RotatedSecret.suffix, value: former.previous)
    try await putSecret(tenant, name: journal, value: nil)
  }

  private func read(_ name: String, of tenant: String) throws(TenantFailure) -> [UInt8]? {
    do throws(TenantError) {
      return try registry.secret(tenant: tenant, name: name)
    } catch {
      throw TenantFailure(error)
    }
  }
}
