public import EventLoop
internal import Wire

/// One loop of the gateway, as its owner sees it: a handle that may be copied and carried anywhere.
///
/// Everything is [loop-thread] unless said otherwise; from elsewhere go through ``eventLoop``'s `post`.
///
/// `@unchecked Sendable`: the state behind the pointer belongs to the loop's thread and lives until the process ends.
public struct GatewayLoop: @unchecked Sendable {
  let state: LoopPointer

  init(state: LoopPointer) { self.state = state }

  /// The libuv loop beneath. [any-thread]
  public var eventLoop: EventLoop { state.facts.pointee.eventLoop }

  /// The loop's position, from 0. [any-thread]
  public var index: Int { state.facts.pointee.index }

  /// An address that names the loop for as long as the process lives. [any-thread]
  public var address: UInt64 { UInt64(address: state) }

  /// The loop of an ``address``.
  public init(address: UInt64) {
    state = UnsafeMutableRawPointer(address: address).assumingMemoryBound(to: LoopState.self)
  }

  /// What the loop is doing inside plugins. [any-thread]
  public var mark: UnsafeMutablePointer<CallMark> { state.facts.pointee.mark }

  /// The loop's counters.
  public var metrics: LoopMetrics { state.pointee.metrics }

  /// Puts other settings in force, all but those that the loop was started with: see ``GatewaySettings/adopting(_:)``.
  public func apply(_ settings: GatewaySettings) {
    if settings.userRequestsPerSecond != state.pointee.settings.userRequestsPerSecond {
      // Its entries hold limiters of the rate before.
      state.pointee.identities = IdentityCache()
    }
    state.pointee.settings = state.pointee.settings.adopting(settings)
  }

  // MARK: - tenants

  /// What all installed plugins would serve, so that a request which finds no route is told why.
  public func set(installed routes: InstalledRoutes) { state.pointee.installed = routes }

  /// Makes a tenant known, or what is known of it what it is now; its shards are opened at first use.
  public func add(
    tenant id: String, limiter: RateLimiter, usage: TenantUsage = TenantUsage(), hosts: [String],
    origins: OriginPolicy = OriginPolicy([])
  ) {
    let tenant: Tenant
    if let known = state.pointee.directory.tenant(id) {
      // Requests may be waiting for it.
      tenant = known
      tenant.set(limiter)
    } else {
      tenant = Tenant(id: id, limiter: limiter, usage: usage)
      state.pointee.directory.add(tenant)
    }
    tenant.origins = origins
    state.pointee.directory.setHosts(hosts, of: tenant)
    state.pointee.lastHost = HostMemory()
  }

  /// Forgets a tenant: its requests are refused from now on, its sockets closed.
  public func remove(tenant id: String) {
    guard let tenant = state.pointee.directory.remove(id) else { return }
    tenant.revocations += 1
    state.pointee.lastHost = HostMemory()
    if case .open(let generation) = tenant.state {
      state.retire(generation, resumable: false)
      // Tenant and generation keep each other while it is in service.
      tenant.state = .failed("it has been removed")
    }
    for older in tenant.drainingGenerations {
      state.closeSockets(of: older, code: HostCloseCode.disabled)
    }
    refuseWaiting(tenant, reason: "it has been removed")
  }

  /// Takes a tenant out of service, to be opened anew: its sockets are told to come back, and who comes for it waits until
  /// the host has opened it. It stays known, with all that leads to it.
  public func suspend(tenant id: String) {
    guard let tenant = state.pointee.directory.tenant(id) else { return }
    tenant.revocations += 1
    if case .open(let generation) = tenant.state {
      state.closeSockets(of: generation, code: HostCloseCode.shutdown)
      state.retire(generation, resumable: false)
      tenant.state = .closed
    }
    for older in tenant.drainingGenerations {
      state.closeSockets(of: older, code: HostCloseCode.shutdown)
    }
  }

  /// Bounds a tenant's requests from now on.
  public func set(limiter: RateLimiter, of id: String) {
    state.pointee.directory.tenant(id)?.set(limiter)
  }

  /// The origins whose pages may come to the tenant, from the next request on.
  public func set(origins: OriginPolicy, of id: String) {
    state.pointee.directory.tenant(id)?.origins = origins
  }

  /// The host names that lead to a tenant, replacing what there was.
  public func set(hosts: [String], of id: String) {
    guard let tenant = state.pointee.directory.tenant(id) else { return }
    state.pointee.directory.setHosts(hosts, of: tenant)
    state.pointee.lastHost = HostMemory()
  }

  /// Lets a key in.
  public func put(key digest: Digest, _ record: KeyRecord) {
    state.pointee.directory.putKey(digest, record)
    state.pointee.directory.tenant(record.tenant)?.revocations += 1
  }

  /// Ends a key; the next request with it is refused.
  public func remove(key id: String, of tenant: String) {
    state.pointee.directory.removeKey(id, of: tenant)
    forgetIdentities(of: tenant)
  }

  /// Lets these keys in and no others of the tenant's.
  public func replaceKeys(of tenant: String, with keys: [(Digest, KeyRecord)]) {
    state.pointee.directory.removeKeys(of: tenant)
    for (digest, record) in keys { state.pointee.directory.putKey(digest, record) }
    forgetIdentities(of: tenant)
  }

  /// The keys that were used since they were last told of, at most once a minute each.
  public func takeUsedKeys() -> [KeyUseReport] {
    guard !state.pointee.usedKeys.isEmpty else { return [] }
    defer { state.pointee.usedKeys = [] }
    return state.pointee.usedKeys.map { $0.takeNews() }
  }

  /// Has every credential of a tenant shown to its authenticator again.
  public func forgetIdentities(of tenant: String) {
    state.pointee.directory.tenant(tenant)?.revocations += 1
  }

  /// A tenant's shards are open: requests that waited go on, and an older generation drains.
  ///
  /// - Parameter disabled: plugins that are no part of it any more, whose sockets are closed at once.
  public func opened(_ id: String, _ generation: Generation, without disabled: [String] = []) {
    guard let tenant = state.pointee.directory.tenant(id) else {
      return state.retire(generation, resumable: false)
    }
    let before = tenant.state
    generation.tenant = tenant
    tenant.state = .open(generation)
    tenant.revocations += 1
    if case .open(let old) = before {
      tenant.drains(old)
      // Those too that have outlived an earlier change.
      for generation in tenant.drainingGenerations {
        for plugin in disabled {
          state.closeSockets(of: generation, code: HostCloseCode.disabled, plugin: plugin)
        }
      }
      state.retire(old, resumable: true)
    }
    let waiting = tenant.waiting
    tenant.waiting = []
    for token in waiting {
      guard let request = state.request(token), request.pointee.stage == .opening else { continue }
      request.pointee.stage = .open
      request.continueLater()
    }
  }

  /// A tenant could not be opened: requests that waited are refused with the reason, later ones try again.
  public func failedToOpen(
    _ id: String, _ code: ProblemCode = .pluginUnavailable, reason: String
  ) {
    guard let tenant = state.pointee.directory.tenant(id) else { return }
    if case .opening = tenant.state { tenant.state = .closed }
    refuseWaiting(tenant, code, reason: reason)
  }

  private func refuseWaiting(
    _ tenant: Tenant, _ code: ProblemCode = .pluginUnavailable, reason: String
  ) {
    let waiting = tenant.waiting
    tenant.waiting = []
    for token in waiting {
      guard let request = state.request(token), request.pointee.stage == .opening else { continue }
      request.pointee.stage = .handling
      request.problem(code, detail: "This app cannot be served now: \(reason)")
    }
  }

  /// The generation in service, if the tenant is open on this loop.
  public func generation(of id: String) -> Generation? {
    guard case .open(let generation) = state.pointee.directory.tenant(id)?.state else { return nil }
    return generation
  }

  /// The generations in service on this loop. [loop-thread]
  public var generations: [Generation] {
    state.pointee.directory.tenants.values.compactMap {
      if case .open(let generation) = $0.state { generation } else { nil }
    }
  }

  /// Whether there is such a tenant.
  public func knows(tenant id: String) -> Bool { state.pointee.directory.tenant(id) != nil }
}

extension UnsafeMutablePointer where Pointee == LoopState {
  /// Ends a generation: at once, or when what uses it has ended or the drain time is over.
  func retire(_ generation: Generation, resumable: Bool) {
    generation.retire()
    let loop = self
    let code = resumable ? HostCloseCode.shutdown : HostCloseCode.disabled
    guard resumable else { return loop.closeSockets(of: generation, code: code) }
    // Closed over the drain time rather than at its end, so that not all come back at once.
    let steps = 10
    for step in 1...steps {
      pointee.eventLoop.after(pointee.settings.drainTimeout * UInt64(step) / UInt64(steps)) {
        loop.closeSockets(of: generation, code: code, share: steps - step + 1)
      }
    }
  }

  /// Closes one in `share` of a generation's sockets.
  func closeSockets(of generation: Generation, code: UInt16, share: Int = 1, plugin: String? = nil)
  {
    let reason: StaticString = code == HostCloseCode.disabled ? "disabled" : "shutdown"
    var number = 0
    var next = generation.firstSocket
    while let socket = next {
      next = socket.pointee.next
      if let plugin {
        // One that is nobody's yet is none of any plugin's.
        guard !socket.pointee.flags.contains(.isGreeting),
          generation.pluginIDs[Int(socket.pointee.plugin)] == plugin
        else { continue }
      }
      number += 1
      if number % share == 0 { socket.close(code, reason.raw) }
    }
  }
}
