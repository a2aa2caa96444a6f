public import Store

extension TenantRegistry {
  /// Opens the record that a store's `control.sqlite` holds, making it where there is none, and reads all of it.
  ///
  /// - Throws: ``TenantError/Code/wrongKey``: secrets were sealed with another key; ``TenantError/Code/damaged``: the
  ///   tables hold what was never written; ``TenantError/Code/store``.
  public static func open(store: Store, sealing: SealingKey) async throws(TenantError)
    -> TenantRegistry
  {
    do throws(StoreError) {
      _ = try await store.migrate(
        tenant: Store.controlTenant, owner: Owner.host, migrations: ControlSchema.migrations)
    } catch {
      throw TenantError(error, while: "preparing control.sqlite")
    }
    try await SealCheck(store: store, key: sealing).run()
    var reader = TenantReader(store: store)
    try await reader.run()
    await deleteLeftFiles(store, reader.table)
    return TenantRegistry(
      store: store, sealing: sealing, table: reader.table, uses: reader.uses)
  }

  /// Deletes the files of tenants that were removed when the process ended in between.
  private static func deleteLeftFiles(_ store: Store, _ table: TenantTable) async {
    let marks = try? await store.read(
      tenant: Store.controlTenant, owner: Owner.host,
      statements: [Statement("SELECT tenant FROM sluice_removed LIMIT 1000")]
    ).decoded().first?.rows
    for row in marks ?? [] {
      guard case .text(let tenant) = row[0], table.records[tenant] == nil,
        (try? await store.deleteTenant(tenant)) != nil
      else { continue }
      _ = try? await store.submit(
        tenant: Store.controlTenant,
        batch: Batch(
          owner: Owner.host, statements: [TenantStatements.forgetRemoval(of: tenant)]))
    }
  }

  /// As above. The completion is called once, on a thread of Swift's.
  public static func open(
    store: Store, sealing: SealingKey,
    completion: @escaping @Sendable (Result<TenantRegistry, TenantError>) -> Void
  ) {
    Task {
      do throws(TenantError) {
        completion(.success(try await open(store: store, sealing: sealing)))
      } catch {
        completion(.failure(error))
      }
    }
  }
}
