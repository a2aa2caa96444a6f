internal import Gateway
internal import Store
internal import Synchronization

/// What apps use, hour by hour, and which plans they are on: kept in `control.sqlite`.
///
/// Loops add what they have counted once a second, and every ten seconds all of it is written, so a process that is killed
/// takes the counts of at most eleven seconds along; one that ends in order takes none. An hour's row may have the last
/// seconds of the hour before. [any-thread]
final class UsageLedger: Sendable {
  /// Milliseconds between two writes.
  static let interval: UInt64 = 10_000
  /// Hours that are kept: 400 days.
  static let retention: Int64 = 400 * 24
  /// Rows that one answer has at most.
  static let pageHours = 1_000

  private struct Entry {
    let usage: TenantUsage
    var plan: String
  }

  private struct State {
    var entries: [String: Entry] = [:]
    var plans: Plans
    /// The plans of tenants that are not announced yet.
    var chosen: [String: String] = [:]
    /// What was used in this month before the process began.
    var before: [String: TenantUsage.Counts] = [:]
    var month: Int64
  }

  private let store: Store
  private let directory: String
  private let folders: FolderSizes
  private let state: Mutex<State>

  init(_ store: Store, directory: String, plans: Plans) {
    self.store = store
    self.directory = directory
    folders = FolderSizes(directory: directory)
    state = Mutex(
      State(plans: plans, month: UsageMonth.number(ofHour: store.options.now() / 3_600_000)))
  }

  private var hour: Int64 { store.options.now() / 3_600_000 }

  /// Reads what was kept.
  func load() async throws(StoreError) {
    let hour = hour
    _ = try await store.submit(
      tenant: Store.controlTenant,
      batch: Batch(
        owner: Owner.host,
        statements: [
          Statement(
            "DELETE FROM sluice_usage WHERE hour < :hour",
            binds: [Bind("hour", .integer(hour - Self.retention))])
        ]))
    try await eachRow(
      "SELECT tenant, plan FROM sluice_tenant_plans WHERE tenant > :last ORDER BY tenant LIMIT 1000"
    ) { row in
      guard case .text(let tenant) = row[0], case .text(let plan) = row[1] else { return }
      self.state.withLock { $0.chosen[tenant] = plan }
    }
    try await eachRow(
      """
      SELECT tenant, sum(requests), sum(messages) FROM sluice_usage
      WHERE tenant > :last AND hour >= \(UsageMonth.firstHour(ofMonthOf: hour))
      GROUP BY tenant ORDER BY tenant LIMIT 1000
      """
    ) { row in
      guard case .text(let tenant) = row[0], case .integer(let requests) = row[1],
        case .integer(let messages) = row[2]
      else { return }
      self.state.withLock {
        $0.before[tenant] = TenantUsage.Counts(requests: Int(requests), messages: Int(messages))
      }
    }
  }

  /// Reads page by page in the order of the first column, which is bound as `last`.
  private func eachRow(
    _ sql: String, _ body: ([SQLValue]) -> Void
  ) async throws(StoreError) {
    var last = ""
    while true {
      let page = try await store.read(
        tenant: Store.controlTenant, owner: Owner.host,
        statements: [Statement(sql, binds: [Bind("last", .text(last))])]
      )
      let rows = (try? page.decoded())?.first?.rows ?? []
      for row in rows { body(row) }
      guard rows.count == 1_000, case .text(let end)? = rows.last?[0] else { return }
      last = end
    }
  }

  // MARK: - tenants

  /// What all loops count a tenant's use with.
  func usage(of tenant: String) -> TenantUsage {
    state.withLock { state in
      if let known = state.entries[tenant] { return known.usage }
      let plan = state.chosen[tenant] ?? state.plans.inForce(Plans.standard)
      // The operator's own tenant is on no plan.
      let usage = TenantUsage(
        tenant == StaticTenant.platformID ? Quotas() : state.plans.quotas(of: plan))
      if let before = state.before[tenant] {
        usage.beginMonth(requests: before.requests, messages: before.messages)
      }
      state.entries[tenant] = Entry(usage: usage, plan: plan)
      return usage
    }
  }

  /// The plan that a tenant is on.
  func plan(of tenant: String) -> String {
    state.withLock {
      $0.entries[tenant]?.plan ?? $0.chosen[tenant] ?? $0.plans.inForce(Plans.standard)
    }
  }

  /// How many apps are on plans that the operator has taken away, with the plans that there are.
  var strays: (uses: [PlanUse], plans: Plans) {
    state.withLock { state in
      let uses = Dictionary(grouping: state.chosen.values) { $0 }
        .filter { state.plans[$0.key] == nil }
        .map { PlanUse(plan: $0.key, apps: $0.value.count) }
      return (uses.sorted { $0.plan < $1.plan }, state.plans)
    }
  }

  /// The bound of a quota of a tenant; 0 is none.
  func bound(_ quota: Quota, of tenant: String) -> Int { usage(of: tenant).state(of: quota).limit }

  /// What an app on the plan of the name may use.
  func bounds(of plan: String) -> Quotas { state.withLock { $0.plans.quotas(of: plan) } }

  /// Whether the operator has a plan of the name.
  ///
  /// - Throws: `invalid`: there is none.
  func check(_ plan: String) throws(TenantError) { try state.withLock { $0.plans }.check(plan) }

  /// Puts a tenant on another plan, durably.
  ///
  /// - Throws: `invalid`: there is no such plan; `store`.
  func setPlan(_ plan: String, of tenant: String) async throws(TenantError) {
    try check(plan)
    try await Self.write(plan, of: tenant, to: store)
    adopt(plan, of: tenant)
  }

  /// Writes which plan a tenant is on from now on, durably.
  static func write(
    _ plan: String, of tenant: String, to store: Store
  ) async throws(TenantError) {
    do throws(StoreError) {
      _ = try await store.submit(
        tenant: Store.controlTenant,
        batch: Batch(
          owner: Owner.host,
          statements: [
            TenantStatements.choose(plan: plan, of: tenant)
          ]))
    } catch {
      throw TenantError(error, while: "putting \"\(tenant)\" on the plan \"\(plan)\"")
    }
  }

  /// Knows that a tenant is on another plan, which is written already.
  func adopt(_ plan: String, of tenant: String) {
    let usage = usage(of: tenant)
    let quotas = state.withLock { state in
      state.entries[tenant]?.plan = plan
      state.chosen[tenant] = plan
      return state.plans.quotas(of: plan)
    }
    usage.set(quotas)
  }

  /// Puts other plans in force.
  func set(_ plans: Plans) {
    state.withLock { state in
      guard state.plans != plans else { return }
      state.plans = plans
      for (tenant, entry) in state.entries where tenant != StaticTenant.platformID {
        entry.usage.set(plans.quotas(of: entry.plan))
      }
    }
  }

  /// Forgets a tenant that is removed, with what it has used.
  func forget(_ tenant: String) async {
    folders.forget(tenant)
    state.withLock { state in
      state.entries[tenant] = nil
      state.chosen[tenant] = nil
      state.before[tenant] = nil
    }
    let binds = [Bind("tenant", .text(tenant))]
    _ = try? await store.submit(
      tenant: Store.controlTenant,
      batch: Batch(
        owner: Owner.host,
        statements: [
          Statement("DELETE FROM sluice_usage WHERE tenant = :tenant", binds: binds),
          Statement("DELETE FROM sluice_tenant_plans WHERE tenant = :tenant", binds: binds),
        ]))
  }

  // MARK: - writing

  /// Writes what came since the last time. What cannot be written now is written later.
  func flush() async {
    let hour = hour
    let month = UsageMonth.number(ofHour: hour)
    let (entries, monthBegins) = state.withLock { state -> ([String: Entry], Bool) in
      defer { state.month = month }
      if state.month != month { state.before = [:] }
      return (state.entries, state.month != month)
    }
    var taken: [(usage: TenantUsage, counts: TenantUsage.Counts, statement: Statement)] = []
    for (tenant, entry) in entries {
      if monthBegins { entry.usage.beginMonth() }
      let counts = entry.usage.take()
      let (limit, used) = entry.usage.state(of: .storage)
      // One that is over its limit may come under it by what nobody asks for.
      if limit > 0, !counts.isEmpty || used >= limit, let bytes = await storage(of: tenant) {
        entry.usage.setStorage(bytes)
      }
      if !counts.isEmpty {
        taken.append((entry.usage, counts, Self.statement(tenant, hour, counts)))
      }
    }
    for start in stride(from: 0, to: taken.count, by: 100) {
      let part = taken[start..<min(start + 100, taken.count)]
      do throws(StoreError) {
        _ = try await store.submit(
          tenant: Store.controlTenant,
          batch: Batch(owner: Owner.host, statements: part.map(\.statement)))
      } catch {
        for one in part { one.usage.giveBack(one.counts) }
      }
    }
  }

  /// Bytes that a tenant's rows take in its file, and its plugins' files beside it; nil when that cannot be read now.
  private func storage(of tenant: String) async -> Int? {
    let files = await folders.bytes(of: tenant)
    guard StoreFile.exists(in: directory, of: tenant) else { return files }
    return (try? await store.usedBytes(of: tenant)).map { $0 + files }
  }

  private static func statement(
    _ tenant: String, _ hour: Int64, _ counts: TenantUsage.Counts
  ) -> Statement {
    Statement(
      """
      INSERT INTO sluice_usage (tenant, hour, requests, messages, connections)
      VALUES (:tenant, :hour, :requests, :messages, :connections)
      ON CONFLICT (tenant, hour) DO UPDATE SET requests = sluice_usage.requests + excluded.requests,
        messages = sluice_usage.messages + excluded.messages,
        connections = CASE WHEN sluice_usage.connections < excluded.connections
          THEN excluded.connections ELSE sluice_usage.connections END
      """,
      binds: [
        Bind("tenant", .text(tenant)), Bind("hour", .integer(hour)),
        Bind("requests", .integer(Int64(counts.requests))),
        Bind("messages", .integer(Int64(counts.messages))),
        Bind("connections", .integer(Int64(counts.connections))),
      ])
  }

  // MARK: - reading

  /// What a tenant uses, in the form of `usage` (ext/tenants.h). Loops have added what they have counted.
  ///
  /// - Parameters:
  ///   - from: the first hour, counted from 1970.
  ///   - to: the first hour that is not wanted.
  ///   - plugins: how many the tenant has switched on.
  func report(
    on tenant: String, from: Int64, to: Int64, plugins: Int
  ) async throws(StoreError) -> ConfigValue {
    await flush()
    let page = try await store.read(
      tenant: Store.controlTenant, owner: Owner.host,
      statements: [
        Statement(
          """
          SELECT hour, requests, messages, connections FROM sluice_usage
          WHERE tenant = :tenant AND hour >= :from AND hour < :to ORDER BY hour LIMIT :limit
          """,
          binds: [
            Bind("tenant", .text(tenant)), Bind("from", .integer(from)), Bind("to", .integer(to)),
            Bind("limit", .integer(Int64(Self.pageHours))),
          ])
      ])
    let rows = (try? page.decoded())?.first?.rows ?? []
    let hours = rows.compactMap { row -> ConfigValue? in
      let numbers = row.compactMap { value in
        if case .integer(let number) = value { Int(number) } else { nil }
      }
      guard numbers.count == 4 else { return nil }
      return [
        "hour_ms": .integer(numbers[0] * 3_600_000), "requests": .integer(numbers[1]),
        "messages": .integer(numbers[2]), "connections": .integer(numbers[3]),
      ]
    }
    let usage = usage(of: tenant)
    let storage = await storage(of: tenant) ?? usage.state(of: .storage).used
    let quotas = Quota.allCases.map { quota -> ConfigValue in
      let (limit, used) = usage.state(of: quota)
      let known =
        switch quota {
        case .plugins: plugins
        case .storage: storage
        default: used
        }
      return ["quota": .string(quota.name), "limit": .integer(limit), "used": .integer(known)]
    }
    return [
      "plan": .string(plan(of: tenant)), "quotas": .array(quotas), "hours": .array(hours),
    ]
  }
}
