internal import Gateway
internal import Synchronization

/// Plugins that are woken.
extension TenantControl {
  /// Wakes a plugin of a tenant, which is opened on one loop if it is open on none. Returns when the plugin has ended it, or
  /// its time is over.
  func wake(_ alarm: Alarm) async -> AlarmOutcome {
    await lock(alarm.tenant)
    guard let record = registry.record(alarm.tenant), canBeWoken(alarm.plugin, by: record) else {
      let outcome = await host.alarms.park(alarm)
      unlock(alarm.tenant)
      return outcome
    }
    let loop: LoopHost
    do throws(TenantFailure) {
      loop = try await loopWhereOpen(alarm.tenant)
      unlock(alarm.tenant)
    } catch {
      unlock(alarm.tenant)
      return .failed(error.message)
    }
    // Without the lock: what the plugin does may be a change of its tenant.
    return await loop.wake(alarm)
  }

  /// Whether the tenant has the plugin switched on, in a version that is there and can be woken.
  func canBeWoken(_ id: String, by record: TenantRecord) -> Bool {
    let setup = host.currentSetup
    guard let setting = record.plugins[id], setting.enabled,
      let plugin = setup.plugin(id, version: setting.version)
    else { return false }
    return plugin.alarm != nil
      && setup.configuration.plugins.granted(to: plugin.manifest).contains(.alarm)
  }

  /// Has the plugins woken of tenants whose files were not closed in order: what they had committed may not have got its alarm.
  func wakeRecovered(_ tenants: [String]) async {
    for record in tenants.compactMap({ registry.record($0) }) {
      for plugin in record.plugins.keys.sorted() where canBeWoken(plugin, by: record) {
        let alarm = Alarm(tenant: record.id, plugin: plugin)
        // Where it cannot be written no alarm can.
        _ = await host.alarms.set(alarm, at: 0, isStatic: record.isStatic)
      }
    }
  }

  private func loopWhereOpen(_ tenant: String) async throws(TenantFailure) -> LoopHost {
    for loop in host.loops where await loop.isOpen(tenant) { return loop }
    let runtime = try await runtime(of: tenant)
    let loop = host.loops[Int(tenant.hashValue.magnitude % UInt(host.loops.count))]
    if let failure = await loop.open(runtime) { throw failure }
    return loop
  }
}

extension LoopHost {
  /// Whether the tenant is in service on the loop.
  func isOpen(_ tenant: String) async -> Bool {
    await compute(false) { [self] in gateway.generation(of: tenant) != nil }
  }

  /// Wakes a plugin of a tenant that is open here.
  func wake(_ alarm: Alarm) async -> AlarmOutcome {
    await withCheckedContinuation { continuation in
      let isTaken = gateway.eventLoop.post { [self] in
        guard let shard = gateway.generation(of: alarm.tenant)?.shardSet[alarm.plugin] else {
          return continuation.resume(returning: .cut)
        }
        shard.wake { continuation.resume(returning: $0) }
      }
      if !isTaken { continuation.resume(returning: .cut) }
    }
  }
}

extension Host {
  /// Tells the plugins of all tenants that no new work comes, and wakes nobody any more. [any-thread]
  func drain() {
    Task { await alarms.stop() }
    for loop in loops { loop.drainShards() }
  }
}

extension AlarmCounters {
  func add(to page: inout MetricsPage) {
    page.add(
      "sluice_alarms_under_way", isGauge: true, help: "Plugins that are being woken.",
      value: Int64(underWay.load(ordering: .relaxed)))
    page.add(
      "sluice_alarm_wakes_total", isGauge: false, help: "Times that plugins were woken.",
      value: Int64(wakes.load(ordering: .relaxed)))
    page.add(
      "sluice_alarm_failures_total", isGauge: false,
      help: "Of these, those that failed and are repeated.",
      value: Int64(failures.load(ordering: .relaxed)))
  }
}
