internal import EventLoop
internal import Gateway
internal import Store

/// Opens tenants and changes them, one change of a tenant at a time. An actor on the control thread.
actor TenantControl {
  let host: Host
  /// The host's, which is open before there is anything to control.
  let registry: TenantRegistry
  var runtimes: [String: TenantRuntime] = [:]
  private(set) var tables = RouteTables()
  /// Tenants that somebody works on, with those who wait for them.
  private var busy: [String: [CheckedContinuation<Void, Never>]] = [:]
  /// Whether all tenants are being worked on at once: nobody else begins anything.
  private var isReloading = false
  private var untilReloaded: [CheckedContinuation<Void, Never>] = []
  private var untilIdle: CheckedContinuation<Void, Never>?
  nonisolated let executor: EventLoop

  nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

  init(host: Host, registry: TenantRegistry) {
    self.host = host
    self.registry = registry
    executor = host.control
  }

  // MARK: - opening

  /// Opens a tenant on a loop that has asked for it.
  func open(_ tenant: String, on loop: LoopHost) async {
    await lock(tenant)
    defer { unlock(tenant) }
    do throws(TenantFailure) {
      let runtime = try await runtime(of: tenant)
      if let failure = await loop.open(runtime) { throw failure }
      host.trouble.opened(tenant: tenant)
    } catch {
      // A file that cannot be used is tried again at each request, and told of once.
      if host.trouble.isNews(error.storeCode, tenant: tenant) {
        host.log.write(
          .error, "a tenant cannot be opened",
          fields: ["tenant": .string(tenant), "reason": .string(error.message)])
      }
      loop.gateway.eventLoop.post {
        loop.gateway.failedToOpen(tenant, error.problemCode, reason: error.publicReason)
      }
    }
  }

  func runtime(of tenant: String) async throws(TenantFailure) -> TenantRuntime {
    if let known = runtimes[tenant] { return known }
    guard let record = registry.record(tenant) else {
      throw TenantFailure(code: .notFound, message: "there is no tenant \"\(tenant)\"")
    }
    let runtime = try await build(record)
    do throws(TenantFailure) {
      try await keepCursors(for: runtime)
    } catch {
      runtime.abandon(host)
      throw error
    }
    runtimes[tenant] = runtime
    return runtime
  }

  /// Gives the listeners of a set their cursors before anything can be emitted in its service.
  func keepCursors(for runtime: TenantRuntime) async throws(TenantFailure) {
    for plugin in runtime.plan.plugins where !plugin.listens.isEmpty {
      do throws(StoreError) {
        _ = try await host.store.registerListener(tenant: runtime.tenant, listener: plugin.id)
      } catch {
        throw TenantFailure(error, "plugin \"\(plugin.id)\" cannot be given a cursor")
      }
    }
  }

  /// Plans the tenant's set of plugins, brings its tables up to date and creates the instances.
  private func build(_ record: TenantRecord) async throws(TenantFailure) -> TenantRuntime {
    try await build(record, host.currentSetup, tables)
  }

  /// The secrets among a tenant's settings of a plugin.
  func sealed(_ plugin: String, _ tenant: String) throws(TenantFailure) -> SealedSettings {
    do throws(TenantError) {
      return try registry.sealedSettings(tenant, plugin: plugin)
    } catch {
      throw TenantFailure(error)
    }
  }

  /// The same with plugins and settings that are not in force yet, and route tables of their own.
  ///
  /// - Parameter sealed: secrets among the settings that are not in force yet either, by plugin.
  func build(
    _ record: TenantRecord, _ setup: HostSetup, _ tables: RouteTables,
    sealed: [String: SealedSettings] = [:]
  ) async throws(TenantFailure) -> TenantRuntime {
    let kind = TenantKind(of: record.id)
    var enabled: [PluginManifest] = []
    var chosen: [String: LoadedPlugin] = [:]
    for (id, setting) in record.plugins.sorted(by: { $0.key < $1.key }) where setting.enabled {
      guard let plugin = setup.plugin(id, version: setting.version) else {
        throw TenantFailure(
          missing: id, version: setting.version, for: record.id, among: setup.allManifests)
      }
      enabled.append(plugin.manifest)
      chosen[id] = plugin
    }
    let plan: TenantPlan
    do throws(ConfigurationError) {
      plan = try TenantPlan.resolve(tenant: record.id, enabled: enabled, installed: setup.manifests)
    } catch {
      throw TenantFailure(
        code: .plan, message: error.description, told: error.publicDescription)
    }
    let plugins = plan.plugins.compactMap { chosen[$0.id] }
    let routes = try tables.table(
      plan, kind: kind, plugins, limits: setup.configuration.limits,
      compression: setup.configuration.compression(ofTenant: record.id),
      greeters: kind == .platform ? setup.greeters : [])
    var configs: [String] = []
    for plugin in plugins {
      let id = plugin.manifest.id
      let secrets: SealedSettings
      if let given = sealed[id] {
        secrets = given
      } else {
        secrets = try self.sealed(id, record.id)
      }
      configs.append(try plugin.settings(record.plugins[id]?.config ?? "{}", secrets))
    }
    for plugin in plugins { try await migrate(plugin.manifest, tenant: record.id) }
    var instances: [Instance] = []
    for (plugin, config) in zip(plugins, configs) {
      do throws(TenantFailure) {
        instances.append(
          try Instance(
            plugin, tenant: record.id, config: config,
            granted: setup.configuration.plugins.granted(to: plugin.manifest), host: host))
      } catch {
        for instance in instances.reversed() { instance.destroy() }
        throw error
      }
    }
    return TenantRuntime(tenant: record.id, plan: plan, routes: routes, instances: instances)
  }

  private func migrate(_ manifest: PluginManifest, tenant: String) async throws(TenantFailure) {
    guard !manifest.migrations.isEmpty else { return }
    let steps = manifest.migrations.map {
      Store::Migration(
        version: $0.number, name: $0.name, sql: $0.sql, isBreaking: $0.isBreaking)
    }
    do throws(StoreError) {
      _ = try await host.store.migrate(
        tenant: tenant, owner: manifest.tablePrefix, migrations: steps)
    } catch {
      throw TenantFailure(
        error, "the tables of plugin \"\(manifest.id)\" cannot be brought up to date")
    }
  }

  // MARK: - changing

  /// Makes a tenant with the plugins that new ones get.
  ///
  /// - Parameter plan: the name of one of the operator's; nil is the standard one.
  func create(_ tenant: String, on plan: String?) async throws(TenantFailure) {
    await lock(tenant)
    defer { unlock(tenant) }
    guard TenantName.isValid(tenant), tenant != StaticTenant.platformID else {
      throw TenantFailure(code: .invalid, message: "\"\(tenant)\" cannot be a tenant's id")
    }
    do throws(TenantError) {
      if let plan { try host.usage.check(plan) }
    } catch {
      throw TenantFailure(
        code: .invalid, message: error.message,
        problems: [SettingsProblem(pointer: "/plan", message: error.message)])
    }
    var plugins: [String: PluginSetting] = [:]
    for plugin in host.configuration.plugins.standard(for: .app, of: host.manifests) {
      plugins[plugin.id] = PluginSetting(enabled: true)
    }
    let bound = host.usage.bounds(of: plan ?? Plans.standard)[.plugins]
    guard bound == 0 || plugins.count <= bound else {
      throw TenantFailure(
        code: .quota,
        message:
          "The plan of new apps allows \(bound) \(Quota.plugins.name), and they begin with \(plugins.count)."
      )
    }
    let chosen = plugins
    let record = try await registry.change { registry, done in
      registry.create(tenant, plugins: chosen, plan: plan, completion: done)
    }
    if let plan { host.usage.adopt(plan, of: tenant) }
    await announce(record)
  }

  /// Has all loops know which routes the installed plugins have.
  func announcePlugins() async {
    let routes = InstalledRoutes(host.currentSetup)
    await onEveryLoop { $0.gateway.set(installed: routes) }
  }

  /// Makes a tenant known to all loops, or what they know of it what it is now.
  func announce(_ record: TenantRecord) async {
    let limiter = RateLimiter(limit: host.configuration.limits[.requestsPerSecond])
    let usage = host.usage.usage(of: record.id)
    let hosts = registry.leadingHosts(of: record)
    await onEveryLoop { loop in
      loop.gateway.add(
        tenant: record.id, limiter: limiter, usage: usage, hosts: hosts,
        origins: OriginPolicy(record.origins))
      loop.gateway.replaceKeys(of: record.id, with: record.keyRecords)
    }
  }

  func openWhereItIsOpen(_ runtime: TenantRuntime) async throws(TenantFailure)
    -> [(LoopHost, OpenedGeneration)]
  {
    var opened: [(LoopHost, OpenedGeneration)] = []
    for loop in host.loops {
      switch await loop.prepare(runtime) {
      case .notOpen: continue
      case .opened(let generation): opened.append((loop, generation))
      case .failed(let failure):
        for (loop, generation) in opened { await loop.discard(generation) }
        throw failure
      }
    }
    return opened
  }

  // MARK: - order

  func lock(_ tenant: String) async {
    while isReloading { await withCheckedContinuation { untilReloaded.append($0) } }
    guard busy[tenant] != nil else {
      busy[tenant] = []
      return
    }
    await withCheckedContinuation { busy[tenant]?.append($0) }
  }

  func unlock(_ tenant: String) {
    guard var waiting = busy[tenant], !waiting.isEmpty else {
      busy[tenant] = nil
      if busy.isEmpty, let waiting = untilIdle {
        untilIdle = nil
        waiting.resume()
      }
      return
    }
    let next = waiting.removeFirst()
    busy[tenant] = waiting
    next.resume()
  }

  /// Waits until nobody works on any tenant, and keeps everybody else out.
  func lockAll() async {
    while isReloading { await withCheckedContinuation { untilReloaded.append($0) } }
    isReloading = true
    if !busy.isEmpty { await withCheckedContinuation { untilIdle = $0 } }
  }

  func unlockAll() {
    isReloading = false
    let waiting = untilReloaded
    untilReloaded = []
    for continuation in waiting { continuation.resume() }
  }

  /// Puts the route tables of a reload in force.
  func adopt(_ next: RouteTables) { tables = next }

  func onEveryLoop(_ body: @escaping @Sendable (LoopHost) -> Void) async {
    for loop in host.loops { await loop.run { body(loop) } }
  }
}

extension KeyRecord {
  init(_ key: StoredKey, tenant: String) {
    self.init(id: key.id, tenant: tenant, scopes: key.scopes, expiresAt: key.expiresAt)
  }
}

extension TenantFailure {
  /// What a client may know: not which plugin or file.
  var publicReason: String {
    switch code {
    case .notFound, .missing: "it is set up with something that is not installed"
    case .store:
      switch storeCode {
      case .corrupted: "its data is damaged and has been set aside"
      case .storageFull: "the disk is full"
      case .readOnly: "its data cannot be written"
      case .schemaTooNew, .migrationChanged: "its data was written by another version of a plugin"
      case .overloaded: "too much is waiting"
      default: "its data cannot be read"
      }
    case .config, .plan: "its settings do not fit together"
    default: "it could not be started"
    }
  }

  /// The code of the problem that requests are answered with.
  var problemCode: ProblemCode {
    switch storeCode {
    case .storageFull: .storageFull
    case .overloaded: .overloaded
    default: .pluginUnavailable
    }
  }

  init(_ error: TenantError) {
    let code: Code =
      switch error.code {
      case .notFound: .notFound
      case .conflict, .isStatic: .conflict
      case .invalid, .limitExceeded: .invalid
      case .overloaded: .overloaded
      default: .store
      }
    self.init(
      code: code, message: error.message,
      told: error.code == .isStatic ? TenantFailure.setByOperator : nil,
      problems: error.pointer.isEmpty
        ? [] : [SettingsProblem(pointer: error.pointer, message: error.message)])
  }

  static let setByOperator = "The operator has set this up in a file, and changes it there."
}

extension TenantRegistry {
  /// Makes a change and waits until it is durable.
  func change(
    _ body: (TenantRegistry, @escaping Completion) -> Void
  ) async throws(TenantFailure) -> TenantRecord {
    let result = await withCheckedContinuation { continuation in
      body(self) { continuation.resume(returning: $0) }
    }
    switch result {
    case .success(let record): return record
    case .failure(let error): throw TenantFailure(error)
    }
  }
}
