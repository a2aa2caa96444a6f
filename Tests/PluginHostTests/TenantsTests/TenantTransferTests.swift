import Store
import Testing

@testable import PluginHost

@Suite struct `A tenant that is transferred` {
  private let bench = TenantBench()

  private func transfer(_ registry: TenantRegistry) throws -> TenantTransfer {
    let directory = bench.folder + "/data"
    TenantTransfer.prepare(directory)
    return TenantTransfer(
      store: registry.store, registry: registry, directory: directory, installed: [],
      plans: try Plans(named: "paid"))
  }

  /// A tenant with some of everything, more of it than one statement takes.
  private func fill(_ registry: TenantRegistry, _ id: String) async throws {
    _ = try await registry.create(
      id, plugins: ["chat": PluginSetting(enabled: false, config: "{\"a\":1}")]
    ).get()
    for number in 0..<130 {
      let digest = [UInt8](repeating: UInt8(number), count: 31) + [UInt8(id.utf8.count)]
      _ = try await registry.putCredential(
        id, StoredKey(id: "k\(number)", digest: digest, scopes: ["a", "b"])
      ).get()
    }
    for number in 0..<210 {
      try await registry.putSecret(id, "chat.s\(number)", Array("hush \(number)".utf8)).get()
    }
    _ = await withCheckedContinuation { waiter in
      registry.setHosts(id, hosts: ["\(id).example"]) { waiter.resume(returning: $0) }
    }
  }

  @Test func `comes back with everything, in memory and after a restart`() async throws {
    var before: TenantRecord?
    try await bench.run { (registry) async throws in
      try await fill(registry, "acme")
      let transfer = try transfer(registry)
      before = registry.record("acme")
      let file = try transfer.export("acme", seal: nil)
      _ = try await registry.remove("acme").get()
      #expect(registry.record("acme") == nil)
      let archive = try transfer.receive(file, seal: nil)
      #expect(try await !transfer.install(archive, file: file, replaces: false))
      #expect(try registry.text("acme", "chat.s209") == "hush 209")
    }
    try await bench.run { (registry) async throws in
      var after = try #require(registry.record("acme"))
      let revision = try #require(before?.revision)
      #expect(after.revision > revision)
      after.revision = revision
      #expect(after == before)
      for number in [0, 99, 100, 209] {
        #expect(try registry.text("acme", "chat.s\(number)") == "hush \(number)")
      }
      #expect(try await registry.store.controlRows("SELECT * FROM sluice_removed").isEmpty)
    }
  }

  @Test func `takes the place of another only when told, and leaves nothing of it`() async throws {
    try await bench.run { (registry) async throws in
      try await fill(registry, "acme")
      let transfer = try transfer(registry)
      let file = try transfer.export("acme", seal: nil)
      try await registry.putSecret("acme", "chat.later", Array("x".utf8)).get()
      let archive = try transfer.receive(file, seal: nil)
      do throws(TenantError) {
        try transfer.admit(archive, replaces: false)
        Issue.record("no error")
      } catch {
        #expect(error.code == .conflict && error.message.contains("--replace"))
      }
      #expect(try await transfer.install(archive, file: file, replaces: true))
      #expect(try registry.text("acme", "chat.later") == nil)
      #expect(try registry.text("acme", "chat.s1") == "hush 1")
    }
  }

  @Test func `does not take over hosts and credentials of others`() async throws {
    try await bench.run { (registry) async throws in
      try await fill(registry, "acme")
      let record = try #require(registry.record("acme"))
      for change in [
        { $0.hosts = [] }, { $0.keys = [] },
      ] as [(inout TenantRecord) -> Void] {
        var other = TenantRecord(id: "globex")
        other.hosts = record.hosts
        other.keys = record.keys
        change(&other)
        do throws(TenantError) {
          try registry.check(
            .restore(TenantArchive(record: other, secrets: [:]), replaces: false))
          Issue.record("no error")
        } catch {
          #expect(error.code == .conflict && error.message.contains("\"acme\""))
        }
      }
    }
  }

  @Test func `travels under a key of its own, and is refused under any other`() async throws {
    try await bench.run { (registry) async throws in
      try await fill(registry, "acme")
      let transfer = try transfer(registry)
      let journey = try SealingKey(hexadecimal: String(repeating: "0f", count: 32))
      let wrong = try SealingKey(hexadecimal: String(repeating: "f0", count: 32))
      #expect(journey.hexadecimal == String(repeating: "0f", count: 32))
      let file = try transfer.export("acme", seal: journey)
      for key in [nil, wrong] {
        do throws(TenantError) {
          _ = try transfer.receive(file, seal: key)
          Issue.record("no error")
        } catch {
          #expect(error.code == .wrongKey)
        }
      }
      let archive = try transfer.receive(file, seal: journey)
      #expect(try await transfer.install(archive, file: file, replaces: true))
      #expect(try registry.text("acme", "chat.s7") == "hush 7")
    }
  }

  @Test func `brings its plan, where there is one of that name`() async throws {
    try await bench.run { (registry) async throws in
      try await fill(registry, "acme")
      let transfer = try transfer(registry)
      func planned() async throws -> [[SQLValue]] {
        try await registry.store.controlRows("SELECT plan FROM sluice_tenant_plans")
      }
      for plan in ["free", "paid", "lost"] {
        _ = try await registry.store.submit(
          tenant: Store.controlTenant,
          batch: Batch(
            owner: Owner.host, statements: [TenantStatements.choose(plan: plan, of: "acme")]))
        let file = try transfer.export("acme", seal: nil)
        _ = try await registry.store.submit(
          tenant: Store.controlTenant,
          batch: Batch(
            owner: Owner.host, statements: [Statement("DELETE FROM sluice_tenant_plans")]))
        if plan == "lost" {
          let refused = tenantError { try transfer.receive(file, seal: nil) }
          #expect(
            refused?.code == .invalid && refused?.message.contains("there are: free, paid") == true)
          #expect(tenantError { try transfer.receive(file, seal: nil, plan: "none") } != nil)
        }
        let archive = try transfer.receive(file, seal: nil, plan: plan == "lost" ? "free" : nil)
        #expect(try await transfer.install(archive, file: file, replaces: true))
        #expect(try await planned() == [[.text(plan == "lost" ? "free" : plan)]])
      }
    }
  }

  @Test(arguments: [
    "", "0f", String(repeating: "0g", count: 32), String(repeating: "0f", count: 33),
  ])
  func `has no key that is not 64 hexadecimal digits`(text: String) {
    #expect(throws: TenantError.self) { try SealingKey(hexadecimal: text) }
  }

  @Test func `whose file was left when the process ended is deleted when the registry opens`()
    async throws
  {
    let path = bench.folder + "/data/tenants/acme.sqlite"
    try await bench.run { (registry) async throws in
      _ = try await registry.create("acme").get()
      _ = try await registry.store.open(tenant: "acme")
      _ = try await registry.remove("acme").get()
    }
    #expect((try? FileSystem.contents(of: path, limit: 1 << 20)) != nil)
    try await bench.run { (registry) async throws in
      #expect(try await registry.store.controlRows("SELECT * FROM sluice_removed").isEmpty)
    }
    #expect((try? FileSystem.contents(of: path, limit: 1 << 20)) == nil)
  }
}

@Suite struct `A migration's first line` {
  @Test(arguments: [
    ("-- breaking: true\nDROP TABLE a;", true), ("--  breaking:  true", true),
    ("-- breaking: false\n", false), ("DROP TABLE a;\n-- breaking: true", false), ("", false),
  ])
  func `says whether older versions must keep off`(sql: String, isBreaking: Bool) {
    #expect(PluginHost::Migration(number: 1, name: "a", sql: sql).isBreaking == isBreaking)
  }
}

extension Plans {
  /// The standard plan and another.
  fileprivate init(named name: String) throws {
    let text = #"{"\#(Plans.standard)": {}, "\#(name)": {}}"#
    let source = try ConfigReader.read(text: Array(text.utf8), name: "plans")
    self.init(reading: ConfigNode(rootOf: ConfigProblems(source)))
  }
}
