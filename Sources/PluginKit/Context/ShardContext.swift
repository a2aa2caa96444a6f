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
  /// The first of the calls to the host that are not completed, so that closing can end them.
  unowned(unsafe) var pendingCall: PendingCall?
  var timerBoxes: [UInt64: TimerBox] = [:]
  /// Tasks of pending requests, by the request's token.
  var requestTasks: [UInt64: LoopTask] = [:]
  /// Answers that are sent as things happen, by the request's token.
  var pushStreams: [UInt64: PushStream] = [:]
  /// All other tasks, by numbers of their own.
  var tasks: [UInt64: LoopTask] = [:]
  var lastTask: UInt64 = 0
  /// Whether the handler of alarms is at work, and the newest wake-up that came meanwhile.
  var isBeingWoken = false
  var nextWake: UInt64?

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

  /// The tenant's settings; they do not change while the shard lives.
  public var config: Config { Config(link: link) }
  /// The host's time. Needs `sluice.clock/1`.
  public var clock: Clock { Clock(link: link) }
  /// Random bytes of the host. Needs `sluice.random/1`.
  public var random: Random { Random(link: link) }
  /// Ids with a prefix that sort by time. Needs `sluice.clock/1` and `sluice.random/1`.
  public var id: ID { ID(link: link) }
  /// The gateway's log, with tenant and plugin added. Needs `sluice.log/1`; without it nothing is written.
  public var log: Log { Log(link: link) }
  /// Counters and gauges on `/metrics`. Needs `sluice.metrics/1`.
  public var metrics: Metrics { Metrics(link: link) }
  /// The tenant's tables of this plugin. Needs `sluice.store/1`. Loop thread only.
  public var store: Store { Store(context: self) }
  /// Channels: subscribing, publishing, history. Needs `sluice.bus/1`. Loop thread only.
  public var bus: Bus { Bus(context: self) }
  /// The histories of channels, in both directions. Needs `sluice.history/1`. Loop thread only.
  public var history: Histories { Histories(context: self) }
  /// Who is in a channel. Needs `sluice.presence/1`. Loop thread only.
  public var presence: Presence { Presence(context: self) }
  /// Fan-out to many connections at once. Needs `sluice.groups/1`. Loop thread only.
  public var groups: Groups { Groups(context: self) }
  /// Other plugins of the tenant. Needs `sluice.services/1`. Loop thread only.
  public var services: Services { Services(context: self) }
  /// Threads for work that blocks or takes long. Needs `sluice.worker/1`. Loop thread only.
  public var worker: Worker { Worker(context: self) }
  /// Requests to others' servers. Needs `sluice.client/1`. Loop thread only.
  public var client: Client { Client(context: self) }
  /// Timers of this shard, which end with it. Needs `sluice.timer/1`. Loop thread only.
  public var timers: Timers { Timers(context: self) }
  /// The plugin's alarm for the tenant, which is durable. Needs `sluice.alarm/1`. Loop thread only.
  public var alarm: Alarm { Alarm(context: self) }
  /// The tenant's sealed secrets. Needs `sluice.secrets/1`. Loop thread only.
  public var secrets: Secrets { Secrets(context: self) }
  /// All tenants: for plugins that run on the platform and are granted `sluice.tenants/1`. Loop thread only.
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
