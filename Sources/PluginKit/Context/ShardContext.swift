internal import CSluice

/// What a shard sees of the gateway. Loop thread only, while the shard is open; after that every call
/// throws or does nothing.
///
/// A shard keeps it and reaches everything through it: `try await context.store.read(…)`. An extension
/// that is not granted throws `ExtensionUnavailable` when it is first used.
public final class ShardContext {
  let link: HostLink
  let handlers: HandlerTable
  let executor: LoopExecutor
  /// Keeps the shard; nil once it is closed, which breaks the cycle that its stored context makes.
  private var shardOwner: AnyObject?
  /// The shard itself, for calling it without touching its reference count.
  private(set) var shardReference: Unmanaged<AnyObject>?
  var shard: AnyObject? { shardOwner }
  private(set) var http: HostFunctions<sluice_http_v1_t>?
  private(set) var phases: HostFunctions<sluice_phases_v1_t>?
  private(set) var websocket: HostFunctions<sluice_websocket_v1_t>?
  /// Calls to the host that are not completed, so that closing can end them.
  var pendingCalls: Set<PendingCall> = []
  var timerBoxes: [UInt64: TimerBox] = [:]
  /// Tasks of pending requests, by the request's token.
  var requestTasks: [UInt64: LoopTask] = [:]
  /// All other tasks, by numbers of their own.
  var tasks: [UInt64: LoopTask] = [:]
  var lastTask: UInt64 = 0

  init(_ link: HostLink, handlers: HandlerTable) {
    self.link = link
    self.handlers = handlers
    executor = LoopExecutor(link)
    http = link.find("sluice.http/1", sluice_http_v1_t.self)
    phases = link.find("sluice.phases/1", sluice_phases_v1_t.self)
    websocket = link.find("sluice.websocket/1", sluice_websocket_v1_t.self)
    loopIndex = Int(link.table?.pointee.loop_index ?? 0)
    loopCount = Int(link.table?.pointee.loop_count ?? 1)
  }

  /// The loop that the shard lives on, from 0.
  public let loopIndex: Int
  /// How many loops, so how many shards of the instance, there can be.
  public let loopCount: Int
  /// The tenant that the shard serves: an app's id, or "platform".
  public var tenant: String { link.tenant }
  /// The plugin's id.
  public var plugin: String { link.plugin }
  /// Whether this is the thread of the shard's loop, for assertions. Any thread.
  public var isOnLoop: Bool { executor.isOnLoop }
  /// Whether the host is still there.
  public var isOpen: Bool { link.table != nil }

  public var config: Config { Config(link: link) }
  public var clock: Clock { Clock(link: link) }
  public var random: Random { Random(link: link) }
  public var id: ID { ID(link: link) }
  public var log: Log { Log(link: link) }
  public var metrics: Metrics { Metrics(link: link) }
  public var store: Store { Store(context: self) }
  public var bus: Bus { Bus(context: self) }
  public var groups: Groups { Groups(context: self) }
  public var services: Services { Services(context: self) }
  public var worker: Worker { Worker(context: self) }
  public var timers: Timers { Timers(context: self) }
  public var secrets: Secrets { Secrets(context: self) }
  public var tenants: Tenants { Tenants(context: self) }

  func adopt(_ shard: AnyObject?) {
    shardOwner = shard
    shardReference = shard.map { .passUnretained($0) }
  }

  func sever() {
    http = nil
    phases = nil
    websocket = nil
    link.sever()
  }
}

/// An extension's table and the host to call it with.
typealias HostFunctions<Table> = (
  UnsafePointer<Table>, UnsafePointer<sluice_host_v1_t>
)

extension ShardContext {
  func groupsTable() throws -> HostFunctions<sluice_groups_v1_t> {
    try link.require("sluice.groups/1", sluice_groups_v1_t.self)
  }

  func busTable() throws -> HostFunctions<sluice_bus_v1_t> {
    try link.require("sluice.bus/1", sluice_bus_v1_t.self)
  }

  func servicesTable() throws -> HostFunctions<sluice_services_v1_t> {
    try link.require("sluice.services/1", sluice_services_v1_t.self)
  }

  /// Throws what a negative status means.
  func check(_ status: sluice_status_t, _ operation: StaticString) throws {
    guard status < 0 else { return }
    throw HostError(Status(rawValue: status), "\(operation)")
  }
}
