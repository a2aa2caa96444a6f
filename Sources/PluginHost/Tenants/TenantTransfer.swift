internal import Glibc
internal import Store

/// Tenants on their way out of the data directory and back in. What it makes and takes are files in the folder
/// `transfer`, which whoever asked fetches and puts there: that way they belong to the right user on either side.
struct TenantTransfer: Sendable {
  let store: Store
  let registry: TenantRegistry
  let directory: String
  /// The plugins that are installed: of each the standard version, then those beside it.
  let installed: [PluginManifest]
  /// The operator's plans.
  let plans: Plans

  static func folder(in directory: String) -> String { directory + "/transfer" }

  func path(_ name: String) -> String { Self.folder(in: directory) + "/" + name }

  /// Makes the folder, and removes what was left in it by whoever did not come to fetch it.
  static func prepare(_ directory: String) {
    let folder = folder(in: directory)
    mkdir(folder, 0o700)
    for name in (try? FileSystem.names(in: folder)) ?? [] { unlink(folder + "/" + name) }
  }

  /// A name that no file there has.
  static func newName() -> String {
    String(UInt64.random(in: .min ... .max), radix: 36) + ".sqlite"
  }

  // MARK: - out

  /// Copies a tenant's database as it is now; answers the copy's name. [blocking]
  ///
  /// - Parameter owner: of the gateway's own database whose rows alone are copied; nil is everybody's.
  func backUp(_ tenant: String, only owner: String? = nil) throws(TenantError) -> String {
    let name = Self.newName()
    do throws(StoreError) {
      try StoreFile.copy(in: directory, of: tenant, to: path(name))
      if tenant == Store.controlTenant, let owner {
        try ControlSchema.keep(only: owner, in: try DatabaseFile(path(name), .writing))
      }
    } catch {
      discard(name)
      throw TenantError(error, while: "copying the data of \"\(tenant)\"")
    }
    return name
  }

  /// Makes an export of an app; answers its name. [blocking]
  ///
  /// - Parameter seal: what secrets are sealed with on the way; nil leaves them under the gateway's own key.
  func export(_ tenant: String, seal: SealingKey?) throws(TenantError) -> String {
    let (record, sealed) = try registry.table.withLock { table throws(TenantError) in
      (try table.record(tenant), table.secrets[tenant]?.byName.compactMapValues(\.sealed) ?? [:])
    }
    try refuseStatic(record, "exported; copy it with: sluice tenant backup")
    let archive = TenantArchive(
      record: record, secrets: try resealed(sealed, of: tenant, from: registry.sealing, to: seal),
      plan: try plan(of: tenant))
    let name = try backUp(tenant)
    do throws(StoreError) {
      try archive.write(into: try DatabaseFile(path(name), .writing), at: store.options.now())
    } catch {
      unlink(path(name))
      throw TenantError(error, while: "writing the export of \"\(tenant)\"")
    }
    return name
  }

  /// What a log may tell of a tenant; nil when there is none, or its plan cannot be read.
  func noted(_ tenant: String) -> ConfigValue? {
    guard let record = registry.record(tenant) else { return nil }
    return (try? plan(of: tenant)).map { record.noted(plan: $0) }
  }

  /// How many tenants an operator is told of at a time: an answer is one line, which has an end.
  static let page = 500

  /// The tenants whose ids come next in their order, ``page`` at most.
  func page(after last: String?) -> [TenantRecord] {
    let left = registry.all().filter { $0.id > last ?? "" }
    return Array(left.sorted { $0.id < $1.id }.prefix(TenantTransfer.page))
  }

  /// What an operator is told of each tenant of a page.
  func listed(after last: String?) throws(TenantError) -> [ConfigValue] {
    let chosen = try chosenPlans("tenant > ?1", last ?? "")
    var list: [ConfigValue] = []
    for record in page(after: last) {
      let plugins = record.plugins.filter(\.value.enabled).keys.sorted()
      var members: [ConfigValue.Member] = [.init("id", .string(record.id))]
      // The platform is on none.
      if record.id != StaticTenant.platformID {
        members.append(
          .init("plan", .string(chosen[record.id] ?? plans.inForce(Plans.standard))))
      }
      members.append(.init("hosts", .array(record.hosts.map { .string($0) })))
      members.append(.init("plugins", .array(plugins.map { .string($0) })))
      list.append(.object(members))
    }
    return list
  }

  /// The plan that an app is on.
  private func plan(of tenant: String) throws(TenantError) -> String {
    try chosenPlans("tenant = ?1", tenant)[tenant] ?? plans.inForce(Plans.standard)
  }

  /// The plans of those apps for which one was chosen and of which `condition` is true, with `tenant` for its ?1.
  private func chosenPlans(
    _ condition: String, _ tenant: String
  ) throws(TenantError) -> [String: String] {
    do throws(StoreError) {
      let rows = try StoreFile.rows(
        in: directory, of: Store.controlTenant,
        "SELECT tenant, plan FROM sluice_tenant_plans WHERE \(condition)", tenant)
      var chosen: [String: String] = [:]
      for row in rows ?? [] {
        guard case .text(let tenant) = row[0], case .text(let plan) = row[1] else { continue }
        chosen[tenant] = plan
      }
      return chosen
    } catch {
      throw TenantError(error, while: "reading which plans apps are on")
    }
  }

  private func refuseStatic(_ record: TenantRecord, _ what: String) throws(TenantError) {
    guard let origin = record.origin else { return }
    throw TenantError(
      .isStatic, "tenant \"\(record.id)\" comes from \(origin) and cannot be \(what)")
  }

  /// Secrets opened with one key and sealed with another; as they are with none.
  private func resealed(
    _ sealed: [String: [UInt8]], of tenant: String, from: SealingKey, to: SealingKey?
  ) throws(TenantError) -> [String: [UInt8]] {
    var result: [String: [UInt8]] = [:]
    for (name, bytes) in sealed {
      let opened = try from.open(bytes, tenant: tenant, name: name)
      guard let to else {
        result[name] = bytes
        continue
      }
      result[name] = try opened.withBytes { bytes throws(TenantError) in
        try to.seal(bytes, tenant: tenant, name: name)
      }
    }
    return result
  }

  // MARK: - in

  /// Reads and checks a file that was put into the folder, and makes it the plain database of a tenant, with an epoch of
  /// its own; the secrets come out sealed with the gateway's key. Nothing of the gateway is changed. [blocking]
  ///
  /// - Parameters:
  ///   - plan: the one that the app is to be on; nil is that of the file.
  ///   - standardVersions: whether versions that the app has chosen and are not installed are left for the standard ones.
  func receive(
    _ name: String, seal: SealingKey?, plan: String? = nil, standardVersions: Bool = false
  ) throws(TenantError) -> TenantArchive {
    let file: DatabaseFile
    do throws(StoreError) {
      file = try DatabaseFile(path(name), .writing)
      try StoreFile.check(file)
    } catch {
      throw TenantError(error, while: "checking the file")
    }
    var archive = try TenantArchive(from: file)
    if standardVersions { archive.chooseStandardVersions(installed: installed) }
    try checkPlugins(archive.record, file)
    if let plan { archive.plan = plan }
    if let chosen = archive.plan {
      do throws(TenantError) {
        try plans.check(chosen)
      } catch {
        throw TenantError(
          error.code,
          plan != nil
            ? error.message
            : "the app is on a plan that is none here: \(error.message); choose one with --plan")
      }
    }
    let tenant = archive.record.id
    do throws(TenantError) {
      // Opened, even where they stay under the same key: a wrong one is found now and not when a plugin asks.
      archive.secrets = try resealed(
        archive.secrets, of: tenant, from: seal ?? registry.sealing,
        to: seal == nil ? nil : registry.sealing)
    } catch {
      throw TenantError(
        .wrongKey,
        seal == nil
          ? """
          its secrets were sealed by another gateway, with a key that this one has not; export it there with --seal-key, \
          and give the same key here
          """ : "its secrets were not sealed with the key that is given")
    }
    do throws(StoreError) {
      try TenantArchive.strip(file)
      try StoreFile.renewEpoch(of: file)
      try file.execute("PRAGMA journal_mode=DELETE")
    } catch {
      throw TenantError(error, while: "preparing the file")
    }
    return archive
  }

  /// Whether the plugins that are installed can do with the data.
  private func checkPlugins(_ record: TenantRecord, _ file: DatabaseFile) throws(TenantError) {
    for (id, setting) in record.plugins.sorted(by: { $0.key < $1.key }) where setting.enabled {
      guard installed.contains(where: { $0.id == id }) else {
        throw TenantError(
          .invalid, "the app has plugin \"\(id)\" switched on, which is not installed here")
      }
      if let version = setting.version,
        !installed.contains(where: { $0.id == id && $0.version == version })
      {
        throw TenantError(
          .invalid,
          "the app has chosen \(id)@\(version), which is not installed here; with --standard-versions it gets the standard one"
        )
      }
    }
    let breaking: [StoreFile.BreakingMigration]
    do throws(StoreError) {
      breaking = try StoreFile.breakingMigrations(in: file)
    } catch {
      throw TenantError(error, while: "reading the file's migrations")
    }
    for migration in breaking {
      let versions = installed.filter { plugin in
        guard plugin.tablePrefix == migration.owner else { return false }
        return record.plugins[plugin.id]?.version.map { $0 == plugin.version } ?? true
      }
      // Without a choice the first is the standard one.
      guard let plugin = versions.first, migration.version > plugin.migrations.count
      else { continue }
      throw TenantError(
        .store,
        """
        the data has migration \(migration.version) (\(migration.name)) of plugin "\(plugin.id)", which is marked \
        breaking, and the newest that is installed here is \(plugin.migrations.count); install the newer plugin
        """, storeCode: .schemaTooNew)
    }
  }

  /// Whether the tenant could be taken in now.
  func admit(_ archive: TenantArchive, replaces: Bool) throws(TenantError) {
    try registry.check(.restore(archive, replaces: replaces))
  }

  /// Puts the tenant in the place of the one of its name, or of none: its file, then its record. What fails leaves
  /// things as they were. Nobody may be using the tenant. Answers whether there was one.
  func install(
    _ archive: TenantArchive, file name: String, replaces: Bool
  ) async throws(TenantError) -> Bool {
    try admit(archive, replaces: replaces)
    var archive = archive
    archive.wakes = archive.record.plugins.keys.sorted().filter { mayWantToBeWoken($0) }
    let tenant = archive.record.id
    let wasKnown = registry.record(tenant) != nil
    do throws(StoreError) {
      let wasThere = try await store.replaceTenant(tenant, with: path(name))
      do throws(TenantError) {
        try await registry.restore(archive, replaces: replaces)
      } catch {
        if wasThere {
          _ = try await store.replaceTenant(tenant, with: path(name))
        } else {
          try await store.deleteTenant(tenant)
        }
        throw StoreError(.io, error.message)
      }
    } catch {
      throw TenantError(
        .store, "the data of \"\(tenant)\" could not be put in place: \(error)",
        storeCode: error.code)
    }
    discard(name)
    return wasKnown
  }

  /// Whether a plugin may have had an alarm, which no export holds. One that is switched off, is not granted alarms or is not
  /// installed is woken when that changes.
  private func mayWantToBeWoken(_ plugin: String) -> Bool {
    let versions = installed.filter { $0.id == plugin }
    return versions.isEmpty || versions.contains { $0.capabilities.contains(.alarm) }
  }

  /// Removes a file that is not needed any more.
  func discard(_ name: String) {
    for suffix in ["", "-wal", "-shm", "-journal"] { unlink(path(name) + suffix) }
  }
}
