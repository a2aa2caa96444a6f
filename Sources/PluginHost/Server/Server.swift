internal import EventLoop
internal import Gateway
internal import Glibc
internal import Store

/// A running gateway: data, plugins, tenants, loops. [control of the thread that made it]
public final class Server: Sendable {
  /// Where it listens, as URLs.
  public let addresses: [String]
  /// What of the configuration is hardly meant; see ``SluiceConfiguration/warnings(installed:)``.
  public let warnings: [ConfigProblem]
  private let host: Host
  private let gateway: Gateway::Gateway
  private let control: EventLoop
  private let lock: DataLock
  private let watchdog: Watchdog
  private let images: PluginImages
  private let certificates: CertificateKeeper
  private let operatorSocket: OperatorSocket

  /// Opens the data directory, loads the plugins, starts the loops and listens.
  ///
  /// - Parameter makesAllTenants: whether all tenants of the operator's files are made at once, and not the platform alone.
  /// - Throws: ``StartError`` with a text for the operator; what had been started is stopped again.
  public init(
    configuration: SluiceConfiguration, makesAllTenants: Bool = false
  ) throws(StartError) {
    let parts = try Self.prepare(configuration)
    lock = parts.lock
    images = parts.images
    host = parts.host
    control = parts.host.control
    certificates = parts.certificates
    do {
      gateway = try Gateway::Gateway(
        loops: host.loopCount, settings: GatewaySettings(configuration), accessLog: host.accessLog,
        host: host)
    } catch {
      // In order, so that the next start finds nothing to recover.
      host.store.close()
      throw StartError("the loops cannot be started: \(error)")
    }
    host.adopt(loops: gateway.loops)
    let announced = Answer<[String]>()
    let host = self.host
    Task {
      await host.tenants.sealSettings()
      await host.tenants.announcePlugins()
      for record in host.registry.all() { await host.tenants.announce(record) }
      announced.give(
        await host.tenants.make(
          makesAllTenants
            ? host.registry.all().filter(\.isStatic).map(\.id)
            : [StaticTenant.platformID]))
    }
    let refusals = announced.wait()
    guard refusals.isEmpty else {
      gateway.stop()
      host.store.close()
      throw StartError(refusals.joined(separator: "\n"))
    }
    host.resume(parts.recovered)
    watchdog = Watchdog(host)
    do throws(StartError) {
      operatorSocket = try OperatorSocket(
        folder: configuration.dataDirectory, desk: OperatorDesk(host), log: host.log)
    } catch {
      gateway.stop()
      throw error
    }
    var addresses: [String] = []
    for (port, secure) in zip(parts.ports, parts.secure) {
      do throws(ListenError) {
        try gateway.listen(on: port, secure: secure)
        addresses.append("\(secure == nil ? "http" : "https")://\(port.address)")
      } catch {
        operatorSocket.stop()
        gateway.stop()
        host.store.close()
        throw StartError("\(error)")
      }
    }
    self.addresses = addresses
    warnings = configuration.warnings(installed: host.manifests)
    certificates.watch(gateway, control)
    // What the operator's own lack is in the log already.
    try? certificates.serve(host.registry.hostCertificates(), allowsLapsed: true)
    // What reading manifests and configuration took is more than what they leave.
    EventLoop.returnFreedMemory()
    gateway.isReady()
  }

  private struct Parts {
    let lock: DataLock
    let images: PluginImages
    let host: Host
    /// Tenants whose files were not closed in order.
    let recovered: [String]
    let certificates: CertificateKeeper
    /// What each listener listens on, in the order of the configuration.
    let ports: [PortReservation]
    /// How each listener speaks TLS, in the same order.
    let secure: [SecureListening?]
  }

  /// Everything that comes before the loops.
  private static func prepare(_ configuration: SluiceConfiguration) throws(StartError) -> Parts {
    EventLoop.ignoreBrokenPipes()
    let catalog = PluginCatalog.load(folders: configuration.plugins.folders)
    guard catalog.problems.isEmpty else {
      throw StartError(catalog.problems.map(\.description).joined(separator: "\n"))
    }
    let mismatches = configuration.check(installed: catalog.plugins)
    guard mismatches.isEmpty else {
      throw StartError(mismatches.map(\.description).joined(separator: "\n"))
    }
    let lock = try DataLock(configuration.dataDirectory)
    // Before anything is opened: a port in use is the most frequent reason why a gateway does not start.
    let ports = try reservePorts(configuration)
    let images: PluginImages
    do {
      images = try PluginImages(in: configuration.dataDirectory)
    } catch {
      throw StartError("plugins cannot be copied to be loaded: \(error)")
    }
    var plugins: [LoadedPlugin] = []
    var failures: [String] = []
    for manifest in catalog.all {
      do throws(PluginLoadError) {
        plugins.append(try LoadedPlugin(manifest, images: images))
      } catch {
        failures.append(error.description)
      }
    }
    guard failures.isEmpty else { throw StartError(failures.joined(separator: "\n")) }
    let log: Log
    let accessLog: LogWriter?
    let control: EventLoop
    do {
      log = Log(writer: try LogWriter(path: "stderr"), level: configuration.log.level.own)
      accessLog = try configuration.log.access.path.map { path throws(LogUnavailable) in
        try LogWriter(path: path)
      }
      control = try EventLoop.spawn(index: 255, name: "control")
    } catch {
      throw StartError("\(error)")
    }
    let loops =
      configuration.loops > 0 ? configuration.loops : max(sysconf(Int32(_SC_NPROCESSORS_ONLN)), 1)
    let host = Host(
      configuration: configuration, loopCount: min(loops, 64), control: control, log: log,
      accessLog: accessLog)
    let certificates = try CertificateKeeper(
      dataDirectory: configuration.dataDirectory, log: log)
    var secure: [SecureListening?] = []
    for listener in configuration.listeners {
      guard let tls = listener.tls else {
        secure.append(nil)
        continue
      }
      secure.append(
        SecureListening(
          context: try certificates.open(listener, tls), transportSecurity: tls.transportSecurity))
    }
    let store: Store::Store
    do throws(StoreError) {
      store = try Store::Store(
        directory: configuration.dataDirectory,
        options: StoreOptions(onCommitted: { host.committed($0) }))
    } catch {
      throw StartError("\(error)")
    }
    // Asked before anything is opened: an open file has a log too.
    let unclosed = (try? store.tenantsNeedingRecovery()) ?? []
    TenantTransfer.prepare(configuration.dataDirectory)
    do throws(StartError) {
      let registry = try openRegistry(configuration, store, plugins)
      let usage = try UsageLedger(opening: store, configuration, installed: catalog.plugins)
      host.adopt(store: store, registry: registry, usage: usage, plugins: plugins)
      host.warnOfStrayApps()
      host.adopt(certificates: certificates)
      try checkStaticTenants(configuration, host, registry)
    } catch {
      // In order, so that the next start finds nothing to recover.
      store.close()
      throw error
    }
    let recovered = recover(unclosed, store, log)
    return Parts(
      lock: lock, images: images, host: host, recovered: recovered, certificates: certificates,
      ports: ports, secure: secure)
  }

  private static func reservePorts(
    _ configuration: SluiceConfiguration
  ) throws(StartError) -> [PortReservation] {
    do throws(ListenError) {
      return try configuration.listeners.map { listener throws(ListenError) in
        try Listener.reserve(EventLoop::ListenAddress(parsing: listener.description))
      }
    } catch {
      throw StartError("\(error)")
    }
  }

  private static func openRegistry(
    _ configuration: SluiceConfiguration, _ store: Store::Store, _ plugins: [LoadedPlugin]
  ) throws(StartError) -> TenantRegistry {
    do throws(TenantError) {
      let sealing = try SealingKey(
        file: configuration.keyFile, makesMissing: configuration.chosenKeyFile == nil)
      let answer = Answer<Result<TenantRegistry, TenantError>>()
      TenantRegistry.open(store: store, sealing: sealing) { answer.give($0) }
      let registry = try answer.wait().get()
      let setup = HostSetup(configuration: configuration, plugins: plugins)
      try registry.replaceStatic(
        with: setup.staticTenants, platformHosts: configuration.platformHosts)
      return registry
    } catch {
      throw StartError(error.message)
    }
  }

  /// Says at the start what is wrong with the sets of plugins in files, rather than at the first request.
  private static func checkStaticTenants(
    _ configuration: SluiceConfiguration, _ host: Host, _ registry: TenantRegistry
  ) throws(StartError) {
    for record in registry.all() where record.isStatic {
      let enabled = host.manifests.filter { record.plugins[$0.id]?.enabled == true }
      do throws(ConfigurationError) {
        _ = try TenantPlan.resolve(tenant: record.id, enabled: enabled, installed: host.manifests)
      } catch {
        throw StartError(error.description)
      }
    }
  }

  /// Opens and checks the files of tenants that were not closed in order, and names them.
  private static func recover(_ unclosed: [String], _ store: Store::Store, _ log: Log) -> [String] {
    var recovered: [String] = []
    for tenant in unclosed {
      // The registry has opened and checked it.
      guard tenant != Store::Store.controlTenant else {
        log.write(.info, "recovered control.sqlite")
        continue
      }
      let result = Answer<Result<OpenedTenant, StoreError>>()
      do throws(StoreError) {
        try store.open(tenant: tenant) { result.give($0) }
        _ = try result.wait().get()
        log.write(.info, "recovered a tenant's file", fields: ["tenant": .string(tenant)])
        recovered.append(tenant)
      } catch {
        log.write(
          .error, "a tenant's file cannot be recovered; other tenants are not affected",
          fields: ["tenant": .string(tenant), "reason": .string("\(error)")])
      }
    }
    return recovered
  }

  /// What came of a reload.
  public enum ReloadOutcome: Sendable {
    /// Nothing differs from what is in force.
    case unchanged
    /// What is in force now that was not before, a line each, and pointers of what takes a restart.
    case changed([String], waiting: [String])
    /// What is wrong, a line each; nothing has changed.
    case refused([String])
  }

  /// Puts a configuration in force as far as that goes without a restart, with the certificates and the plugins that their
  /// files hold now:
  /// new versions beside the old ones, which drain. All of it or nothing. [any-thread]
  ///
  /// - Parameters:
  ///   - configuration: what the operator wants now, or what is wrong with it.
  ///   - then: is told the outcome on a thread of the gateway's; the log has it already.
  public func reload(
    _ configuration: Result<SluiceConfiguration, ConfigurationError>,
    then: @escaping @Sendable (ReloadOutcome) -> Void
  ) {
    Task { [host, images, certificates] in
      let outcome: ReloadOutcome
      do throws(ReloadRefusal) {
        guard case .success(let configuration) = configuration else {
          throw ReloadRefusal(problems: configuration.problems)
        }
        let renewal = try certificates.prepare()
        var report = try await host.tenants.reload(configuration, images: images)
        report.changes += certificates.use(renewal)
        outcome =
          report.changes.isEmpty && report.waiting.isEmpty
          ? .unchanged : .changed(report.changes, waiting: report.waiting)
        host.log.write(
          .info, "reloaded",
          fields: [
            "changes": .array(report.changes.map { .string($0) }),
            "restart_for": .array(report.waiting.map { .string($0) }),
          ])
      } catch {
        outcome = .refused(error.problems)
        host.log.write(
          .error, "not reloaded; what served goes on serving",
          fields: ["problems": .array(error.problems.map { .string($0) })])
      }
      then(outcome)
    }
  }

  /// Stops accepting, ends what is in hand, then calls `then`.
  public func drain(then: @escaping @Sendable () -> Void) {
    host.log.write(.info, "draining")
    // Before the gateway waits for requests to end: those that have no end of their own are their plugins' to end.
    host.drain()
    gateway.drain(then: then)
  }

  /// Ends threads, closes the store and writes the logs out. [blocking]
  public func stop() {
    operatorSocket.stop()
    watchdog.stop()
    host.clearLoops()
    gateway.stop()
    host.stopWorkers()
    control.stop()
    control.join()
    host.store.close()
    host.accessLog?.close()
    host.log.close()
    lock.release()
  }
}

/// Why a gateway does not start: one problem a line.
public struct StartError: Error, CustomStringConvertible {
  public let description: String
  init(_ description: String) { self.description = description }
}

extension LogSettings.Level {
  fileprivate var own: Log.Level {
    switch self {
    case .trace: .trace
    case .debug: .debug
    case .info: .info
    case .warning: .warning
    case .error: .error
    }
  }
}

extension LogSettings.AccessLog {
  fileprivate var path: String? {
    switch self {
    case .off: nil
    case .stdout: "stdout"
    case .stderr: "stderr"
    case .file(let path): path
    }
  }
}

extension Result where Failure == ConfigurationError {
  /// What is wrong, a line each.
  fileprivate var problems: [String] {
    guard case .failure(let error) = self else { return [] }
    return error.problems.map(\.description)
  }
}
