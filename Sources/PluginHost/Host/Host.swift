internal import Bus
internal import Client
internal import EventLoop
internal import Gateway
internal import Store
internal import Synchronization

/// What the operator has set and installed, as one value: a reload replaces all of it or nothing.
struct HostSetup: Sendable {
  var configuration: SluiceConfiguration
  var plugins: [String: LoadedPlugin] = [:]
  /// Versions beside those, by `id@version`.
  private(set) var beside: [String: LoadedPlugin] = [:]
  /// Of the standard versions, in the order of their ids.
  private(set) var manifests: [PluginManifest] = []

  /// - Parameter plugins: standard versions and those beside them.
  init(configuration: SluiceConfiguration, plugins: [LoadedPlugin] = []) {
    self.configuration = configuration
    let standard = plugins.filter { !$0.manifest.isBeside }
    self.plugins = Dictionary(uniqueKeysWithValues: standard.map { ($0.manifest.id, $0) })
    beside = Dictionary(
      uniqueKeysWithValues: plugins.filter(\.manifest.isBeside).map { ($0.manifest.identity, $0) })
    manifests = standard.map(\.manifest).sorted { $0.id < $1.id }
  }

  /// Of each plugin the standard version, then all others.
  var allManifests: [PluginManifest] {
    manifests + beside.values.map(\.manifest).sorted { $0.identity < $1.identity }
  }

  /// A plugin in the version that a tenant has chosen; nil when it is not installed.
  func plugin(_ id: String, version: String?) -> LoadedPlugin? {
    guard let version, plugins[id]?.manifest.version != version else { return plugins[id] }
    return beside["\(id)@\(version)"]
  }

  /// Plugins with sockets and routes of apps whose credential is looked for further on than in the head: until it has
  /// been found, they are the platform's.
  var greeters: [LoadedPlugin] {
    manifests.filter { manifest in
      manifest.tenants != .platform
        && (manifest.sockets.contains { $0.credential == .firstMessage }
          || manifest.routes.contains(where: \.looksFurther))
    }.compactMap { plugins[$0.id] }
  }

  /// The tenants that files give, and the operator's own.
  var staticTenants: [StaticTenant] {
    let platform = configuration.platformTenant(installed: manifests)
    return configuration.tenants.filter { $0.id != platform.id } + [platform]
  }
}

/// What holds the plugins of a running gateway together: images, tenants, store, bus and loops.
///
/// `@unchecked Sendable`: what is set after `init` is set once, on the starting thread, before anything is served; the
/// rest is immutable or guards itself.
final class Host: TenantHost, @unchecked Sendable {
  let loopCount: Int
  /// The control thread's loop.
  let control: EventLoop
  let log: Log
  let accessLog: LogWriter?
  let metrics = PluginMetrics()
  /// Requests with an `Idempotency-Key`.
  let underWay = RequestsUnderWay()
  let trouble: StoreTrouble
  /// Requests to others.
  let exchanges = ClientCounters()
  let overstays = Atomic<Int>(0)
  /// Calls that ``CallCheck`` has refused.
  let misuses = Atomic<Int>(0)
  private(set) var store: Store!
  private(set) var registry: TenantRegistry!
  private(set) var bus: LocalBus!
  private(set) var presence: LocalPresence!
  private(set) var tenants: TenantControl!
  private(set) var alarms: AlarmClock!
  /// Nil until the listeners' certificates have been read.
  private(set) var certificates: CertificateKeeper?
  private(set) var usage: UsageLedger!
  private(set) var loops: [LoopHost] = []
  private let setup: Mutex<HostSetup>
  /// Where each tenant's listeners are.
  private let eventLoops = Mutex<[String: LoopHost]>([:])
  private let pools = Mutex<[String: WorkerPool]>([:])

  init(
    configuration: SluiceConfiguration, loopCount: Int, control: EventLoop, log: Log,
    accessLog: LogWriter?
  ) {
    setup = Mutex(HostSetup(configuration: configuration))
    self.loopCount = loopCount
    self.control = control
    self.log = log
    trouble = StoreTrouble(log: log)
    self.accessLog = accessLog
    bus = LocalBus { [unowned self] loop, publications in
      let loop = loops[loop]
      loop.gateway.eventLoop.post { loop.deliver(publications) }
    }
    presence = LocalPresence { [unowned self] key, member, hasJoined in
      bus.publish([
        Publication(
          tenant: key.tenant, channel: key.channel, sequence: 0, offset: 0,
          time: SystemClock.unixMilliseconds(),
          type: hasJoined ? PresenceBridge.joined : PresenceBridge.left, id: identifier("evt"),
          epoch: "", data: member.info)
      ])
    }
  }

  /// Gives the host what was started after it. [starting thread, once]
  func adopt(store: Store, registry: TenantRegistry, usage: UsageLedger, plugins: [LoadedPlugin]) {
    self.store = store
    self.registry = registry
    self.usage = usage
    adopt(HostSetup(configuration: configuration, plugins: plugins))
    tenants = TenantControl(host: self, registry: registry)
    alarms = AlarmClock(store, control: control, log: log) { [unowned self] alarm in
      await tenants.wake(alarm)
    }
  }

  /// Gives the host what keeps the listeners' certificates. [starting thread, once]
  func adopt(certificates: CertificateKeeper) { self.certificates = certificates }

  /// Gives the host its loops. [starting thread, once]
  func adopt(loops: [GatewayLoop]) {
    self.loops = loops.map { LoopHost($0, host: self) }
    for loop in self.loops {
      loop.gateway.eventLoop.post {
        _ = loop.gateway.eventLoop.every(1000) { loop.sweep() }
      }
    }
    let usage = usage!
    control.post { [control] in
      _ = control.every(UsageLedger.interval) { Task { await usage.flush() } }
    }
  }

  // MARK: - what a reload replaces

  /// What is in force now. [any-thread]
  var currentSetup: HostSetup { setup.withLock { $0 } }
  var configuration: SluiceConfiguration { setup.withLock { $0.configuration } }
  var plugins: [String: LoadedPlugin] { setup.withLock { $0.plugins } }
  var manifests: [PluginManifest] { currentSetup.manifests }

  /// Puts configuration and plugins in force, both at once. [starting or control thread]
  func adopt(_ next: HostSetup) { setup.withLock { $0 = next } }

  /// The worker threads of a plugin, started at first use. Nil when threads run out. [any-thread]
  func workers(of plugin: LoadedPlugin) -> WorkerPool? {
    pools.withLock { pools in
      if let pool = pools[plugin.manifest.id] { return pool }
      // Low priority: hashing passwords must not take the loops' time.
      let pool = try? WorkerPool(
        name: String(plugin.manifest.id.prefix(12)),
        threads: plugin.manifest.limits.workerThreads,
        queueLimit: plugin.manifest.limits.workerJobs,
        niceness: 5)
      pools[plugin.manifest.id] = pool
      return pool
    }
  }

  func stopWorkers() {
    for pool in pools.withLock({ Array($0.values) }) { pool.stop() }
  }

  /// The tenant's listeners live on this loop from now on. [loop-thread]
  func eventsGo(of tenant: String, to loop: LoopHost) { eventLoops.withLock { $0[tenant] = loop } }

  /// Opens the platform, whose plugins may have work left from before, and those of the other tenants that have listeners: what these had
  /// not heard when the process ended they hear now, not at the tenant's next request. [starting thread, once]
  func resume(_ recovered: [String]) {
    Task { [self] in
      await tenants.wakeRecovered(recovered)
      await alarms.start()
    }
    if registry.record(StaticTenant.platformID) != nil {
      open(StaticTenant.platformID, on: loops[0].gateway)
    }
    for (number, tenant) in recovered.enumerated() where tenant != StaticTenant.platformID {
      guard let record = registry.record(tenant),
        manifests.contains(where: {
          !$0.listens.isEmpty && record.plugins[$0.id]?.enabled == true
        })
      else { continue }
      open(tenant, on: loops[number % loops.count].gateway)
    }
  }

  /// Events are on disk: those of channels go to whoever listens there. [store's thread]
  func committed(_ events: CommittedEvents) {
    let publications = events.events.compactMap { event -> Publication? in
      guard let channel = event.channel else { return nil }
      return Publication(
        tenant: events.tenant, channel: channel, sequence: event.sequence,
        offset: event.offset ?? 0,
        time: event.timeMilliseconds, type: event.type, id: event.id, epoch: events.epoch,
        data: event.data)
    }
    if !publications.isEmpty { bus.publish(publications) }
    guard let loop = eventLoops.withLock({ $0[events.tenant] }) else { return }
    let tenant = events.tenant
    loop.gateway.eventLoop.post { loop.gateway.generation(of: tenant)?.shardSet.wakePumps() }
  }

  // MARK: - TenantHost

  func open(_ tenant: String, on loop: GatewayLoop) {
    let index = loop.index
    Task { await tenants.open(tenant, on: loops[index]) }
  }

  func identify(
    _ kind: CredentialKind, _ credential: UnsafeRawBufferPointer, in generation: Generation,
    on loop: GatewayLoop,
    answer: @escaping (IdentityAnswer) -> Void
  ) {
    let loopHost = loops[loop.index]
    let set = unsafeDowncast(generation.context, to: ShardSet.self)
    guard let provider = set.authenticator else { return answer(.unknown) }
    loopHost.identify(IdentityRequest.json(.credential(kind), credential), by: provider) {
      status, reply in
      answer(IdentityRequest.answer(status, reply))
    }
  }

  func openAPI(tenant: String?) -> [UInt8]? {
    var shown = manifests
    if let tenant {
      guard let record = registry.record(tenant) else { return nil }
      let kind = TenantKind(of: tenant)
      let setup = currentSetup
      shown = shown.compactMap { manifest in
        guard let setting = record.plugins[manifest.id], setting.enabled else { return nil }
        return setup.plugin(manifest.id, version: setting.version)?.manifest
      }
      for index in shown.indices { shown[index].routes.removeAll { !$0.tenants.includes(kind) } }
    }
    let document = OpenAPIDocument(
      title: "Sluice", version: Version.current, plugins: shown, limits: configuration.limits)
    return Array(document.json.utf8)
  }

  func overload(_ cause: OverloadCause, isOver: Bool, _ value: Int, on loop: GatewayLoop) {
    var fields: [String: ConfigValue] = ["loop": .integer(loop.index)]
    switch cause {
    case .memory:
      fields = ["resident_bytes": .integer(value)]
      // What was freed and is still held would keep the process over its bound for ever.
      if isOver { returnFreedMemory() }
    case .lag: fields["lag_ms"] = .integer(value)
    }
    fields["limit"] = .string(cause == .memory ? Limit.memoryBytes.name : Limit.loopLag.name)
    if isOver {
      log.write(.warning, "overloaded: new connections are shed", fields: fields)
    } else {
      log.write(.info, "no longer overloaded: new connections are taken", fields: fields)
    }
  }

  func returnFreedMemory() { control.post { EventLoop.returnFreedMemory() } }

  func addMetrics(to page: inout MetricsPage) {
    let counters = store.counters
    func add(_ name: String, _ help: String, _ value: UInt64) {
      page.add(
        "sluice_store_\(name)_total", isGauge: false, help: help, value: Int64(clamping: value))
    }
    add("batches_committed", "Batches on disk.", counters.batchesCommitted)
    add("batches_failed", "Batches of which nothing was written.", counters.batchesFailed)
    add("commits", "Commits, each of one or more batches.", counters.commits)
    add("reads", "Reads answered.", counters.readsDone)
    add("overloads", "Requests refused because a queue was full.", counters.overloads)
    page.add(
      "sluice_store_tenants_in_trouble", isGauge: true,
      help: "Tenants whose file could not be used when it was last tried.",
      value: Int64(trouble.tenants))
    page.add("sluice_tenants", isGauge: true, help: "Tenants known.", value: Int64(registry.count))
    page.add(
      "sluice_channels", isGauge: true, help: "Channels with a subscriber.",
      value: Int64(bus.channels))
    page.add(
      "sluice_presence_members", isGauge: true, help: "Members of channels.",
      value: Int64(presence.count))
    for (name, help, count) in [
      ("requests", "Requests to others' servers.", exchanges.begun.load(ordering: .relaxed)),
      ("failures", "Of these, those without an answer.", exchanges.failed.load(ordering: .relaxed)),
      (
        "denials", "Of these, those to addresses out of reach.",
        exchanges.denied.load(ordering: .relaxed)
      ),
    ] {
      page.add("sluice_client_\(name)_total", isGauge: false, help: help, value: Int64(count))
    }
    alarms.counters.add(to: &page)
    page.add(
      "sluice_plugin_overstays_total", isGauge: false,
      help: "Calls of plugins that took longer than their budget.",
      value: Int64(overstays.load(ordering: .relaxed)))
    page.add(
      "sluice_plugin_wrong_calls_total", isGauge: false,
      help:
        "Calls of plugins on a wrong thread or in a wrong state, which debug.thread_checks finds.",
      value: Int64(misuses.load(ordering: .relaxed)))
    page.add(
      "sluice_log_lines_lost_total", isGauge: false,
      help:
        "Lines of the gateway's own log that were dropped or refused, and access lines that the disk refused.",
      value: Int64(log.linesLost + (accessLog?.linesRefused ?? 0)))
    metrics.add(to: &page)
  }

  /// Names the calls that overstay their budget. [control-thread, every budget]
  func lookForOverstays() {
    for loop in loops {
      guard let (word, function) = loop.watch.overstayed(),
        let address = UnsafeRawPointer(bitPattern: word)
      else { continue }
      // Still there: only this thread destroys instances.
      let instance = Unmanaged<Instance>.fromOpaque(address).takeUnretainedValue()
      overstays.add(1, ordering: .relaxed)
      let plugin = instance.plugin.manifest.id
      log.write(
        .warning, "a plugin keeps its loop longer than its budget",
        fields: [
          "tenant": .string(instance.tenant), "plugin": .string(plugin),
          "function": .string(function),
          "loop": .integer(loop.gateway.index),
          "budget_ms": .integer(configuration.debug.callbackBudgetMilliseconds),
        ])
    }
  }
}
