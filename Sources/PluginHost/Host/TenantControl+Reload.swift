internal import Gateway
internal import Store

/// Why a reload changed nothing: a problem a line, each with its file and place.
struct ReloadRefusal: Error {
  let problems: [String]
}

/// What a reload did.
struct ReloadReport: Sendable {
  /// Plugins that are new, changed or gone, and tenants of files that are.
  var changes: [String] = []
  /// Pointers into the configuration: what differs and takes a restart.
  var waiting: [String] = []
}

extension TenantControl {
  /// Puts another configuration and the plugins that its folders hold now in force, all of it or nothing.
  ///
  /// Every tenant that is open and concerned gets its next generation built and opened before anything is swapped, so
  /// that what is wrong anywhere leaves everything as it was. Migrations that ran stay; they only add.
  ///
  /// - Throws: ``ReloadRefusal``; then what served goes on serving.
  func reload(_ configuration: SluiceConfiguration, images: PluginImages)
    async throws(ReloadRefusal) -> ReloadReport
  {
    await lockAll()
    defer { unlockAll() }
    let former = host.currentSetup
    let (live, waiting) = former.configuration.adopting(configuration)
    let next = try load(live, after: former, images)
    var report = ReloadReport(waiting: waiting)
    report.changes =
      next.configuration.settingsChanged(since: former.configuration)
      + next.pluginChanges(since: former)
    // Of the limits only these are part of a tenant's routes; the others are the loops'.
    let bounds: [Limit] = [.bodyBytes, .webSocketMessageBytes]
    let concernsAll =
      bounds.contains { next.configuration.limits[$0] != former.configuration.limits[$0] }
      || next.configuration.plugins != former.configuration.plugins
    // The platform's routes lead to sockets of plugins that it does not run itself.
    let greetsAnew = !next.greeters.elementsEqual(former.greeters, by: ===)
    let tenants = StaticTenantChanges(from: former.staticTenants, to: next.staticTenants)
    report.changes += tenants.descriptions
    do throws(TenantError) {
      try registry.replaceStatic(
        with: next.staticTenants, platformHosts: next.configuration.platformHosts)
    } catch {
      throw ReloadRefusal(problems: [error.message])
    }
    var prepared: [Prepared] = []
    let tables = RouteTables()
    do throws(ReloadRefusal) {
      try check(next, since: former)
      for (tenant, runtime) in runtimes.sorted(by: { $0.key < $1.key }) {
        guard let record = registry.record(tenant),
          concernsAll || tenants.changed.contains(tenant)
            || greetsAnew && tenant == StaticTenant.platformID
            || next.configuration.compression(ofTenant: tenant)
              != former.configuration.compression(ofTenant: tenant)
            || runtime.instances.contains(where: {
              next.plugin(
                $0.plugin.manifest.id, version: record.plugins[$0.plugin.manifest.id]?.version)
                !== $0.plugin
            })
        else { continue }
        prepared.append(try await prepare(record, next, tables))
      }
    } catch {
      for prepared in prepared { await discard(prepared) }
      // These were in force together before.
      try? registry.replaceStatic(
        with: former.staticTenants, platformHosts: former.configuration.platformHosts)
      throw error
    }
    host.adopt(next)
    adopt(tables)
    await putInForce(prepared, tenants, since: former)
    await host.alarms.unpark(nil)
    return report
  }

  private struct Prepared {
    let runtime: TenantRuntime
    let opened: [(LoopHost, OpenedGeneration)]
    let record: TenantRecord
  }

  /// Reads the plugins' folders; what has not changed stays the image that it is.
  private func load(
    _ configuration: SluiceConfiguration, after former: HostSetup, _ images: PluginImages
  ) throws(ReloadRefusal) -> HostSetup {
    let catalog = PluginCatalog.load(folders: configuration.plugins.folders)
    guard catalog.problems.isEmpty else {
      throw ReloadRefusal(problems: catalog.problems.map(\.description))
    }
    let mismatches = configuration.check(installed: catalog.plugins)
    guard mismatches.isEmpty else {
      throw ReloadRefusal(problems: mismatches.map(\.description))
    }
    var plugins: [LoadedPlugin] = []
    var failures: [String] = []
    for manifest in catalog.all {
      let known = manifest.isBeside ? former.beside[manifest.identity] : former.plugins[manifest.id]
      if let known, known.isStill(manifest) {
        plugins.append(known)
        continue
      }
      do throws(PluginLoadError) {
        plugins.append(
          try LoadedPlugin(
            manifest, images: images,
            isFirst: former.plugins[manifest.id] == nil && !manifest.isBeside))
      } catch {
        failures.append(error.description)
      }
    }
    guard failures.isEmpty else { throw ReloadRefusal(problems: failures) }
    return HostSetup(configuration: configuration, plugins: plugins)
  }

  /// Looks at every tenant, open or not: its plugins must be there, and accept its settings.
  private func check(_ next: HostSetup, since former: HostSetup) throws(ReloadRefusal) {
    var problems: [String] = []
    for record in registry.all() {
      for (id, setting) in record.plugins.sorted(by: { $0.key < $1.key }) where setting.enabled {
        let known = former.plugin(id, version: setting.version)
        guard let plugin = next.plugin(id, version: setting.version) else {
          // One that was missing before is no news.
          if known != nil {
            problems.append(
              "plugin \"\(setting.version.map { "\(id)@\($0)" } ?? id)\" is gone, but tenant \"\(record.id)\" has it switched on"
            )
          }
          continue
        }
        guard plugin !== known else { continue }
        do throws(TenantFailure) {
          _ = try plugin.settings(setting.config, try sealed(id, record.id))
        } catch {
          problems.append("tenant \"\(record.id)\": \(error.message)")
        }
      }
      if record.isStatic {
        let enabled = next.manifests.filter { record.plugins[$0.id]?.enabled == true }
        do throws(ConfigurationError) {
          _ = try TenantPlan.resolve(
            tenant: record.id, enabled: enabled, installed: next.manifests)
        } catch {
          problems += error.problems.map(\.description)
        }
      }
      if problems.count >= 20 { break }
    }
    guard problems.isEmpty else { throw ReloadRefusal(problems: problems) }
  }

  private func prepare(
    _ record: TenantRecord, _ setup: HostSetup, _ tables: RouteTables
  ) async throws(ReloadRefusal) -> Prepared {
    do throws(TenantFailure) {
      let runtime = try await build(record, setup, tables)
      do throws(TenantFailure) {
        try await keepCursors(for: runtime)
        return Prepared(
          runtime: runtime, opened: try await openWhereItIsOpen(runtime), record: record)
      } catch {
        runtime.abandon(host)
        throw error
      }
    } catch {
      throw ReloadRefusal(problems: ["tenant \"\(record.id)\": \(error.message)"])
    }
  }

  private func discard(_ prepared: Prepared) async {
    for (loop, generation) in prepared.opened { await loop.discard(generation) }
    prepared.runtime.abandon(host)
  }

  /// Nothing fails from here on.
  private func putInForce(
    _ prepared: [Prepared], _ tenants: StaticTenantChanges, since former: HostSetup
  ) async {
    let settings = GatewaySettings(host.configuration)
    await onEveryLoop { $0.gateway.apply(settings) }
    host.usage.set(host.configuration.plans(with: host.manifests))
    host.warnOfStrayApps()
    await announcePlugins()
    let rate = host.configuration.limits[.requestsPerSecond]
    if rate != former.configuration.limits[.requestsPerSecond] {
      for record in registry.all() {
        let limiter = RateLimiter(limit: rate)
        await onEveryLoop { $0.gateway.set(limiter: limiter, of: record.id) }
      }
    }
    for prepared in prepared {
      let tenant = prepared.record.id
      let old = runtimes.updateValue(prepared.runtime, forKey: tenant)
      let kept = Set(prepared.runtime.pluginIDs)
      let gone = old?.pluginIDs.filter { !kept.contains($0) } ?? []
      for (loop, generation) in prepared.opened {
        await loop.swap(tenant, generation, without: gone)
      }
      old?.abandon(host)
      for plugin in gone where !(former.plugins[plugin]?.manifest.listens.isEmpty ?? true) {
        await dropCursor(of: plugin, tenant)
      }
    }
    for tenant in tenants.removed {
      let runtime = runtimes.removeValue(forKey: tenant)
      await onEveryLoop { loop in
        loop.gateway.generation(of: tenant)?.shardSet.drain(.gone)
        loop.gateway.remove(tenant: tenant)
      }
      runtime?.abandon(host)
    }
    if former.configuration.platformHosts != host.configuration.platformHosts {
      for record in registry.all() where !record.isStatic && !record.hosts.isEmpty {
        await lead(record)
      }
      serveCertificates()
    }
    let changed = tenants.changed.compactMap { registry.record($0) }
    await onEveryLoop { loop in
      // All names are let go of before any is given anew: one may have moved from tenant to tenant.
      for record in changed { loop.gateway.set(hosts: [], of: record.id) }
      for record in changed {
        loop.gateway.set(hosts: record.hosts, of: record.id)
        loop.gateway.set(origins: OriginPolicy(record.origins), of: record.id)
        loop.gateway.replaceKeys(of: record.id, with: record.keyRecords)
      }
    }
    for tenant in tenants.added {
      if let record = registry.record(tenant) { await announce(record) }
    }
  }
}

extension HostSetup {
  /// What differs from another set of plugins, a line each.
  fileprivate func pluginChanges(since former: HostSetup) -> [String] {
    var changes: [String] = []
    for manifest in manifests {
      guard let old = former.plugins[manifest.id] else {
        changes.append("plugin \(manifest.identity) is new")
        continue
      }
      guard old !== plugins[manifest.id] else { continue }
      changes.append(
        old.manifest.version == manifest.version
          ? "plugin \(manifest.identity) has changed"
          : "plugin \(manifest.id) \(old.manifest.version) is now \(manifest.version)")
    }
    for manifest in former.manifests where plugins[manifest.id] == nil {
      changes.append("plugin \(manifest.identity) is gone")
    }
    for identity in Set(beside.keys).union(former.beside.keys).sorted()
    where beside[identity] !== former.beside[identity] {
      changes.append(
        former.beside[identity] == nil
          ? "plugin \(identity) is beside"
          : beside[identity] == nil
            ? "plugin \(identity) is gone" : "plugin \(identity) has changed")
    }
    return changes
  }
}

/// What became of the tenants that files give.
private struct StaticTenantChanges: Sendable {
  var added: [String] = []
  var removed: [String] = []
  var changed: Set<String> = []

  init(from old: [StaticTenant], to new: [StaticTenant]) {
    let before = Dictionary(uniqueKeysWithValues: old.map { ($0.id, $0) })
    let after = Dictionary(uniqueKeysWithValues: new.map { ($0.id, $0) })
    removed = old.map(\.id).filter { after[$0] == nil }
    for tenant in new {
      guard let known = before[tenant.id] else {
        added.append(tenant.id)
        continue
      }
      if !known.isSame(as: tenant) { changed.insert(tenant.id) }
    }
  }

  var descriptions: [String] {
    added.map { "tenant \"\($0)\" is new" }
      + changed.sorted().map { "tenant \"\($0)\" has changed" }
      + removed.map { "tenant \"\($0)\" is gone" }
  }
}

extension StaticTenant {
  /// Whether both say the same, wherever they stand.
  fileprivate func isSame(as other: StaticTenant) -> Bool {
    id == other.id && hosts == other.hosts && origins == other.origins && plugins == other.plugins
      && keys == other.keys
      && secrets == other.secrets
  }
}

extension TenantRecord {
  /// Its keys as loops know them.
  var keyRecords: [(Digest, KeyRecord)] {
    keys.compactMap { key in
      key.digest.withUnsafeBytes { Digest(raw: $0) }.map { ($0, KeyRecord(key, tenant: id)) }
    }
  }
}
