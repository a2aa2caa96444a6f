internal import EventLoop
internal import Wire

/// Requests beyond what the tenant's plan allows. Cold: a request comes here when it is the first of its tenant in a second
/// on its loop, or something is used up.
extension UnsafeMutablePointer where Pointee == RequestSlot {
  /// Notes that the tenant is in use, and refuses the request where something is used up that it would use.
  @inline(never)
  func isOverQuota() -> Bool {
    let tenant = pointee.tenant.unsafelyUnwrapped.takeUnretainedValue()
    let exceeded = loop.attend(tenant)
    guard exceeded != 0 else { return false }
    if exceeded & Quota.requests.bit != 0 { return refuse(.requests, tenant) }
    if exceeded & Quota.storage.bit != 0, facts.pointee.writes { return refuse(.storage, tenant) }
    if exceeded & Quota.messages.bit != 0, facts.pointee.socket != nil {
      return refuse(.messages, tenant)
    }
    return false
  }

  /// Refuses a WebSocket beyond the plan's connections; true when it is counted and may open.
  func entersConnections(_ tenant: Tenant) -> Bool {
    if tenant.usage.enter() { return true }
    _ = refuse(.connections, tenant)
    return false
  }

  /// Counts an answer in pieces whose end nobody knows as one of the tenant's connections, once; false when the plan lets no
  /// more be open, and then the request has been refused.
  func entersConnections(length: Int64) -> Bool {
    guard length < 0, !pointee.flags.contains(.isConnection),
      let tenant = pointee.generation?._withUnsafeGuaranteedRef({ $0.tenant })
    else { return true }
    guard tenant.usage.enter() else {
      // There may be room when it is repeated.
      if pointee.claim != nil { dropClaim() }
      _ = refuse(.connections, tenant, isInCall: true)
      return false
    }
    pointee.flags.insert(.isConnection)
    return true
  }

  /// An answer that was counted as a connection has ended.
  func leaveConnections() {
    guard pointee.flags.contains(.isConnection) else { return }
    pointee.flags.remove(.isConnection)
    pointee.generation?._withUnsafeGuaranteedRef { $0.tenant?.usage.leave() }
  }

  /// What is refused is not used.
  func takeBackCount(_ tenant: Tenant) {
    guard pointee.flags.contains(.isCounted) else { return }
    pointee.flags.remove(.isCounted)
    tenant.counts.pointee.requests -= 1
  }

  /// - Parameter isInCall: whether a call of the plugin's has led to it, in which no other plugin is called.
  private func refuse(_ quota: Quota, _ tenant: Tenant, isInCall: Bool = false) -> Bool {
    takeBackCount(tenant)
    loop.pointee.metrics.add(.quotasExceeded)
    let (limit, used) = tenant.usage.state(of: quota)
    let detail = "The plan of this app allows \(limit) \(quota.name), and \(used) are used."
    let errors = [
      FieldProblem(pointer: "/quotas/\(quota.name)", message: "limit \(limit), used \(used)")
    ]
    if isInCall, holdsAnswers {
      holdProblem(.quotaExceeded, detail: detail, errors: errors)
    } else {
      problem(.quotaExceeded, detail: detail, errors: errors)
    }
    return true
  }
}

extension UnsafeMutablePointer where Pointee == LoopState {
  /// What bounds a user's rate; nil for anybody else, and where there is no such bound.
  func userLimiter(of principal: Principal, _ tenant: Tenant) -> RateLimiter? {
    let limit = pointee.settings.userRequestsPerSecond
    guard limit > 0, principal.kind == .user else { return nil }
    return pointee.shared.userLimiters.limiter(
      of: principal.id, tenant: tenant.id, limit: limit, now: EventLoop.hrtime())
  }

  /// Counts messages of a tenant's clients; true when its plan allows no more, and then they are not counted.
  func isOverQuota(_ tenant: Tenant, messages: Int) -> Bool {
    tenant.counts.pointee.messages &+= messages
    guard tenant.counts.pointee.needsAttention, attend(tenant) & Quota.messages.bit != 0 else {
      return false
    }
    tenant.counts.pointee.messages -= messages
    pointee.metrics.add(.quotasExceeded)
    return true
  }

  /// Remembers that a tenant has something to add at the next ``GatewayLoop/addUsage()``, and tells what it has used up.
  func attend(_ tenant: Tenant) -> UInt32 {
    if !tenant.counts.pointee.isInUse {
      tenant.counts.pointee.isInUse = true
      pointee.tenantsInUse.append(tenant)
    }
    let exceeded = tenant.usage.exceededBits
    tenant.counts.pointee.needsAttention = exceeded != 0
    return exceeded
  }
}

extension GatewayLoop {
  /// Adds what the loop has counted for its tenants to what they use over all loops. To be called once a second, and
  /// before the loop ends.
  public func addUsage() {
    for tenant in state.pointee.tenantsInUse {
      let counts = tenant.counts.pointee
      tenant.usage.add(requests: counts.requests, messages: counts.messages)
      tenant.counts.pointee = TenantCounts()
    }
    state.pointee.tenantsInUse.removeAll(keepingCapacity: true)
  }
}
