internal import Store

/// Answers what an operator asks about tenants, one request after another: in a gateway that serves, or in the command
/// itself on the data of one that does not. A request and its answer are JSON objects; an answer has `error` when nothing was done,
/// and `unnoted` when something was done that the platform's audit log has not been told of: why.
///
/// | `do` | with | answer |
/// |---|---|---|
/// | `tenants` | `after`? | `tenants`: ids of those whose data there may be, in their order, `page` at most |
/// | `list` | `after`? | `tenants`: of each of those its id, plan, host names and the plugins that are on |
/// | `export` | `tenant`, `seal_key`? | `file`, a name in the folder `transfer` |
/// | `backup` | `tenant` (`@control` is the gateway's own), `of`?: of the gateway's own what is this tenant's alone | `file` |
/// | `import` | `file`, `replace`, `seal_key`?, `plan`?, `standard_versions`? | `tenant`, `replaced`, `lost_versions` |
/// | `delete` | `tenant` | |
/// | `plan` | `tenant`, `plan` | |
struct OperatorDesk: Sendable {
  private let source: @Sendable () -> (transfer: TenantTransfer, listeners: [String])
  /// Nil where no gateway serves.
  private let live: TenantControl?

  /// The desk of data that no gateway runs on.
  ///
  /// - Parameter listeners: the platform's plugins that hear of what is done.
  init(_ transfer: TenantTransfer, listeners: [String]) {
    source = { (transfer, listeners) }
    live = nil
  }

  /// The desk of a gateway that serves.
  init(_ host: Host) {
    source = { [directory = host.configuration.dataDirectory] in
      // A reload may have brought other plugins.
      let setup = host.currentSetup
      return (
        TenantTransfer(
          store: host.store, registry: host.registry, directory: directory,
          installed: setup.allManifests, plans: setup.configuration.plans(with: setup.manifests)),
        setup.configuration.noteListeners(installed: setup.manifests)
      )
    }
    live = host.tenants
  }

  private var transfer: TenantTransfer { source().transfer }

  /// Does what is asked. [blocking, not on a loop]
  ///
  /// - Parameter user: who asks.
  func answer(_ request: ConfigValue, for user: LocalUser) -> ConfigValue {
    do throws(TenantError) {
      switch request["do"]?.text {
      case "tenants":
        let page = transfer.page(after: request["after"]?.text)
        return ["tenants": .array(page.map { .string($0.id) })]
      case "list": return ["tenants": .array(try transfer.listed(after: request["after"]?.text))]
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
        let file = try holding(tenant) { () throws(TenantError) in
          try transfer.backUp(tenant, only: request["of"]?.text)
        }
        return ["file": .string(file)]
      case "import": return try take(request, for: user)
      case "delete":
        let tenant = try tenant(of: request)
        guard transfer.registry.record(tenant) != nil else { throw Self.unknown(tenant) }
        return try noting("app.deleted", of: tenant, for: user) { () throws(TenantError) in
          _ = try wait { () async throws(TenantError) in
            try await remove(tenant)
            return true
          }
          return [:]
        }
      case "plan":
        let (tenant, plan) = (try tenant(of: request), request["plan"]?.text ?? "")
        guard tenant != StaticTenant.platformID, transfer.registry.record(tenant) != nil else {
          throw Self.unknown(tenant)
        }
        try transfer.plans.check(plan)
        return try noting("app.plan_changed", of: tenant, for: user) { () throws(TenantError) in
          _ = try wait { () async throws(TenantError) in
            if let live {
              try await live.setPlan(plan, of: tenant)
            } else {
              try await UsageLedger.write(plan, of: tenant, to: transfer.store)
            }
            return true
          }
          return [:]
        }
      default: throw TenantError(.invalid, "this gateway does not know the request")
      }
    } catch {
      return ["error": ["code": .string(error.code.rawValue), "message": .string(error.message)]]
    }
  }

  private static func unknown(_ tenant: String) -> TenantError {
    TenantError(.notFound, "there is no tenant \"\(tenant.prefix(80))\"")
  }

  /// Makes a change of an app between a note that it is about to be made and one of how it ended. What cannot be noted is
  /// done all the same, and told: a disk that is full must not keep anybody from deleting something.
  private func noting(
    _ action: String, of tenant: String, for user: LocalUser,
    _ body: () throws(TenantError) -> ConfigValue
  ) throws(TenantError) -> ConfigValue {
    let (transfer, listeners) = source()
    let notes = OperatorNotes(transfer.store, listeners: listeners, by: user)
    var lost: String?
    func note(
      _ outcome: OperatorNotes.Outcome, before: ConfigValue? = nil, after: ConfigValue? = nil,
      reason: String? = nil
    ) {
      do throws(TenantError) {
        _ = try wait { () async throws(TenantError) in
          try await notes.write(
            action, of: tenant, outcome, before: before, after: after, reason: reason)
          return true
        }
      } catch {
        lost = error.message
      }
    }
    let before = transfer.noted(tenant)
    note(.begun)
    var answer: ConfigValue
    do throws(TenantError) {
      answer = try body()
    } catch {
      note(.failed, reason: error.message)
      throw error
    }
    note(.done, before: before, after: transfer.noted(tenant))
    answer = answer.adding("request_id", .string(notes.requestID))
    return lost.map { answer.adding("unnoted", .string($0)) } ?? answer
  }

  private func take(
    _ request: ConfigValue, for user: LocalUser
  ) throws(TenantError) -> ConfigValue {
    guard let file = request["file"]?.text, !file.isEmpty, !file.contains("/"),
      !file.hasPrefix(".")
    else { throw TenantError(.invalid, "\"file\" is no name of a file") }
    defer { transfer.discard(file) }
    let replaces = request["replace"] == .boolean(true)
    let archive = try transfer.receive(
      file, seal: try seal(of: request), plan: request["plan"]?.text,
      standardVersions: request["standard_versions"] == .boolean(true))
    try transfer.admit(archive, replaces: replaces)
    return try noting("app.imported", of: archive.record.id, for: user) {
      () throws(TenantError) in
      let replaced = try wait { () async throws(TenantError) -> Bool in
        if let live {
          try await live.restore(archive, file: file, replaces: replaces, transfer)
        } else {
          try await transfer.install(archive, file: file, replaces: replaces)
        }
      }
      return [
        "tenant": .string(archive.record.id), "replaced": .boolean(replaced),
        "lost_versions": .array(archive.lostVersions.map { .string($0) }),
      ]
    }
  }

  private func remove(_ tenant: String) async throws(TenantError) {
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
