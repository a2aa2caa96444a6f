internal import Store

/// Answers what an operator asks about tenants, one request after another: in a gateway that serves, or in the command
/// itself on the data of one that does not. A request and its answer are JSON objects; an answer has `error` when nothing was done.
///
/// | `do` | with | answer |
/// |---|---|---|
/// | `tenants` | | `tenants`: ids of all whose data there may be |
/// | `export` | `tenant`, `seal_key`? | `file`, a name in the folder `transfer` |
/// | `backup` | `tenant` (`@control` is the gateway's own) | `file` |
/// | `import` | `file`, `replace`, `seal_key`?, `plan`? | `tenant`, `replaced` |
/// | `delete` | `tenant` | |
/// | `plan` | `tenant`, `plan` | |
struct OperatorDesk: Sendable {
  private let source: @Sendable () -> TenantTransfer
  /// Nil where no gateway serves.
  private let live: TenantControl?

  /// The desk of data that no gateway runs on.
  init(_ transfer: TenantTransfer) {
    source = { transfer }
    live = nil
  }

  /// The desk of a gateway that serves.
  init(_ host: Host) {
    source = { [directory = host.configuration.dataDirectory] in
      // A reload may have brought other plugins.
      TenantTransfer(
        store: host.store, registry: host.registry, directory: directory,
        installed: host.currentSetup.allManifests, plans: host.configuration.plans)
    }
    live = host.tenants
  }

  private var transfer: TenantTransfer { source() }

  /// Does what is asked. [blocking, not on a loop]
  func answer(_ request: ConfigValue) -> ConfigValue {
    do throws(TenantError) {
      switch request["do"]?.text {
      case "tenants":
        let ids = transfer.registry.all().map { ConfigValue.string($0.id) }
        return ["tenants": .array(ids)]
      case "export":
        let (tenant, seal) = (try tenant(of: request), try seal(of: request))
        let file = try holding(tenant) { () throws(TenantError) in
          try transfer.export(tenant, seal: seal)
        }
        return ["file": .string(file)]
      case "backup":
        let tenant = try tenant(of: request)
        guard tenant == Store.controlTenant || transfer.registry.record(tenant) != nil else {
          throw TenantError(.notFound, "there is no tenant \"\(tenant.prefix(80))\"")
        }
        let file = try holding(tenant) { () throws(TenantError) in try transfer.backUp(tenant) }
        return ["file": .string(file)]
      case "import": return try take(request)
      case "delete":
        let tenant = try tenant(of: request)
        _ = try wait { () async throws(TenantError) in
          try await remove(tenant)
          return true
        }
        return [:]
      case "plan":
        let (tenant, plan) = (try tenant(of: request), request["plan"]?.text ?? "")
        guard let live else {
          throw TenantError(.invalid, "plans are changed beside a gateway that runs")
        }
        _ = try wait { () async throws(TenantError) in
          try await live.setPlan(plan, of: tenant)
          return true
        }
        return [:]
      default: throw TenantError(.invalid, "this gateway does not know the request")
      }
    } catch {
      return ["error": ["code": .string(error.code.rawValue), "message": .string(error.message)]]
    }
  }

  private func take(_ request: ConfigValue) throws(TenantError) -> ConfigValue {
    guard let file = request["file"]?.text, !file.isEmpty, !file.contains("/"),
      !file.hasPrefix(".")
    else { throw TenantError(.invalid, "\"file\" is no name of a file") }
    defer { transfer.discard(file) }
    let replaces = request["replace"] == .boolean(true)
    let archive = try transfer.receive(
      file, seal: try seal(of: request), plan: request["plan"]?.text)
    let replaced = try wait { () async throws(TenantError) -> Bool in
      if let live {
        try await live.restore(archive, file: file, replaces: replaces, transfer)
      } else {
        try await transfer.install(archive, file: file, replaces: replaces)
      }
    }
    return ["tenant": .string(archive.record.id), "replaced": .boolean(replaced)]
  }

  private func remove(_ tenant: String) async throws(TenantError) {
    guard transfer.registry.record(tenant) != nil else {
      throw TenantError(.notFound, "there is no tenant \"\(tenant.prefix(80))\"")
    }
    if let live {
      do throws(TenantFailure) {
        try await live.remove(tenant)
      } catch {
        throw TenantError(error.code == .conflict ? .isStatic : .store, error.message)
      }
      return
    }
    _ = try await withCheckedContinuation { continuation in
      transfer.registry.remove(tenant) { continuation.resume(returning: $0) }
    }.get()
    do throws(StoreError) {
      try await transfer.store.deleteTenant(tenant)
      TenantFolders.remove(of: tenant, in: transfer.directory)
    } catch {
      throw TenantError(error, while: "deleting the file of \"\(tenant)\"")
    }
    await transfer.registry.hasDeletedFile(of: tenant)
  }

  private func tenant(of request: ConfigValue) throws(TenantError) -> String {
    guard let tenant = request["tenant"]?.text else {
      throw TenantError(.invalid, "\"tenant\" is missing")
    }
    return tenant
  }

  /// The key that secrets travel under, if not the gateway's own.
  private func seal(of request: ConfigValue) throws(TenantError) -> SealingKey? {
    guard let text = request["seal_key"]?.text else { return nil }
    return try SealingKey(hexadecimal: text)
  }

  /// Runs `body` while nobody else changes the tenant.
  private func holding<Value>(
    _ tenant: String, _ body: () throws(TenantError) -> Value
  ) throws(TenantError) -> Value {
    guard let live else { return try body() }
    let isHeld = Answer<Bool>()
    Task {
      await live.lock(tenant)
      isHeld.give(true)
    }
    _ = isHeld.wait()
    defer { Task { await live.unlock(tenant) } }
    return try body()
  }

  /// Waits for what the control thread does.
  private func wait(
    _ body: @escaping @Sendable () async throws(TenantError) -> Bool
  ) throws(TenantError) -> Bool {
    let answer = Answer<Result<Bool, TenantError>>()
    Task {
      do throws(TenantError) {
        answer.give(.success(try await body()))
      } catch {
        answer.give(.failure(error))
      }
    }
    return try answer.wait().get()
  }
}
