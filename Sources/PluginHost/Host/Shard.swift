internal import Bus
internal import CSluice
internal import Client
internal import EventLoop
internal import Gateway
internal import Synchronization

/// Why a shard is drained: `SLUICE_ENDING_…`.
enum Ending: UInt32, Sendable {
  case not, renewed, gone
}

/// One plugin's shard of one instance on one loop: what the `context` of its host table leads to.
///
/// `@unchecked Sendable`: confined to its loop; other threads only carry the reference, and post.
final class Shard: @unchecked Sendable {
  let instance: Instance
  let loop: LoopHost
  let gateway: GatewayLoop
  /// The plugin's own word for the shard.
  private(set) var value: UInt64 = 0
  /// The shards beside it.
  private(set) var set: ShardSet?
  /// The generation as the gateway knows it.
  private(set) var generation: Generation? {
    didSet { borrowedGeneration = generation.map { .passUnretained($0) } }
  }
  /// The same, for paths that count no references.
  private(set) var borrowedGeneration: Unmanaged<Generation>?
  private(set) var isOpen = false
  /// Its timers and promises have been ended, or are being so.
  private var isEnding = false
  /// Where it is in its life; written by the loop, for ``CallCheck`` on any thread.
  let life = Atomic<LifeState>(.active)
  private var completions: [UInt64: Completion] = [:]
  private var nextCompletion: UInt64 = 1
  var timers: [UInt64: Timer] = [:]
  var subscriptions: Swift.Set<UInt64> = []
  var groups: Swift.Set<UInt64> = []
  /// Functions posted to the loop that have not run.
  let posted = Gauge()
  /// Blocking jobs by their promise.
  var work: [UInt64: WorkTicket] = [:]
  /// It closes as soon as none of them runs.
  private(set) var takesNoWork = false
  /// Wake-ups in the plugin's hands.
  var wakes: [UInt64: ShardWake] = [:]
  /// Requests to others by their promise.
  var exchanges: [UInt64: Transfer] = [:]
  /// The lease on its members of channels, once it has had one.
  private(set) var presence: UInt64?
  /// Events in the plugin's hands, by delivery, with their places in the tenant's events.
  var deliveries: [UInt64: Int64] = [:]
  /// What brings events, if the plugin listens on this loop.
  var pump: EventPump?
  /// Whose tables it may touch, as ``PluginManifest/tablePrefix``: looking into the manifest copies it.
  let tablePrefix: String
  private let names: HostTableNames
  private let table: UnsafeMutablePointer<sluice_host_v1_t>

  var plugin: LoadedPlugin { instance.plugin }
  /// What the gateway calls the instance.
  var instanceWord: UInt { UInt(bitPattern: Unmanaged.passUnretained(instance).toOpaque()) }
  var tenant: String { instance.tenant }
  let eventLoop: EventLoop
  /// Why the shard is drained. [loop-thread]
  var ending = Ending.not
  private let mark: UnsafeMutablePointer<CallMark>
  /// The shard's own host table, for calls of the host's own.
  var hostTable: UnsafePointer<sluice_host_v1_t> { UnsafePointer(table) }

  /// Opens the shard. [loop-thread]
  init(_ instance: Instance, on loop: LoopHost, in set: ShardSet, _ generation: Generation)
    throws(TenantFailure)
  {
    self.instance = instance
    self.set = set
    self.generation = generation
    borrowedGeneration = .passUnretained(generation)
    self.loop = loop
    gateway = loop.gateway
    eventLoop = loop.gateway.eventLoop
    mark = loop.gateway.mark
    tablePrefix = instance.plugin.manifest.tablePrefix
    names = HostTableNames(plugin: instance.plugin.manifest.id, tenant: instance.tenant)
    table = .allocate(capacity: 1)
    table.initialize(
      to: names.table(context: 0, loop: UInt32(loop.gateway.index), loops: instance.host.loopCount))
    table.pointee.context = UInt64(UInt(bitPattern: Unmanaged.passUnretained(self).toOpaque()))
    isOpen = true
    let status = instance.plugin.entry.pointee.open(instance.value, table, &value)
    guard status == SLUICE_OK else {
      endEverything()
      isOpen = false
      retire()
      throw TenantFailure(
        code: .plugin,
        message: "plugin \"\(instance.plugin.manifest.id)\" cannot open its shard: status \(status)"
      )
    }
  }

  /// Takes no more blocking jobs, and calls off those that have not started; false while one runs. [loop-thread]
  func endWork() -> Bool {
    takesNoWork = true
    return work.values.reduce(true) { $1.callOff() && $0 }
  }

  /// Closes the shard; nothing of it is in use any more, and no blocking job of it runs. [loop-thread]
  func close() {
    guard isOpen else { return }
    life.store(.draining, ordering: .releasing)
    isEnding = true
    endEverything()
    call("close") { plugin.entry.pointee.close(value) }
    isOpen = false
    generation = nil
    set = nil
    retire()
  }

  /// Ends the host table. Where calls are checked it stays, so that one which comes too late is seen for what it is.
  private func retire() {
    life.store(.retired, ordering: .releasing)
    if instance.isChecked {
      _ = Unmanaged.passRetained(self)
    } else {
      table.deallocate()
    }
  }

  private func endEverything() {
    for timer in timers.values { timer.close() }
    timers = [:]
    pump?.stop()
    pump = nil
    deliveries = [:]
    for ticket in work.values { ticket.cancelOrWait() }
    work = [:]
    cancelExchanges()
    cutWakes()
    for token in subscriptions { loop.unsubscribe(token) }
    subscriptions = []
    if let presence { loop.end(presence) }
    presence = nil
    let cancelled = completions.sorted { $0.key < $1.key }.map(\.value)
    completions = [:]
    for completion in cancelled {
      call("completion") { completion.function(completion.context, SLUICE_E_CANCELLED, .absent) }
    }
    if let generation {
      for group in groups { _ = loop.gateway.destroyGroup(group, of: generation) }
    }
    groups = []
  }

  /// Calls the plugin, with the watchdog looking on.
  @inline(__always)
  func call<T>(_ function: StaticString, _ body: () -> T) -> T {
    mark.pointee.enter(instanceWord, function)
    defer { mark.pointee.leave() }
    return body()
  }

  // MARK: - presence

  /// The shard's lease on members of channels; nil when it is ending. [loop-thread]
  func presenceOwner(at now: Int64) -> UInt64? {
    if let presence { return presence }
    guard !isEnding else { return nil }
    presence = loop.beginLease(tenant: tenant, at: now)
    return presence
  }

  // MARK: - timers

  /// Starts a timer of the plugin's; the token names it.
  func startTimer(
    _ delay: UInt64, _ period: UInt64, _ function: @escaping sluice_completion_fn, _ context: UInt64
  ) -> UInt64 {
    // Started while the shard ends, it would outlive it.
    guard !isEnding else { return 0 }
    let token = nextNumber()
    let timer = eventLoop.timer { [unowned self] in
      if period == 0 { timers.removeValue(forKey: token)?.close() }
      call("timer") { function(context, SLUICE_OK, .absent) }
    }
    timers[token] = timer
    timer.start(after: delay, repeating: period)
    return token
  }

  // MARK: - completions

  /// A number that no other timer, promise or wake-up of the shard has.
  func nextNumber() -> UInt64 {
    defer { nextCompletion += 1 }
    return nextCompletion
  }

  /// Remembers how an asynchronous call ends; the number stands for it.
  func promise(_ function: @escaping sluice_completion_fn, _ context: UInt64) -> UInt64 {
    let number = nextNumber()
    completions[number] = Completion(function, context)
    return number
  }

  /// Takes back a promise of a call that was refused at once.
  func withdraw(_ number: UInt64) { completions[number] = nil }

  /// Ends an asynchronous call. [loop-thread, not from inside the plugin]
  func keep(_ number: UInt64, _ status: Int32, _ result: [UInt8]) {
    // What was promised while the shard ended is heard by nobody.
    guard let completion = completions.removeValue(forKey: number), isOpen else { return }
    result.withUnsafeBytes { bytes in
      let slice = sluice_slice_t(bytes)
      call("completion") { completion.function(completion.context, status, slice) }
    }
  }

  /// Ends an asynchronous call with no result.
  func keep(_ number: UInt64, _ status: Int32) {
    if work.removeValue(forKey: number) != nil { set?.jobHasEnded() }
    guard let completion = completions.removeValue(forKey: number), isOpen else { return }
    call("completion") { completion.function(completion.context, status, .absent) }
  }

  /// Ends an asynchronous call from any thread, or from inside the plugin.
  func keepLater(_ number: UInt64, _ status: Int32, _ result: [UInt8]?) {
    let kept = Unmanaged.passRetained(KeptPromise(self, number, status, result))
    if !eventLoop.post(keepPromise, UInt64(address: kept.toOpaque()), 0) { kept.release() }
  }
}

/// The end of an asynchronous call on its way to the loop.
private final class KeptPromise: Sendable {
  let shard: Shard
  let number: UInt64
  let status: Int32
  let result: [UInt8]?

  init(_ shard: Shard, _ number: UInt64, _ status: Int32, _ result: [UInt8]?) {
    self.shard = shard
    self.number = number
    self.status = status
    self.result = result
  }
}

private func keepPromise(_ kept: UInt64, _: UInt64) {
  let kept = Unmanaged<KeptPromise>.fromOpaque(UnsafeMutableRawPointer(address: kept))
    .takeRetainedValue()
  if let result = kept.result {
    kept.shard.keep(kept.number, kept.status, result)
  } else {
    kept.shard.keep(kept.number, kept.status)
  }
}

/// The shards of one generation on one loop, found by plugin.
///
/// `@unchecked Sendable`: the shards are added while the generation is opened, and looked at, on the loop's thread only.
final class ShardSet: @unchecked Sendable {
  enum Closing { case not, waiting, closed }

  let runtime: TenantRuntime
  let host: Host
  /// Where it is on its way out; see ``close()``.
  var closing = Closing.not
  /// In the plan's order.
  private(set) var shards: [Shard] = []
  private var byID: [String: Shard] = [:]
  /// Where the messages go that the manifests declare, by type; made when the first is dispatched.
  private(set) lazy var messages = messageRoutes()
  /// What the manifests call their events on sockets; made when the first is asked for.
  private(set) lazy var socketNames = SocketNames(of: shards.map(\.plugin.manifest))
  /// What the manifests say of their events; made when it is first asked for.
  private(set) lazy var eventTypes = EventTypes(of: shards.map(\.plugin.manifest))

  init(_ runtime: TenantRuntime, _ host: Host) {
    self.runtime = runtime
    self.host = host
  }

  func add(_ shard: Shard) {
    shards.append(shard)
    byID[shard.plugin.manifest.id] = shard
  }

  /// Lets go of the shards, which let go of the set.
  func removeAll() {
    shards = []
    byID = [:]
    messages = [:]
  }

  subscript(plugin: String) -> Shard? { byID[plugin] }
}

/// The shard whose host table this is.
@inline(__always)
func shard(_ host: UnsafePointer<sluice_host_v1_t>) -> Shard {
  Unmanaged<Shard>.fromOpaque(
    UnsafeRawPointer(bitPattern: UInt(host.pointee.context)).unsafelyUnwrapped
  )
  .takeUnretainedValue()
}

/// As ``shard(_:)``, for paths where even a reference count is too much.
@inline(__always)
func unretained(_ host: UnsafePointer<sluice_host_v1_t>) -> Unmanaged<Shard> {
  Unmanaged.fromOpaque(UnsafeRawPointer(bitPattern: UInt(host.pointee.context)).unsafelyUnwrapped)
}

/// The instance whose host table this is: for functions that instances and shards both have.
func instance(_ host: UnsafePointer<sluice_host_v1_t>) -> Instance {
  if host.pointee.loop_index != SLUICE_NO_LOOP { return shard(host).instance }
  return Unmanaged<Instance>.fromOpaque(
    UnsafeRawPointer(bitPattern: UInt(host.pointee.context)).unsafelyUnwrapped
  )
  .takeUnretainedValue()
}
