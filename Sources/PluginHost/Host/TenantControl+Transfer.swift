internal import Gateway
internal import Store

/// Tenants that go out of the gateway or come in while it serves.
extension TenantControl {
  /// Ends a tenant: it is refused everywhere before its file goes.
  func remove(_ tenant: String) async throws(TenantFailure) {
    await lock(tenant)
    defer { unlock(tenant) }
    let former = try await host.registry.change { registry, done in
      registry.remove(tenant, completion: done)
    }
    await withdraw(tenant, .gone) { $0.gateway.remove(tenant: tenant) }
    if !former.hosts.isEmpty { serveCertificates() }
    await host.usage.forget(tenant)
    do throws(StoreError) {
      try await host.store.deleteTenant(tenant)
      TenantFolders.remove(of: tenant, in: host.configuration.dataDirectory)
      await host.registry.hasDeletedFile(of: tenant)
    } catch {
      // The tenant is gone for everybody; only its file is left, until the next start.
      host.log.write(
        .error, "a removed tenant's file cannot be deleted",
        fields: ["tenant": .string(tenant), "reason": .string("\(error)")])
    }
  }

  /// Takes a tenant out of service on all loops, each by what `body` does there, and waits until nobody uses it.
  private func withdraw(
    _ tenant: String, _ ending: Ending, _ body: @escaping @Sendable (LoopHost) -> Void
  ) async {
    let runtime = runtimes.removeValue(forKey: tenant)
    await onEveryLoop { loop in
      if let generation = loop.gateway.generation(of: tenant) { generation.shardSet.drain(ending) }
      body(loop)
    }
    runtime?.abandon(host)
    // What is still in a plugin's hands would be written into whatever has the tenant's name then. A request ends soon; one
    // that does not is not waited for.
    for _ in 0..<250 where runtime?.isClosed == false {
      await withCheckedContinuation { continuation in
        executor.after(20) { continuation.resume() }
      }
    }
    host.trouble.forget(tenant)
  }

  /// Puts a tenant from an export in service, in the place of the one of its name if that is wanted. Sockets of the one
  /// before are told to come back; requests and connections that come meanwhile wait, as they do while a tenant is opened:
  /// to be told that there is none would have clients give up for good. Answers whether there was one.
  func restore(
    _ archive: TenantArchive, file: String, replaces: Bool, _ transfer: TenantTransfer
  ) async throws(TenantError) -> Bool {
    let tenant = archive.record.id
    await lock(tenant)
    defer { unlock(tenant) }
    try transfer.admit(archive, replaces: replaces)
    let old = host.registry.record(tenant)
    // It is opened anew when the lock is free.
    if old != nil { await withdraw(tenant, .renewed) { $0.gateway.suspend(tenant: tenant) } }
    do throws(TenantError) {
      let replaced = try await transfer.install(archive, file: file, replaces: replaces)
      host.alarms.lookSoon()
      if let plan = archive.plan { host.usage.adopt(plan, of: tenant) }
      if let record = host.registry.record(tenant) { await announce(record) }
      serveCertificates()
      return replaced
    } catch {
      if let old { await announce(old) }
      throw error
    }
  }
}
