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
    return TenantRegistry(store: store, sealing: sealing, table: reader.table)
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
