import Client
import Wire

extension SluiceConfiguration {
  /// Reads `sluice.json` and the tenant files that it names.
  ///
  /// Relative paths are relative to the file they stand in. Control thread only.
  ///
  /// - Throws: everything that is wrong in all of these files.
  public static func read(file path: String) throws(ConfigurationError) -> SluiceConfiguration {
    let (configuration, problems) = try readAsFarAsPossible(file: path)
    guard problems.isEmpty, let configuration else { throw ConfigurationError(problems) }
    return configuration
  }

  /// Reads as ``read(file:)``, and gives what is right beside what is wrong: what is refused has its default, what is
  /// unknown is left out. Nil when the root is no object. For checks alone, never to be served.
  ///
  /// - Throws: when the file cannot be read, or is not JSON.
  public static func readAsFarAsPossible(
    file path: String
  ) throws(ConfigurationError) -> (configuration: SluiceConfiguration?, problems: [ConfigProblem]) {
    let problems = ConfigProblems(try ConfigReader.read(file: path))
    let folder = FilePath.folder(of: path)
    var configuration = ConfigNode(rootOf: problems).object { reader in
      read(&reader, in: folder)
    }
    problems.add(contentsOf: StaticTenant.conflicts(among: configuration?.tenants ?? []))
    configuration?.source = problems.source.text
    return (configuration, problems.inOrder)
  }

  private static func read(
    _ reader: inout ObjectReader, in folder: String
  ) -> SluiceConfiguration {
    let listeners = reader.optional("listeners").map { readListeners($0, in: folder) }
    let data = FilePath.resolve(reader.string("data", default: "./data"), in: folder)
    let keyFile = reader.optional("secrets")?.object { secrets in
      secrets.optional("key_file")?.string()
    }
    let loops = reader.integer("loops", in: 0...64, default: 0)
    let plugins = reader.optional("plugins")?.object { readPlugins(&$0, in: folder) }
    var configuration = SluiceConfiguration(
      listeners: listeners ?? [], dataDirectory: data, loops: loops,
      plugins: plugins ?? PluginSelection(folders: []),
      chosenKeyFile: (keyFile ?? nil).map { FilePath.resolve($0, in: folder) })
    if listeners == nil { reader.node.refuse("\"listeners\" is missing") }
    if let log = reader.optional("log")?.object({ readLog(&$0, in: folder) }) {
      configuration.log = log
    }
    configuration.metricsArePublic =
      reader.optional("metrics")?.object { $0.boolean("public", default: false) } ?? false
    if let proxies = reader.optional("trusted_proxies") {
      configuration.trustedProxies = TrustedProxies(readNetworks(proxies))
    }
    if let client = reader.optional("client")?.object({ readClient(&$0, in: folder) }) {
      configuration.client = client
    }
    if let limits = reader.optional("limits")?.object({ Limits(reading: &$0) }) {
      configuration.limits = limits
    }
    if let plans = reader.optional("plans") { configuration.plans = Plans(reading: plans) }
    if let compression = reader.optional("compression")?.object({ CompressionChoice(reading: &$0) })
    {
      configuration.compression = compression
    }
    configuration.drainTimeoutMilliseconds =
      reader.integer("drain_timeout_ms", in: 0...3_600_000, default: 30_000)
    if let debug = reader.optional("debug")?.object(readDebug) { configuration.debug = debug }
    let platformHosts = reader.optional("platform_hosts")
    configuration.platformHosts = Set(platformHosts?.distinct { $0.string(.host) } ?? [])
    let inline = reader.elements("tenants").compactMap { StaticTenant(reading: $0) }
    let files = reader.elements("tenant_files").flatMap { readTenantFiles($0, in: folder) }
    configuration.tenants = (inline + files).sorted { $0.id < $1.id }
    for tenant in configuration.tenants where tenant.kind == .app {
      for host in tenant.hosts where configuration.platformHosts.contains(host) {
        platformHosts?.refuse("host \"\(host)\" is also given to tenant \"\(tenant.id)\"")
      }
    }
    return configuration
  }

  private static func readListeners(_ node: ConfigNode, in folder: String) -> [ListenerSettings] {
    let elements = node.elements()
    if case .array(let list) = node.value, list.isEmpty {
      node.refuse("must name at least one address")
    }
    var seen: Set<ListenAddress> = []
    return elements.compactMap { element in
      element.object { reader -> ListenerSettings? in
        let tls = reader.optional("tls")?.object { ListenerTLS(reading: &$0, in: folder) }
        guard let node = reader.required("address") else { return nil }
        let text = node.string()
        guard !text.isEmpty else { return nil }
        do throws(ListenAddress.Malformed) {
          let address = try ListenAddress(text)
          if address.port != 0 && !seen.insert(address).inserted {
            node.refuse("\(address) stands here twice")
          }
          return ListenerSettings(address: address, tls: tls)
        } catch {
          node.refuse(error.description)
          return nil
        }
      } ?? nil
    }
  }

  /// Addresses and networks, so many at most that each hop of a request may be held against all of them.
  private static func readClient(
    _ reader: inout ObjectReader, in folder: String
  ) -> ClientSettings {
    var client = ClientSettings()
    if let networks = reader.optional("allow_networks") {
      client.allowedNetworks = readNetworks(networks)
    }
    if let file = reader.optional("ca_file") {
      let path = FilePath.resolve(file.string(), in: folder)
      do throws(FileSystem.Failure) {
        _ = try FileSystem.contents(of: path, limit: 16 << 20)
        client.certificateFile = path
      } catch {
        file.refuse(error.description)
      }
    }
    return client
  }

  private static func readNetworks(_ node: ConfigNode) -> [IPNetwork] {
    let networks = node.distinct { element -> IPNetwork? in
      let text = element.string()
      guard !text.isEmpty else { return nil }
      do throws(IPNetwork.Malformed) {
        return try IPNetwork(text)
      } catch {
        element.refuse(error.description)
        return nil
      }
    }
    if networks.count > mostNetworks {
      node.refuse("names \(networks.count) networks; there may be \(mostNetworks)")
    }
    return networks.compactMap(\.self)
  }

  private static let mostNetworks = 1_000

  private static func readPlugins(
    _ reader: inout ObjectReader, in folder: String
  ) -> PluginSelection {
    let folders = reader.optional("folders")?.distinct { $0.string() } ?? []
    var selection = PluginSelection(folders: folders.map { FilePath.resolve($0, in: folder) })
    selection.enabled = reader.optional("enabled")?.distinct { $0.string(.pluginID) }
    selection.tenantsGrant = reader.word("tenants_grant", default: .listed)
    for (id, node) in reader.optional("grants")?.entries() ?? [] {
      node.checkKey(id, .pluginID)
      selection.grants[id] = Set(node.distinct { $0.word(Capability.self) })
    }
    return selection
  }

  private static func readLog(_ reader: inout ObjectReader, in folder: String) -> LogSettings {
    var log = LogSettings()
    log.level = reader.word("level", default: log.level)
    log.format = reader.word("format", default: log.format)
    switch reader.string("access", default: "stdout") {
    case "stdout": log.access = .stdout
    case "stderr": log.access = .stderr
    case "off": log.access = .off
    case let path: log.access = .file(FilePath.resolve(path, in: folder))
    }
    return log
  }

  private static func readDebug(_ reader: inout ObjectReader) -> DebugSettings {
    var debug = DebugSettings()
    debug.threadChecks = reader.boolean("thread_checks", default: false)
    debug.callbackBudgetMilliseconds =
      reader.integer("callback_budget_ms", in: 1...60_000, default: 5)
    return debug
  }

  /// The tenants of the files that a pattern names; their problems are recorded beside the pattern's own.
  private static func readTenantFiles(_ node: ConfigNode, in folder: String) -> [StaticTenant] {
    let pattern = node.string()
    guard !pattern.isEmpty else { return [] }
    let paths: [String]
    do throws(FileSystem.Failure) {
      paths = try FileSystem.files(matching: FilePath.resolve(pattern, in: folder))
    } catch {
      node.refuse("\(pattern): \(error.description)")
      return []
    }
    return paths.compactMap { path in
      do throws(ConfigurationError) {
        return try StaticTenant.read(file: path)
      } catch {
        node.problems.add(contentsOf: error.problems)
        return nil
      }
    }
  }
}
