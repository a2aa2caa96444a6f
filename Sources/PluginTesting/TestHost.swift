internal import CSluice
@_spi(PluginTesting) public import PluginKit
internal import Synchronization

/// A gateway in memory for a plugin's own tests: one tenant, one loop on a thread of its own, a real
/// SQLite file that is thrown away, a clock that only the test moves, and randomness that repeats.
///
/// The plugin is called through its C table, as the gateway calls it, and every call it makes is
/// checked for its thread. End with `close()`, which throws if a rule of the contract was broken.
///
/// It does not do what the gateway does before it calls a plugin: there is no validation against
/// schemas, no authentication, no limits, and no defaults are filled into `config`.
public final class TestHost: Sendable {
  let world: TestWorld
  private let table: @Sendable () -> UnsafePointer<sluice_plugin_v1_t>
  let choosing: @Sendable (() throws -> Void) throws -> Void
  private let isClosed = Mutex(false)

  /// Loads the plugin, runs its migrations, makes its instance and opens its shard.
  ///
  /// - Parameters:
  ///   - manifest: the path of `plugin.json`.
  ///   - config: the tenant's settings.
  ///   - prepare: what the plugin finds when it is made: secrets, providers of services.
  /// - Throws: `ConfigurationError` when the plugin refuses `config`; `TestFailure`.
  public convenience init<P: Plugin>(
    _ plugin: P.Type, manifest path: String, config: RawJSON = "{}", tenant: String = "app",
    prepare: (TestHost) async throws -> Void = { _ in }
  ) async throws {
    try await self.init(
      plugin, try TestManifest(file: path), config: config, tenant: tenant, prepare: prepare)
  }

  /// As the other, with a manifest made by hand.
  public init<P: Plugin>(
    _ plugin: P.Type, _ manifest: TestManifest, config: RawJSON = "{}", tenant: String = "app",
    prepare: (TestHost) async throws -> Void = { _ in }
  ) async throws {
    world = try TestWorld(manifest: manifest, tenant: tenant, config: config.bytes)
    table = { PluginEntry<P>.table(id: "test", version: "0.0.0") }
    choosing = { body in
      _ = PluginEntry<P>.table(id: "test", version: "0.0.0")
      try PluginImage.choosing(P.self, body)
    }
    do {
      try await world.store.migrate(manifest.migrations.map { ($0.name, $0.sql) })
      try await prepare(self)
      try await create()
      try await openShard()
    } catch {
      tearDown()
      throw error
    }
  }

  private func create() async throws {
    let (world, table, choosing) = (world, table, choosing)
    try await world.control.run {
      try choosing {
        let plugin = table().pointee
        world.handlers = TestHandlers(plugin)
        let status = plugin.create(world.instanceTable, &world.instance)
        if status == SLUICE_E_CONFIG, let refusal = world.refusal.take() { throw refusal }
        guard status == SLUICE_OK else {
          throw TestFailure("create returned \(status): \(world.shared.lastError)")
        }
      }
    }
  }

  private func openShard() async throws {
    let (world, table) = (world, table)
    try await world.loop.run {
      let status = table().pointee.open(world.instance, world.shardTable, &world.shard)
      guard status == SLUICE_OK else {
        throw TestFailure("open returned \(status): \(world.shared.lastError)")
      }
    }
  }

  /// Tells the plugin that nothing new comes; what is open stays so.
  ///
  /// - Parameter forGood: whether the plugin is switched off, so that clients are not to come back.
  public func drain(forGood: Bool = false) async throws {
    let (world, table) = (world, table)
    try await world.loop.run {
      world.ending = forGood ? SLUICE_ENDING_GONE : SLUICE_ENDING_RENEWED
      table().pointee.drain?(world.shard)
    }
  }

  /// Drains and closes the shard, destroys the instance and removes the files.
  ///
  /// - Throws: `TestFailure` when the plugin has broken a rule of the contract.
  public func close() async throws {
    let isFirst = isClosed.withLock { isClosed in
      defer { isClosed = true }
      return !isClosed
    }
    guard isFirst else { return }
    let (world, table) = (world, table)
    try await world.loop.run {
      table().pointee.drain?(world.shard)
      for (token, exchange) in world.exchanges {
        world.cancel(token, exchange)
      }
      for connection in world.connections.keys {
        world.end(connection, CloseReason(code: 1006, text: ""))
      }
    }
    try await settle()
    try await world.loop.run {
      world.timers = [:]
      table().pointee.close(world.shard)
    }
    try await world.control.run { table().pointee.destroy(world.instance) }
    tearDown()
    let violations = world.shared.violations
    if !violations.isEmpty { throw TestFailure(violations.joined(separator: "; ")) }
  }

  private func tearDown() {
    world.store.close()
    world.workers.stop()
    world.control.stop()
    world.loop.stop()
  }

  /// Returns when everything that the plugin has begun with the host has ended.
  public func settle() async throws {
    let world = world
    await withCheckedContinuation { continuation in
      world.loop.post { world.whenIdle { continuation.resume() } }
    }
  }

  /// Has a statement committed right before the plugin's next batch: what another loop may do between a plugin's look at its
  /// tables and its write. A statement that is refused ends the test's process.
  ///
  /// - Parameter batches: how many of the plugin's batches come before.
  public func interpose(_ sql: String, after batches: Int = 0) {
    world.store.interposed.withLock { $0.append((batches, sql)) }
  }

  /// Does `body` on the loop's thread.
  func onLoop<Value: Sendable>(
    _ body: @escaping @Sendable (TestWorld) throws -> Value
  ) async throws -> Value {
    let world = world
    return try await world.loop.run { try body(world) }
  }

  /// What the plugin has logged.
  public var log: [TestLogLine] { world.shared.lines }

  /// The value of a metric, by the name that the plugin gave; nil when it has not declared it.
  public func metric(_ name: String) -> Int64? { world.shared.metric(name) }

  /// Rules of the contract that the plugin has broken so far.
  public var violations: [String] { world.shared.violations }
}

extension TestHandlers {
  init(_ plugin: sluice_plugin_v1_t) {
    func find<Table>(_ id: String, _ type: Table.Type) -> UnsafePointer<Table>? {
      plugin.get_extension(id).map { $0.assumingMemoryBound(to: type) }
    }
    http = find(SLUICE_EXT_HTTP_HANDLER, sluice_http_handler_v1_t.self)
    requestCredential = find(
      SLUICE_EXT_REQUEST_CREDENTIAL, sluice_request_credential_v1_t.self)
    phases = find(SLUICE_EXT_PHASE_HANDLER, sluice_phase_handler_v1_t.self)
    websocket = find(SLUICE_EXT_WEBSOCKET_HANDLER, sluice_websocket_handler_v1_t.self)
    credential = find(
      SLUICE_EXT_WEBSOCKET_CREDENTIAL, sluice_websocket_credential_v1_t.self)
    messages = find(SLUICE_EXT_MESSAGE_HANDLER, sluice_message_handler_v1_t.self)
    subscriber = find(SLUICE_EXT_BUS_SUBSCRIBER, sluice_bus_subscriber_v1_t.self)
    listener = find(SLUICE_EXT_EVENT_LISTENER, sluice_event_listener_v1_t.self)
    provider = find(SLUICE_EXT_SERVICE_PROVIDER, sluice_service_provider_v1_t.self)
    alarm = find(SLUICE_EXT_ALARM_HANDLER, sluice_alarm_handler_v1_t.self)
  }
}

/// Why the plugin refuses its configuration, as it said through `sluice.config/1`.
final class TestRefusal: Sendable {
  private let error = Mutex<ConfigurationError?>(nil)

  func set(_ pointer: String, _ message: String) {
    error.withLock { $0 = ConfigurationError(pointer: pointer, message: message) }
  }

  func take() -> ConfigurationError? {
    error.withLock { error in
      defer { error = nil }
      return error
    }
  }
}
