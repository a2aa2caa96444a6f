import Gateway
import Store
import Testing

@testable import PluginHost

@Suite struct `The ledger of usage` {
  private let bench = TenantBench()

  /// Opens the ledger on the bench's data, lends it, and closes the store.
  private func run<Result: Sendable>(
    plans: Plans = Plans(), _ body: (UsageLedger, Store) async throws -> Result
  ) async throws -> Result {
    let store = try bench.store()
    defer { store.close() }
    // It makes the tables.
    _ = try await TenantRegistry.open(store: store, sealing: try bench.key())
    let ledger = UsageLedger(store, directory: bench.folder + "/data", plans: plans)
    try await ledger.load()
    return try await body(ledger, store)
  }

  private static func plans(_ text: String) throws -> Plans {
    let problems = ConfigProblems(try ConfigReader.read(text: Array(text.utf8), name: "plans"))
    let plans = Plans(reading: ConfigNode(rootOf: problems))
    try problems.throwIfAny()
    return plans
  }

  private func hours(_ ledger: UsageLedger, _ tenant: String) async throws -> [[Int]] {
    let report = try await ledger.report(on: tenant, from: 0, to: 1 << 40, plugins: 0)
    return report["hours"]?.elements.map { hour in
      ["hour_ms", "requests", "messages", "connections"].map { name in
        if case .integer(let number)? = hour[name] { number } else { -1 }
      }
    } ?? []
  }

  @Test func `adds up what comes in an hour and keeps it over a restart`() async throws {
    let hour = Int(bench.now / 3_600_000 * 3_600_000)
    try await run { (ledger, _) async throws in
      let usage = ledger.usage(of: "app")
      usage.giveBack(TenantUsage.Counts(requests: 3, messages: 1))
      await ledger.flush()
      usage.giveBack(TenantUsage.Counts(requests: 4))
      #expect(try await hours(ledger, "app") == [[hour, 7, 1, 0]])
      bench.advance(hours: 1)
      usage.giveBack(TenantUsage.Counts(requests: 1))
      #expect(
        try await hours(ledger, "app") == [[hour, 7, 1, 0], [hour + 3_600_000, 1, 0, 0]])
      #expect(try await hours(ledger, "other") == [])
    }
    try await run { (ledger, _) async throws in
      #expect(
        try await hours(ledger, "app") == [[hour, 7, 1, 0], [hour + 3_600_000, 1, 0, 0]])
      // The month goes on where it was.
      #expect(ledger.usage(of: "app").state(of: .requests).used == 8)
      #expect(ledger.usage(of: "other").state(of: .requests).used == 0)
    }
  }

  @Test func `keeps for later what cannot be written now`() async throws {
    try await run { (ledger, store) async throws in
      let usage = ledger.usage(of: "app")
      usage.giveBack(TenantUsage.Counts(requests: 3))
      store.close()
      await ledger.flush()
      #expect(usage.take().requests == 3)
    }
  }

  @Test func `begins anew with the month`() async throws {
    let plans = try Self.plans(#"{"free":{"requests_per_month":5}}"#)
    try await run(plans: plans) { (ledger, _) async throws in
      let usage = ledger.usage(of: "app")
      usage.beginMonth(requests: 5)
      #expect(usage.state(of: .requests) == (limit: 5, used: 5))
      bench.advance(hours: 31 * 24)
      await ledger.flush()
      #expect(usage.state(of: .requests) == (limit: 5, used: 0))
    }
  }

  @Test func `keeps the plan of a tenant, and only one that there is`() async throws {
    let plans = try Self.plans(#"{"free":{"plugins":2},"paid":{"plugins":9}}"#)
    try await run(plans: plans) { (ledger, _) async throws in
      #expect(ledger.plan(of: "app") == "free" && ledger.bound(.plugins, of: "app") == 2)
      await #expect(throws: TenantError.self) { try await ledger.setPlan("gold", of: "app") }
      try await ledger.setPlan("paid", of: "app")
      #expect(ledger.plan(of: "app") == "paid" && ledger.bound(.plugins, of: "app") == 9)
    }
    try await run(plans: plans) { (ledger, _) async throws in
      #expect(ledger.plan(of: "app") == "paid" && ledger.bound(.plugins, of: "app") == 9)
      // The operator takes the plan away, and gives the other one no bounds.
      ledger.set(Plans())
      #expect(ledger.bound(.plugins, of: "app") == 0)
      ledger.set(plans)
      #expect(ledger.bound(.plugins, of: "app") == 9)
      // The operator's own tenant is on no plan.
      #expect(ledger.bound(.plugins, of: StaticTenant.platformID) == 0)
    }
  }

  @Test func `holds who is on a plan that was taken away to what new apps may use`() async throws {
    let plans = try Self.plans(#"{"free":{"plugins":2},"paid":{"plugins":9}}"#)
    try await run(plans: plans) { (ledger, _) async throws in
      try await ledger.setPlan("paid", of: "one")
      try await ledger.setPlan("paid", of: "two")
      try await ledger.setPlan("free", of: "three")
      #expect(ledger.strays.uses == [])
    }
    var others = try Self.plans(#"{"gold":{"plugins":3},"trial":{"plugins":1}}"#)
    others.ofNewApps = "trial"
    let fewer = others
    try await run(plans: fewer) { (ledger, _) async throws in
      #expect(
        ledger.strays.uses == [PlanUse(plan: "free", apps: 1), PlanUse(plan: "paid", apps: 2)])
      #expect(ledger.plan(of: "one") == "paid" && ledger.bound(.plugins, of: "one") == 1)
      // Of whom nothing was ever said is on the plan of new apps, where there is none called free.
      #expect(ledger.plan(of: "four") == "trial" && ledger.bound(.plugins, of: "four") == 1)
      ledger.set(plans)
      #expect(ledger.strays.uses == [] && ledger.bound(.plugins, of: "one") == 9)
      ledger.set(fewer)
      #expect(ledger.strays.uses.count == 2 && ledger.bound(.plugins, of: "one") == 1)
    }
    let known = try StoredApp.plans(dataDirectory: bench.folder + "/data")
    #expect(known == [PlanUse(plan: "free", apps: 1), PlanUse(plan: "paid", apps: 2)])
    #expect(try StoredApp.plans(dataDirectory: bench.folder) == [])
    #expect(
      known.last?.stray(heldBy: fewer)
        == #"2 apps are on the plan "paid", which is none of "plans": what "trial" allows holds for them"#
    )
  }

  @Test func `finds the plan that a tenant was made on, and none of one that had its name`()
    async throws
  {
    let plans = try Self.plans(#"{"free":{},"paid":{"plugins":9}}"#)
    func planAfter(
      _ change: (TenantRegistry) async throws -> Void
    ) async throws -> String {
      try await bench.run { try await change($0) }
      return try await run(plans: plans) { (ledger, _) async throws in ledger.plan(of: "app") }
    }
    #expect(try await planAfter { _ = try await $0.create("app", plan: "paid").get() } == "paid")
    #expect(try await planAfter { _ = try await $0.remove("app").get() } == "free")
    #expect(try await planAfter { _ = try await $0.create("app", plan: "paid").get() } == "paid")
    try await bench.tamper("DELETE FROM sluice_tenants")
    // A row that somebody else has left is not taken for the new one's.
    #expect(try await planAfter { _ = try await $0.create("app").get() } == "free")
  }

  @Test func `forgets a tenant that is removed`() async throws {
    try await run { (ledger, store) async throws in
      ledger.usage(of: "app").giveBack(TenantUsage.Counts(requests: 3))
      await ledger.flush()
      try await ledger.setPlan("free", of: "app")
      await ledger.forget("app")
      #expect(try await store.controlRows("SELECT tenant FROM sluice_usage").isEmpty)
      #expect(try await store.controlRows("SELECT tenant FROM sluice_tenant_plans").isEmpty)
    }
  }

  @Test func `lets go of what is older than 400 days`() async throws {
    try await run { (ledger, _) async throws in
      ledger.usage(of: "app").giveBack(TenantUsage.Counts(requests: 3))
      await ledger.flush()
    }
    bench.advance(hours: UsageLedger.retention + 1)
    try await run { (ledger, _) async throws in #expect(try await hours(ledger, "app") == []) }
  }

  @Test(arguments: [
    (#"{"free":{"request_per_month":1}}"#, "requests_per_month"), (#"{"Free":{}}"#, "Free"),
    (#"{"free":{"plugins":-1}}"#, "plugins"), (#"{"free":7}"#, "free"), ("[]", "object"),
  ])
  func `has plans that are written as they should be`(text: String, word: String) throws {
    do {
      _ = try Self.plans(text)
      Issue.record("\(text) is accepted")
    } catch let error as ConfigurationError {
      #expect(error.description.contains(word), "\(error.description)")
    }
  }
}
