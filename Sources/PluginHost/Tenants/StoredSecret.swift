internal import Synchronization

/// A secret as it is kept: sealed, and opened when it is first asked for.
///
/// Once opened it stays so in memory, where the key is too, so that a look-up costs no cipher.
final class StoredSecret: Sendable {
  /// `nil` for a static tenant's, which is stored nowhere.
  let sealed: [UInt8]?
  private let opened: Mutex<SecretBytes?>

  /// A secret as it stands in the database.
  init(sealed: [UInt8]) {
    self.sealed = sealed
    opened = Mutex(nil)
  }

  /// A secret from a configuration file.
  init(given: SecretBytes) {
    sealed = nil
    opened = Mutex(given)
  }

  /// What counts for ``TenantLimits/allSecretBytes``.
  var cost: Int { sealed.map { $0.count - SealingKey.overhead } ?? 0 }

  /// The secret. Any thread; the first time it is opened with the key.
  ///
  /// - Throws: ``TenantError/Code/damaged``, each time.
  func bytes(tenant: String, name: String, key: SealingKey) throws(TenantError) -> SecretBytes {
    // The lock is the secret's own: opening one keeps nobody from the others.
    try opened.withLock { opened throws(TenantError) in
      if let opened { return opened }
      let bytes = try key.open(sealed ?? [], tenant: tenant, name: name)
      opened = bytes
      return bytes
    }
  }
}
