internal import Store
internal import Synchronization

/// The gateway's own record of its tenants: plugins and settings, host names, credentials, sealed secrets.
///
/// It is kept in `control.sqlite` and, whole, in memory, where it is read. Everything may be called from any thread.
/// Changes are made one after another in the order they were asked for, each checked against all before it; several
/// may share a commit. A completion is called exactly once, when the change is on disk and in memory, or when it is
/// refused and nothing has changed. It runs on a thread of the store's or, when nothing had to be written, on the
/// thread of whoever asked, possibly before the request returns; it must return soon, and may ask for more.
///
/// A process has one registry for one data directory.
public final class TenantRegistry: Sendable {
  let store: Store
  let sealing: SealingKey
  /// What is committed. Taken after `line`, where both are.
  let table: Mutex<TenantTable>
  let line: Mutex<WriteLine>
  /// When credentials were used last.
  let uses: Mutex<KeyUses>

  init(store: Store, sealing: SealingKey, table: TenantTable, uses: KeyUses = KeyUses()) {
    self.uses = Mutex(uses)
    self.store = store
    self.sealing = sealing
    self.table = Mutex(table)
    line = Mutex(WriteLine(draft: table))
  }

  // MARK: Reading

  /// The tenant called `id`, if there is one.
  public func record(_ id: String) -> TenantRecord? { table.withLock { $0.records[id] } }

  /// All tenants, in the order of their ids.
  public func all() -> [TenantRecord] {
    table.withLock { $0.records }.values.sorted { $0.id < $1.id }
  }

  /// Tenants that there are. [any-thread]
  public var count: Int { table.withLock { $0.records.count } }

  /// A copy of a tenant's secret; `nil` when there is no such tenant or secret. The copy is the caller's to keep short
  /// and to overwrite; prefer ``withSecret(tenant:name:_:)``.
  ///
  /// - Throws: ``TenantError/Code/damaged``: what is stored is not what was put.
  public func secret(tenant: String, name: String) throws(TenantError) -> [UInt8]? {
    try withSecret(tenant: tenant, name: name) { [UInt8]($0) }
  }

  /// Lends a tenant's secret until `body` returns; `nil` when there is no such tenant or secret. Takes a short lock and
  /// two look-ups; only the first use of a secret opens the seal.
  ///
  /// - Throws: ``TenantError/Code/damaged``: what is stored is not what was put.
  public func withSecret<Result>(
    tenant: String, name: String, _ body: (UnsafeRawBufferPointer) -> Result
  ) throws(TenantError) -> Result? {
    guard let secret = table.withLock({ $0.secret(tenant, name) }) else { return nil }
    return try secret.bytes(tenant: tenant, name: name, key: sealing).withBytes(body)
  }

  // MARK: Changing

  /// Called once, on a thread of the store, when the change is on disk or refused.
  public typealias Completion = @Sendable (Result<TenantRecord, TenantError>) -> Void

  /// Makes a tenant with these plugins, without hosts, credentials and secrets.
  ///
  /// Completes with the new record, or `invalid`, `limitExceeded`, `conflict`.
  ///
  /// - Parameter plan: a name, which the caller has checked; nil is none, which is the standard one.
  public func create(
    _ tenant: String, plugins: [String: PluginSetting] = [:], plan: String? = nil,
    completion: @escaping Completion
  ) {
    write(.create(tenant, plugins: plugins, plan: plan), completion)
  }

  /// Removes a tenant with its hosts, credentials and secrets; its own file is the caller's to delete. Where a static
  /// tenant is not given any more, removes the secrets that it left.
  ///
  /// Completes with the record as it was, its revision raised; or `notFound`, `isStatic`.
  public func remove(_ tenant: String, completion: @escaping Completion) {
    write(.remove(tenant), completion)
  }

  /// Whether a change could be had now.
  func check(_ edit: TenantEdit) throws(TenantError) {
    try edit.validate()
    _ = try line.withLock { line throws(TenantError) in
      try edit.plan(in: line.draft, now: store.options.now())
    }
  }

  /// Takes in a tenant from an export, in the place of the one there is if that is wanted.
  ///
  /// - Throws: `invalid`, `limitExceeded`, `isStatic`, or `conflict`: there is one, or a host or a credential is another's.
  func restore(_ archive: TenantArchive, replaces: Bool) async throws(TenantError) {
    _ = try await withCheckedContinuation { continuation in
      write(.restore(archive, replaces: replaces)) { continuation.resume(returning: $0) }
    }.get()
  }

  /// Notes that the file of a removed tenant is gone. What fails is made up for at the next start.
  func hasDeletedFile(of tenant: String) async {
    _ = try? await store.submit(
      tenant: Store.controlTenant,
      batch: Batch(
        owner: Owner.host, statements: [TenantStatements.forgetRemoval(of: tenant)]))
  }

  /// Records a plugin's settings; whether they suit the plugin is the caller's to check before.
  ///
  /// - Parameter sealing: the secrets among the settings, which are in `setting` no more; nil leaves what there is.
  ///
  /// Completes with the new record, or `invalid` (no JSON object, no plugin id), `limitExceeded`, `notFound`,
  /// `isStatic`.
  func setPlugin(
    _ tenant: String, plugin: String, setting: PluginSetting, sealing secrets: SealedSettings?,
    completion: @escaping Completion
  ) {
    do throws(TenantError) {
      var edit: SecretEdit?
      if let secrets {
        let name = SealedSettings.name(of: plugin)
        edit = SecretEdit(name: name)
        if let bytes = secrets.bytes {
          guard bytes.count <= TenantLimits.secretBytes else {
            throw TenantError(
              .limitExceeded,
              "the secrets among the settings of plugin \"\(plugin)\" are over \(TenantLimits.secretBytes) bytes"
            )
          }
          edit?.value = StoredSecret(sealed: try seal(bytes, tenant: tenant, name: name))
        }
      }
      write(.setPlugin(tenant, plugin: plugin, setting, edit), completion)
    } catch {
      completion(.failure(error))
    }
  }

  private func seal(_ bytes: [UInt8], tenant: String, name: String) throws(TenantError) -> [UInt8] {
    let result = bytes.withUnsafeBytes { bytes in
      Result { () throws(TenantError) in try sealing.seal(bytes, tenant: tenant, name: name) }
    }
    return try result.get()
  }

  /// As above, of settings without secrets.
  public func setPlugin(
    _ tenant: String, plugin: String, setting: PluginSetting, completion: @escaping Completion
  ) {
    setPlugin(tenant, plugin: plugin, setting: setting, sealing: nil, completion: completion)
  }

  /// The secrets among a tenant's settings of a plugin. [any-thread]
  ///
  /// - Throws: ``TenantError/Code/damaged``.
  func sealedSettings(_ tenant: String, plugin: String) throws(TenantError) -> SealedSettings {
    guard let bytes = try secret(tenant: tenant, name: SealedSettings.name(of: plugin)) else {
      return SealedSettings()
    }
    return try SealedSettings(bytes, plugin: plugin)
  }

  /// A text that is another one after every change of a plugin's settings: secrets among them are sealed anew each time. [any-thread]
  func revision(of plugin: String, _ setting: PluginSetting, tenant: String) -> String {
    let sealed = table.withLock { $0.secret(tenant, SealedSettings.name(of: plugin)) }?.sealed
    let head = "\(setting.enabled ? 1 : 0) \(setting.version ?? "") \(setting.config.utf8.count) "
    return String(
      HexDigest.sha256(Array((head + setting.config).utf8) + (sealed ?? [])).prefix(24))
  }

  /// Lets a credential in.
  ///
  /// Completes with the new record, or `invalid`, `limitExceeded`, `notFound`, `isStatic`, `conflict`: the tenant has
  /// one of this id, or the digest is in use anywhere.
  public func putCredential(_ tenant: String, key: StoredKey, completion: @escaping Completion) {
    write(.putKey(tenant, key), completion)
  }

  /// Ends a credential: removes it with `at` 0 or in the past, else lowers the time it expires at. One that expires
  /// before `at` already stays as it is.
  ///
  /// - Parameter at: Unix milliseconds.
  ///
  /// Completes with the new record, or `invalid`, `notFound`, `isStatic`.
  public func revokeCredential(
    _ tenant: String, id: String, at: Int64 = 0, completion: @escaping Completion
  ) {
    write(.revokeKey(tenant, id: id, at: at), completion)
  }

  /// Gives a credential other scopes.
  ///
  /// Completes with the new record, or `invalid`, `limitExceeded`, `notFound`, `isStatic`.
  public func setScopes(
    _ tenant: String, id: String, scopes: [String], completion: @escaping Completion
  ) {
    write(.setScopes(tenant, id: id, scopes), completion)
  }

  /// Replaces the host names that lead to the tenant.
  ///
  /// Completes with the new record, or `invalid` (not a host name in lower case, or one given twice), `limitExceeded`,
  /// `notFound`, `isStatic`, `conflict` with the tenant that has the host.
  public func setHosts(_ tenant: String, hosts: [String], completion: @escaping Completion) {
    write(.setHosts(tenant, hosts), completion)
  }

  /// Says which origins' pages may come to a tenant; none is any.
  ///
  /// Completes with the new record, or `invalid`, `limitExceeded`, `notFound`, `isStatic`.
  public func setOrigins(_ tenant: String, origins: [String], completion: @escaping Completion) {
    write(.setOrigins(tenant, origins), completion)
  }

  /// Seals and stores a secret; `nil` removes it, which is no error when there is none.
  ///
  /// A static tenant's plugins keep secrets too; only names that begin with `tenant.` are its file's.
  ///
  /// Completes with nothing, or `invalid`, `limitExceeded`, `notFound`, `isStatic`, `conflict`: there is one and
  /// `onlyIfAbsent` is set.
  public func putSecret(
    _ tenant: String, name: String, value: UnsafeRawBufferPointer?, onlyIfAbsent: Bool = false,
    completion: @escaping @Sendable (Result<Void, TenantError>) -> Void
  ) {
    do throws(TenantError) {
      try TenantEdit.validate(secretName: name)
      var secret: StoredSecret?
      if let value {
        guard value.count <= TenantLimits.secretBytes else {
          throw TenantError(
            .limitExceeded,
            "secret \"\(name)\" has \(value.count) bytes, over \(TenantLimits.secretBytes)")
        }
        secret = StoredSecret(sealed: try sealing.seal(value, tenant: tenant, name: name))
      }
      write(.putSecret(tenant, name: name, secret, onlyIfAbsent: onlyIfAbsent)) { result in
        completion(result.map { _ in })
      }
    } catch {
      completion(.failure(error))
    }
  }

  /// As above, from an array.
  public func putSecret(
    _ tenant: String, name: String, value: [UInt8]?, onlyIfAbsent: Bool = false,
    completion: @escaping @Sendable (Result<Void, TenantError>) -> Void
  ) {
    guard let value else {
      return putSecret(
        tenant, name: name, value: UnsafeRawBufferPointer?.none, onlyIfAbsent: onlyIfAbsent,
        completion: completion)
    }
    value.withUnsafeBytes {
      putSecret(tenant, name: name, value: $0, onlyIfAbsent: onlyIfAbsent, completion: completion)
    }
  }
}
