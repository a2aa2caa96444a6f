import Gateway
import Store
import Testing

@testable import PluginHost

@Suite struct `Tenant credentials` {
  private let bench = TenantBench()

  @Test func `are let in once by id in a tenant, and once by digest anywhere`() async throws {
    try await bench.run { (registry) async throws in
      _ = try await registry.create("acme").get()
      _ = try await registry.create("globex").get()
      let key = sampleKey("key_1", 1, scopes: ["chat.read"])
      #expect(try await registry.putCredential("acme", key).get().keys == [key])
      let sameID = await registry.putCredential("acme", sampleKey("key_1", 2))
      #expect(sameID.code == .conflict)
      #expect(sameID.message == "tenant \"acme\" has a credential \"key_1\" already")
      let sameDigest = await registry.putCredential("globex", sampleKey("key_9", 1))
      #expect(sameDigest.code == .conflict)
      #expect(sameDigest.message.contains("for tenant \"acme\" already"))
      _ = try await registry.putCredential("globex", sampleKey("key_1", 2)).get()
    }
  }

  @Test(arguments: [
    StoredKey(id: "", digest: [UInt8](repeating: 1, count: 32), scopes: []),
    StoredKey(id: "a b", digest: [UInt8](repeating: 1, count: 32), scopes: []),
    StoredKey(
      id: String(repeating: "k", count: 65), digest: [UInt8](repeating: 1, count: 32), scopes: []),
    StoredKey(id: "k", digest: [], scopes: []),
    StoredKey(id: "k", digest: [UInt8](repeating: 1, count: 33), scopes: []),
    StoredKey(id: "k", digest: [UInt8](repeating: 1, count: 32), scopes: [""]),
    StoredKey(id: "k", digest: [UInt8](repeating: 1, count: 32), scopes: ["a b"]),
    StoredKey(id: "k", digest: [UInt8](repeating: 1, count: 32), scopes: ["ä"]),
    StoredKey(id: "k", digest: [UInt8](repeating: 1, count: 32), scopes: [], expiresAt: -1),
  ])
  func `are refused when malformed`(key: StoredKey) async throws {
    try await bench.run { (registry) async throws in
      _ = try await registry.create("acme").get()
      #expect(await registry.putCredential("acme", key).code == .invalid)
      #expect(registry.record("acme")?.keys == [])
    }
  }

  @Test func `end at once, or at a time, but never later than they would have`() async throws {
    let bench = bench
    try await bench.run { (registry) async throws in
      let now = bench.now
      _ = try await registry.create("acme").get()
      _ = try await registry.putCredential("acme", sampleKey("a", 1)).get()
      _ = try await registry.putCredential("acme", sampleKey("b", 2, expiresAt: now + 1_000)).get()
      func expiries() -> [Int64?] {
        ["a", "b"].map { registry.record("acme")?.key($0)?.expiresAt }
      }
      _ = try await registry.revokeCredential("acme", "a", at: now + 500).get()
      #expect(expiries() == [now + 500, now + 1_000])
      _ = try await registry.revokeCredential("acme", "a", at: now + 900).get()
      _ = try await registry.revokeCredential("acme", "b", at: now + 900).get()
      #expect(expiries() == [now + 500, now + 900])
      _ = try await registry.revokeCredential("acme", "a", at: now - 1).get()
      #expect(expiries() == [nil, now + 900])
      _ = try await registry.revokeCredential("acme", "b").get()
      #expect(expiries() == [nil, nil])
      #expect(await registry.revokeCredential("acme", "b").code == .notFound)
      #expect(await registry.revokeCredential("acme", "b", at: -1).code == .invalid)
      // A digest that was ended may come again.
      _ = try await registry.putCredential("acme", sampleKey("c", 1)).get()
    }
    try await bench.run { #expect($0.record("acme")?.keys.map(\.id) == ["c"]) }
  }

  @Test func `are given other scopes, also over a restart`() async throws {
    try await bench.run { (registry) async throws in
      _ = try await registry.create("acme").get()
      _ = try await registry.putCredential("acme", sampleKey("a", 1, scopes: ["x"])).get()
      _ = try await registry.setScopes("acme", "a", ["y", "z"]).get()
      #expect(registry.record("acme")?.key("a")?.scopes == ["y", "z"])
      #expect(await registry.setScopes("acme", "b", ["y"]).code == .notFound)
      #expect(await registry.setScopes("acme", "a", ["y y"]).code == .invalid)
      #expect(await registry.setScopes("none", "a", ["y"]).code == .notFound)
    }
    try await bench.run { #expect($0.record("acme")?.key("a")?.scopes == ["y", "z"]) }
  }

  @Test func `are known by their last use, which is written once a minute and goes with them`()
    async throws
  {
    func use(_ id: String, _ time: Int64) -> KeyUseReport {
      KeyUseReport(tenant: "acme", id: id, time: time)
    }
    try await bench.run { (registry) async throws in
      _ = try await registry.create("acme").get()
      _ = try await registry.putCredential("acme", sampleKey("a", 1)).get()
      _ = try await registry.putCredential("acme", sampleKey("b", 2)).get()
      registry.note([use("a", 1_000_000), use("b", 1_000_001), use("c", 1_000_002)])
      registry.note([use("a", 1_059_999)])
      #expect(registry.lastUse(of: "a", tenant: "acme") == 1_000_000)
      registry.note([use("a", 1_060_000)])
      #expect(registry.lastUse(of: "a", tenant: "acme") == 1_060_000)
      #expect(registry.lastUse(of: "c", tenant: "acme") == 0)
      // Waits until what was asked for before is on disk.
      _ = try await registry.revokeCredential("acme", "b").get()
    }
    try await bench.run { registry in
      #expect(registry.lastUse(of: "a", tenant: "acme") == 1_060_000)
      #expect(registry.lastUse(of: "b", tenant: "acme") == 0)
      _ = try await registry.remove("acme").get()
      #expect(registry.lastUse(of: "a", tenant: "acme") == 0)
    }
    try await bench.run { #expect($0.lastUse(of: "a", tenant: "acme") == 0) }
  }

  @Test func `that have expired are remembered for a day and then forgotten`() async throws {
    let bench = bench
    try await bench.run { (registry) async throws in
      _ = try await registry.create("acme").get()
      _ = try await registry.putCredential("acme", sampleKey("old", 1, expiresAt: bench.now + 1))
        .get()
      bench.advance(hours: 23)
      #expect(try await registry.putCredential("acme", sampleKey("one", 2)).get().keys.count == 2)
      bench.advance(hours: 2)
      #expect(
        try await registry.putCredential("acme", sampleKey("two", 3, expiresAt: bench.now + 1))
          .get().keys.map(\.id)
          == ["one", "two"])
      #expect(try await registry.store.controlRows("SELECT id FROM sluice_tenant_keys").count == 2)
    }
    bench.advance(hours: 25)
    try await bench.run { (registry) async throws in
      #expect(registry.record("acme")?.keys.map(\.id) == ["one"])
      _ = try await registry.putCredential("acme", sampleKey("two", 3)).get()
    }
  }

  @Test func `are bounded for each tenant, where expired ones make room`() async throws {
    let bench = bench
    try await bench.run { (registry) async throws in
      _ = try await registry.create("acme").get()
      await withTaskGroup { group in
        for number in 0..<TenantLimits.keys {
          group.addTask {
            let key = sampleKey("k\(number)", number, expiresAt: bench.now + 1)
            _ = await registry.putCredential("acme", key)
          }
        }
      }
      #expect(registry.record("acme")?.keys.count == TenantLimits.keys)
      #expect(await registry.putCredential("acme", sampleKey("more", -1)).code == .limitExceeded)
      bench.advance(hours: 25)
      // A hundred at a time, so that one change stays one batch.
      #expect(
        try await registry.putCredential("acme", sampleKey("more", -1)).get().keys.count == 901)
    }
    try await bench.run { #expect($0.record("acme")?.keys.map(\.id) == ["more"]) }
  }
}
