internal import CSluice

/// A table of the contract in memory that is never freed: plugins keep its address.
///
/// `@unchecked Sendable`: nothing changes it after it is made.
struct PermanentTable<Table>: @unchecked Sendable {
  let address: UnsafeRawPointer

  init(_ table: Table) {
    let memory = UnsafeMutablePointer<Table>.allocate(capacity: 1)
    memory.initialize(to: table)
    address = UnsafeRawPointer(memory)
  }
}

extension Capability {
  /// The host's table for the extension.
  fileprivate var shardTable: UnsafeRawPointer {
    switch self {
    case .http: HTTPBridge.table.address
    case .websocket: WebSocketBridge.table.address
    case .groups: GroupsBridge.table.address
    case .store: StoreBridge.table.address
    case .bus: BusBridge.table.address
    case .events: EventsBridge.table.address
    case .services: ServicesBridge.table.address
    case .worker: WorkerBridge.table.address
    case .loop: LoopBridge.table.address
    case .secrets: SecretsBridge.table.address
    case .tenants: TenantsBridge.table.address
    case .config: ConfigBridge.table.address
    case .timer: TimerBridge.table.address
    case .random: RandomBridge.table.address
    case .clock: ClockBridge.table.address
    case .log: LogBridge.table.address
    case .metrics: MetricsBridge.table.address
    case .threadCheck: ThreadCheckBridge.table.address
    }
  }

  /// Whether all functions of the extension may be called without a loop.
  fileprivate var suitsInstances: Bool {
    switch self {
    case .config, .random, .clock, .log, .metrics, .threadCheck, .secrets: true
    default: false
    }
  }
}

/// The gate (host.h): what the manifest does not ask for, or the operator does not grant, is NULL.
let shardExtension:
  @convention(c) (UnsafePointer<sluice_host_v1_t>, UnsafePointer<CChar>) -> UnsafeRawPointer? = {
    host, id in
    granted(shard(host).instance, id)?.shardTable
  }

/// The gate of an instance's table, which has no loop.
let instanceExtension:
  @convention(c) (UnsafePointer<sluice_host_v1_t>, UnsafePointer<CChar>) -> UnsafeRawPointer? = {
    host, id in
    guard let capability = granted(instance(host), id), capability.suitsInstances else {
      return nil
    }
    return capability.shardTable
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
