import Store
import Synchronization
import Testing

@testable import PluginHost

@Suite struct `Tenant changes` {
  private let bench = TenantBench()

  @Test func `of thousands of tenants are kept and come back`() async throws {
    let count = 2_000
    let before = try await bench.run { (registry) async throws in
      await withTaskGroup { group in
        for number in 0..<count {
          group.addTask {
            let tenant = "t\(number)"
            async let made = registry.create(
              tenant, plugins: ["chat": PluginSetting(enabled: true)])
            _ = await made
            _ = await registry.setHosts(tenant, ["\(tenant).example.com"])
            _ = await registry.putCredential(tenant, sampleKey("key", number))
            _ = await registry.putSecret(tenant, "chat.k", Array(tenant.utf8))
          }
        }
      }
      // Far fewer commits than changes: they go together.
      #expect(registry.store.counters.commits < UInt64(count * 4) / 2)
      return registry.all()
    }
    #expect(before.count == count)
    #expect(Set(before.map(\.revision)).count == count)
    try await bench.run { (registry) async throws in
      #expect(registry.all() == before)
      for number in 0..<count { #expect(try registry.text("t\(number)", "chat.k") == "t\(number)") }
    }
  }

  @Test func `that compete are won by one of them, and every one is answered once`() async throws {
    try await bench.run { (registry) async throws in
      for number in 0..<20 { _ = try await registry.create("t\(number)").get() }
      let outcomes = await withTaskGroup(of: [Bool].self) { group in
        for number in 0..<20 {
          group.addTask {
            [
              await registry.setHosts("t\(number)", ["only.example.com"]).code == nil,
              await registry.putCredential("t\(number)", sampleKey("key", 7)).code == nil,
              await registry.putSecret("t0", "chat.first", [UInt8(number)], onlyIfAbsent: true).code
                == nil,
              await registry.create("same").code == nil,
            ]
          }
        }
        return await group.reduce(into: []) { $0.append($1) }
      }
      #expect(outcomes.count == 20)
      for index in 0..<4 { #expect(outcomes.filter { $0[index] }.count == 1) }
      #expect(registry.all().filter { $0.hosts == ["only.example.com"] }.count == 1)
      #expect(registry.all().filter { !$0.keys.isEmpty }.count == 1)
    }
  }

  @Test func `are checked against those before them that are not written yet`() async throws {
    try await bench.run { (registry) async throws in
      let flag = Flag()
      try await registry.store.hold(until: flag)
      let answers = Mutex<[String]>([])
      let note: @Sendable (String) -> TenantRegistry.Completion = { name in
        { result in answers.withLock { $0.append("\(name): \(result.code?.rawValue ?? "done")") } }
      }
      // The first goes alone; the rest waits, and then goes together.
      registry.create("busy", completion: note("busy"))
      registry.create("acme", completion: note("create"))
      registry.create("acme", completion: note("again"))
      registry.setHosts("acme", hosts: ["a.com"], completion: note("hosts"))
      registry.create("globex", completion: note("other"))
      registry.setHosts("globex", hosts: ["a.com"], completion: note("taken"))
      registry.remove("acme", completion: note("remove"))
      registry.setHosts("globex", hosts: ["a.com"], completion: note("free"))
      registry.setPlugin(
        "acme", plugin: "chat", setting: PluginSetting(enabled: true), completion: note("gone"))
      // Nothing is to be seen before it is on disk.
      #expect(registry.count == 0 && answers.withLock { $0 } == [])
      flag.set()
      _ = await registry.create("last")
      #expect(
        answers.withLock { $0 } == [
          "busy: done", "create: done", "again: conflict", "hosts: done", "other: done",
          "taken: conflict",
          "remove: done", "free: done", "gone: not_found",
        ])
      #expect(registry.record("globex")?.hosts == ["a.com"] && registry.record("acme") == nil)
    }
  }

  @Test func `may be asked for by a completion`() async throws {
    try await bench.run { (registry) async throws in
      let last = await withCheckedContinuation { waiter in
        registry.create("acme") { _ in
          registry.setHosts("acme", hosts: ["a.com"]) { _ in
            registry.setHosts("acme", hosts: ["a.com"]) { _ in
              registry.setHosts("acme", hosts: ["b.com"]) { waiter.resume(returning: $0) }
            }
          }
        }
      }
      #expect(try last.get().hosts == ["b.com"])
    }
  }

  @Test func `in a group with one that the file refuses still come through`() async throws {
    try await bench.run { (registry) async throws in
      for tenant in ["one", "two", "three"] { _ = try await registry.create(tenant).get() }
      // Somebody else writes to the row of "two".
      try await registry.store.tamper(["UPDATE sluice_tenants SET revision = 99 WHERE id = 'two'"])
      let flag = Flag()
      try await registry.store.hold(until: flag)
      let answers = Mutex<[TenantRegistry.Answer]>([])
      let note: TenantRegistry.Completion = { result in answers.withLock { $0.append(result) } }
      registry.create("busy", completion: note)
      registry.setHosts("one", hosts: ["one.com"], completion: note)
      registry.setHosts("two", hosts: ["two.com"], completion: note)
      // Refused only as long as the one before it might have come through.
      registry.setHosts("three", hosts: ["two.com"], completion: note)
      registry.create("four", completion: note)
      flag.set()
      _ = try await registry.create("last").get()
      let all = answers.withLock { $0 }
      #expect(all.map(\.code) == [nil, nil, .damaged, nil, nil])
      #expect(
        all[2].message.contains(
          "keeping tenant \"two\": control.sqlite has been changed by something else"))
      #expect(registry.record("two")?.hosts == [])
      #expect(registry.record("three")?.hosts == ["two.com"])
    }
    try await bench.run { (registry) async throws in
      #expect(registry.all().map(\.id) == ["busy", "four", "last", "one", "three", "two"])
      #expect(registry.record("two")?.hosts == [] && registry.record("three")?.hosts == ["two.com"])
    }
  }

  @Test func `that do not fit on the disk leave memory as the disk is`() async throws {
    let config = #"{"a":""# + String(repeating: "x", count: 60_000) + #""}"#
    let smallDisk: (inout StoreOptions) -> Void = { $0.maximumFileBytes = 1 << 20 }
    let known = try await bench.run(smallDisk) { (registry) async throws in
      var failure: TenantError?
      var number = 0
      while failure == nil && number < 100 {
        number += 1
        let made = await registry.create(
          "t\(number)", plugins: ["chat": PluginSetting(enabled: true, config: config)])
        if case .failure(let error) = made { failure = error }
      }
      #expect(failure?.code == .store && failure?.storeCode == .storageFull)
      #expect(failure?.message.contains("keeping tenant \"t\(number)\"") == true)
      #expect(registry.record("t\(number)") == nil)
      // Many at once, all refused, and then one that removes what was there.
      await withTaskGroup { group in
        for index in 0..<20 {
          group.addTask {
            let made = await registry.create(
              "u\(index)", plugins: ["chat": PluginSetting(enabled: true, config: config)])
            #expect(made.code == .store)
          }
        }
      }
      _ = try await registry.remove("t1").get()
      return registry.all()
    }
    try await bench.run { #expect($0.all() == known) }
  }

  @Test func `of a closed store are refused and change nothing`() async throws {
    let store = try bench.store()
    let registry = try await TenantRegistry.open(store: store, sealing: try bench.key())
    _ = try await registry.create("acme").get()
    store.close()
    let answer = await registry.setHosts("acme", ["a.com"])
    #expect(answer.code == .store)
    if case .failure(let error) = answer { #expect(error.storeCode == .closed) }
    #expect(registry.record("acme")?.hosts == [])
    #expect(await registry.create("globex").code == .store)
    #expect(await registry.create("acme").code == .conflict)
  }

  @Test func `are refused when too many wait`() async throws {
    try await bench.run { (registry) async throws in
      let flag = Flag()
      try await registry.store.hold(until: flag)
      let counts = Mutex<(done: Int, refused: Int)>((0, 0))
      for number in 0..<(TenantLimits.waitingWrites + 11) {
        registry.create("t\(number)") { result in
          counts.withLock {
            if result.code == .overloaded { $0.refused += 1 } else { $0.done += 1 }
          }
        }
      }
      #expect(counts.withLock { $0 } == (0, 10))
      flag.set()
      while counts.withLock({ $0.done }) < TenantLimits.waitingWrites + 1 {
        try await Task.sleep(for: .milliseconds(5))
      }
      #expect(registry.count == TenantLimits.waitingWrites + 1)
    }
  }

  @Test(arguments: [
    "UPDATE sluice_tenant_keys SET digest = x'00'", "UPDATE sluice_tenant_keys SET scopes = x'00'",
    "UPDATE sluice_tenants SET revision = 'new'",
    "UPDATE sluice_tenant_plugins SET config = x'7b7d'",
    "UPDATE sluice_tenant_hosts SET host = x'00'", "UPDATE sluice_secrets SET sealed = 'text'",
  ])
  func `made by others in a way that makes no sense are named when the registry opens`(sql: String)
    async throws
  {
    try await bench.run { (registry) async throws in
      _ = try await registry.create("acme", plugins: ["chat": PluginSetting(enabled: true)]).get()
      _ = try await registry.setHosts("acme", ["a.com"]).get()
      _ = try await registry.putCredential("acme", sampleKey("key", 1)).get()
      try await registry.putSecret("acme", "chat.k", [1]).get()
    }
    try await bench.tamper(sql)
    let error = try #require(try await bench.openingError())
    let table = sql.split(separator: " ")[1]
    #expect(error.code == .damaged)
    #expect(
      error.message.contains("table \(table) of control.sqlite holds a row of tenant \"acme\""))
  }
}
