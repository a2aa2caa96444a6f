internal import CSluice
internal import Gateway
internal import Synchronization

/// One tenant's set of plugins with its settings, created and ready for its shards to be opened: a generation on all
/// loops together.
///
/// `@unchecked Sendable`: immutable but for the counts, which are atomic.
final class TenantRuntime: @unchecked Sendable {
  let tenant: String
  let plan: TenantPlan
  let routes: RouteTable
  /// In the plan's order.
  let instances: [Instance]
  private let openSets = Atomic<Int>(0)
  private let isAbandoned = Atomic<Bool>(false)
  private let isDestroyed = Atomic<Bool>(false)
  private let hasPumps = Atomic<Bool>(false)

  init(tenant: String, plan: TenantPlan, routes: RouteTable, instances: [Instance]) {
    self.tenant = tenant
    self.plan = plan
    self.routes = routes
    self.instances = instances
  }

  var pluginIDs: [String] { instances.map(\.plugin.manifest.id) }

  /// Opens the shards on a loop. [loop-thread]
  ///
  /// - Throws: what the first plugin that failed said; the others' shards are closed again.
  func open(on loop: LoopHost) throws(TenantFailure) -> Generation {
    let set = ShardSet(self, loop.host)
    let words = instances.map { UInt(bitPattern: Unmanaged.passUnretained($0).toOpaque()) }
    let generation = Generation(
      routes: routes, pluginIDs: pluginIDs, instances: words, context: set
    ) { _ in
      // Later, because whoever let go of it last may be a plugin's own call.
      loop.gateway.eventLoop.post { set.close() }
    }
    openSets.add(1, ordering: .acquiringAndReleasing)
    for (position, instance) in instances.enumerated() {
      do throws(TenantFailure) {
        let shard = try Shard(instance, on: loop, in: set, generation)
        set.add(shard)
        generation.opened(shard.value, at: position)
      } catch {
        set.close()
        throw error
      }
    }
    return generation
  }

  /// Whether the caller is the first to ask: events come to one loop only. [any-thread]
  func claimPumps() -> Bool { !hasPumps.exchange(true, ordering: .relaxed) }

  /// A loop has closed its shards. [any-thread]
  func setHasClosed(_ host: Host) {
    openSets.subtract(1, ordering: .acquiringAndReleasing)
    destroyIfUnused(host)
  }

  /// No loop will open it any more. [any-thread]
  func abandon(_ host: Host) {
    isAbandoned.store(true, ordering: .sequentiallyConsistent)
    destroyIfUnused(host)
  }

  /// Whether no loop has shards of it open any more. [any-thread]
  var isClosed: Bool { openSets.load(ordering: .sequentiallyConsistent) == 0 }

  private func destroyIfUnused(_ host: Host) {
    guard isAbandoned.load(ordering: .sequentiallyConsistent),
      openSets.load(ordering: .sequentiallyConsistent) == 0,
      !isDestroyed.exchange(true, ordering: .sequentiallyConsistent)
    else { return }
    host.control.post { [self] in
      for instance in instances.reversed() { instance.destroy() }
    }
  }
}

extension ShardSet {
  /// The shards are in service: events begin to come, unless they come to another loop. [loop-thread]
  func enterService() {
    let listeners = shards.filter {
      !$0.plugin.manifest.listens.isEmpty && $0.plugin.listener != nil
    }
    guard let first = listeners.first, runtime.claimPumps() else { return }
    first.loop.host.eventsGo(of: runtime.tenant, to: first.loop)
    for shard in listeners { shard.pump = EventPump(shard) }
  }

  /// Events of the tenant are on disk. [loop-thread]
  func wakePumps() { for shard in shards { shard.pump?.wake() } }

  /// Tells the plugins that no new work comes. [loop-thread]
  ///
  /// - Parameters:
  ///   - ending: why.
  ///   - gone: plugins that are switched off, so that what is theirs does not come back.
  func drain(_ ending: Ending = .renewed, without gone: [String] = []) {
    for shard in shards {
      shard.ending = gone.contains(shard.plugin.manifest.id) ? .gone : ending
      shard.life.store(.draining, ordering: .releasing)
      shard.pump?.drain()
      if let drain = shard.plugin.entry.pointee.drain {
        shard.call("drain") { drain(shard.value) }
      }
    }
  }

  /// Closes the shards, callers before those they call, as soon as no blocking job of theirs runs: those may take long, and a loop
  /// that waited would stand still for all tenants. [loop-thread]
  func close() {
    guard closing != .closed else { return }
    closing = .waiting
    let hasEnded = shards.reduce(true) { $1.endWork() && $0 }
    guard hasEnded else { return }
    closing = .closed
    for shard in shards.reversed() { shard.close() }
    removeAll()
    runtime.setHasClosed(host)
  }

  /// A blocking job of a shard's has ended. [loop-thread]
  func jobHasEnded() {
    guard closing == .waiting, let loop = shards.first?.loop else { return }
    // Later, so that its plugin hears of it before.
    loop.gateway.eventLoop.post { [self] in close() }
  }
}
