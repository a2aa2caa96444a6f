internal import CSluice

/// A table of the contract in memory that is never freed: plugins keep its address.
///
/// `@unchecked Sendable`: nothing changes it after it is made.
struct PermanentTable<Table>: @unchecked Sendable {
  let address: UnsafeRawPointer

  /// The table with its type.
  var pointer: UnsafePointer<Table> { address.assumingMemoryBound(to: Table.self) }

  init(_ table: Table) {
    let memory = UnsafeMutablePointer<Table>.allocate(capacity: 1)
    memory.initialize(to: table)
    address = UnsafeRawPointer(memory)
  }
}

extension Capability {
  /// The host's table for the extension; `isChecked` for the one whose functions look at their tags first.
  fileprivate func table(isChecked: Bool) -> UnsafeRawPointer {
    isChecked ? checkedTable : plainTable
  }

  private var plainTable: UnsafeRawPointer {
    switch self {
    case .http: HTTPBridge.table.address
    case .clientCertificate: ClientCertificateBridge.table.address
    case .phases: PhasesBridge.table.address
    case .websocket: WebSocketBridge.table.address
    case .identify: IdentifyBridge.table.address
    case .messages: MessagesBridge.table.address
    case .eventNames: EventNamesBridge.table.address
    case .eventTypes: EventTypesBridge.table.address
    case .groups: GroupsBridge.table.address
    case .store: StoreBridge.table.address
    case .bus: BusBridge.table.address
    case .history: HistoryBridge.table.address
    case .presence: PresenceBridge.table.address
    case .events: EventsBridge.table.address
    case .services: ServicesBridge.table.address
    case .worker: WorkerBridge.table.address
    case .client: ClientBridge.table.address
    case .loop: LoopBridge.table.address
    case .secrets: SecretsBridge.table.address
    case .files: FilesBridge.table.address
    case .tenants: TenantsBridge.table.address
    case .config: ConfigBridge.table.address
    case .timer: TimerBridge.table.address
    case .alarm: AlarmBridge.table.address
    case .random: RandomBridge.table.address
    case .clock: ClockBridge.table.address
    case .log: LogBridge.table.address
    case .metrics: MetricsBridge.table.address
    case .threadCheck: ThreadCheckBridge.table.address
    }
  }

  private var checkedTable: UnsafeRawPointer {
    switch self {
    case .http: HTTPBridge.checkedTable.address
    case .clientCertificate: ClientCertificateBridge.checkedTable.address
    case .phases: PhasesBridge.checkedTable.address
    case .websocket: WebSocketBridge.checkedTable.address
    case .identify: IdentifyBridge.checkedTable.address
    case .messages: MessagesBridge.checkedTable.address
    case .eventNames: EventNamesBridge.checkedTable.address
    case .eventTypes: EventTypesBridge.checkedTable.address
    case .groups: GroupsBridge.checkedTable.address
    case .store: StoreBridge.checkedTable.address
    case .bus: BusBridge.checkedTable.address
    case .history: HistoryBridge.checkedTable.address
    case .presence: PresenceBridge.checkedTable.address
    case .events: EventsBridge.checkedTable.address
    case .services: ServicesBridge.checkedTable.address
    case .worker: WorkerBridge.checkedTable.address
    case .client: ClientBridge.checkedTable.address
    case .loop: LoopBridge.checkedTable.address
    case .secrets: SecretsBridge.checkedTable.address
    case .files: FilesBridge.checkedTable.address
    case .tenants: TenantsBridge.checkedTable.address
    case .config: ConfigBridge.checkedTable.address
    case .timer: TimerBridge.checkedTable.address
    case .alarm: AlarmBridge.checkedTable.address
    case .random: RandomBridge.checkedTable.address
    case .clock: ClockBridge.checkedTable.address
    case .log: LogBridge.checkedTable.address
    case .metrics: MetricsBridge.checkedTable.address
    case .threadCheck: ThreadCheckBridge.checkedTable.address
    }
  }

  /// Whether functions of the extension may be called without a loop.
  fileprivate var suitsInstances: Bool {
    switch self {
    case .config, .random, .clock, .log, .metrics, .threadCheck, .secrets, .files, .history: true
    default: false
    }
  }
}

/// The gate (host.h): what the manifest does not ask for, or the operator does not grant, is NULL.
let shardExtension:
  @convention(c) (UnsafePointer<sluice_host_v1_t>, UnsafePointer<CChar>) -> UnsafeRawPointer? = {
    host, id in
    let instance = shard(host).instance
    if instance.isChecked, CallCheck.onLoop(host, "get_extension") != nil { return nil }
    return granted(instance, id)?.table(isChecked: instance.isChecked)
  }

/// The gate of an instance's table, which has no loop.
let instanceExtension:
  @convention(c) (UnsafePointer<sluice_host_v1_t>, UnsafePointer<CChar>) -> UnsafeRawPointer? = {
    host, id in
    let instance = instance(host)
    if instance.isChecked, CallCheck.onOwnThread(host, "get_extension") != nil { return nil }
    guard let capability = granted(instance, id), capability.suitsInstances else { return nil }
    return capability.table(isChecked: instance.isChecked)
  }

private func granted(_ instance: Instance, _ id: UnsafePointer<CChar>) -> Capability? {
  guard let capability = Capability(rawValue: String(cString: id)),
    instance.granted.contains(capability)
  else {
    return nil
  }
  if capability == .tenants && instance.tenant != StaticTenant.platformID { return nil }
  return capability
}
