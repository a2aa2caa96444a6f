internal import Store

/// Finds a wrong sealing key before anything is built on it, by a known value that is kept sealed.
struct SealCheck {
  let store: Store
  let key: SealingKey

  // No tenant can have this name.
  private static let tenant = Store.controlTenant
  private static let name = "check"

  /// Opens the known value, or stores it where nothing was ever sealed.
  func run() async throws(TenantError) {
    let results: RowBlock
    do throws(StoreError) {
      results = try await store.read(
        tenant: Store.controlTenant, owner: Owner.host,
        statements: [
          Statement(
            "SELECT sealed FROM sluice_seal WHERE name = :name",
            binds: [Bind("name", .text(Self.name))]),
          Statement("SELECT 1 FROM sluice_secrets LIMIT 1"),
        ])
    } catch {
      throw TenantError(error, while: "checking the sealing key")
    }
    let rows = (try? results.decoded()) ?? []
    if case .blob(let sealed)? = rows.first?[0, "sealed"] { return try check(sealed) }
    guard rows.last?.rows.isEmpty == true else {
      throw TenantError(
        .damaged,
        "there are secrets in control.sqlite, but not the value that tells which key they need")
    }
    try await keep(try seal())
  }

  private func seal() throws(TenantError) -> [UInt8] {
    // `withUnsafeBytes` of an array does not pass on the type of what is thrown.
    try [UInt8](Self.name.utf8).withUnsafeBytes { bytes in
      Result { () throws(TenantError) in
        try key.seal(bytes, tenant: Self.tenant, name: Self.name)
      }
    }.get()
  }

  private func keep(_ sealed: [UInt8]) async throws(TenantError) {
    do throws(StoreError) {
      _ = try await store.submit(
        tenant: Store.controlTenant,
        batch: Batch(
          owner: Owner.host,
          statements: [
            Statement(
              "INSERT INTO sluice_seal (name, sealed) VALUES (:name, :sealed)",
              binds: [Bind("name", .text(Self.name)), Bind("sealed", .blob(sealed))])
          ]))
    } catch {
      throw TenantError(error, while: "keeping what tells the sealing key")
    }
  }

  private func check(_ sealed: [UInt8]) throws(TenantError) {
    do throws(TenantError) {
      _ = try key.open(sealed, tenant: Self.tenant, name: Self.name)
    } catch {
      let origin = key.isNew ? ", which was made just now because there was none," : ""
      throw TenantError(
        .wrongKey,
        """
        the key in \(key.path)\(origin) is not the one that the secrets in control.sqlite were sealed with; put the \
        right key file there (secrets.key_file names another place)
        """)
    }
  }
}
