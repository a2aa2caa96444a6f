import Glibc
import Store
import Testing

@testable import PluginHost

@Suite struct `Static tenants in the registry` {
  private let bench = TenantBench()
  private let folder = ScratchFolder()

  private func read(_ text: String, _ name: String = "acme.json") throws -> StaticTenant {
    try StaticTenant.read(file: folder.write(text, to: name))
  }

  private func digest(_ digit: String) -> String { String(repeating: digit, count: 64) }

  private func acme() throws -> StaticTenant {
    try read(
      """
      {"id": "acme", "hosts": ["acme.com"],
       "plugins": {"chat": {"config": {"size": 3, "on": true}}, "tasks": {"enabled": false}},
       "keys": [{"id": "server", "secret_sha256": "\(digest("a"))", "kind": "secret", "scopes": ["chat.*"]},
                {"id": "app", "secret_sha256": "\(digest("b"))", "kind": "publishable", "scopes": ["*"]}],
       "secrets": {"signing": "hush"}}
      """)
  }

  @Test func `are there as their file says, and are not stored`() async throws {
    let tenant = try acme()
    try await bench.run { (registry) async throws in
      let record = try registry.registerStatic(tenant)
      #expect(registry.record("acme") == record && registry.all() == [record])
      #expect(
        record.isStatic && record.origin == folder.path + "/acme.json" && record.createdAt == 0)
      #expect(record.hosts == ["acme.com"])
      #expect(
        record.plugins == [
          "chat": PluginSetting(enabled: true, config: #"{"size":3,"on":true}"#),
          "tasks": PluginSetting(enabled: false),
        ])
      #expect(record.keys.map(\.id) == ["app", "server"])
      #expect(record.key("server")?.digest == [UInt8](repeating: 0xaa, count: 32))
      #expect(record.key("server")?.scopes == ["chat.*"])
      #expect(record.key("app")?.scopes == [])
      #expect(try registry.text("acme", "tenant.signing") == "hush")
      for table in ["tenants", "secrets"] {
        #expect(try await registry.store.controlRows("SELECT * FROM sluice_\(table)").isEmpty)
      }
    }
    try await bench.run { #expect($0.count == 0) }
  }

  @Test func `are changed in their file alone`() async throws {
    let tenant = try acme()
    try await bench.run { (registry) async throws in
      let record = try registry.registerStatic(tenant)
      let answers = [
        await registry.remove("acme"), await registry.setHosts("acme", []),
        await registry.setPlugin("acme", "chat", PluginSetting(enabled: false)),
        await registry.putCredential("acme", sampleKey("key", 1)),
        await registry.revokeCredential("acme", "server"),
        await registry.putSecret("acme", "tenant.signing", [1]).map { _ in record },
        await registry.putSecret("acme", "tenant.signing", nil).map { _ in record },
      ]
      for answer in answers {
        #expect(answer.code == .isStatic)
        #expect(answer.message.contains(folder.path + "/acme.json"))
      }
      let second = await registry.create("acme")
      #expect(
        second.code == .conflict
          && second.message.contains("it comes from \(folder.path)/acme.json"))
      #expect(registry.record("acme") == record)
      #expect(try registry.text("acme", "tenant.signing") == "hush")
    }
  }

  @Test func `keep the secrets of their plugins over a restart, and even while they are away`()
    async throws
  {
    let tenant = try acme()
    try await bench.run { (registry) async throws in
      try registry.registerStatic(tenant)
      try await registry.putSecret("acme", "auth.signing", [65], onlyIfAbsent: true).get()
    }
    try await bench.run { (registry) async throws in
      // Not given now: nobody sees them, and nobody else gets them.
      let secret = try registry.secret(tenant: "acme", name: "auth.signing")
      #expect(secret == nil)
      #expect(await registry.create("acme").code == .conflict)
    }
    try await bench.run { (registry) async throws in
      try registry.registerStatic(tenant)
      #expect(try registry.text("acme", "auth.signing") == "A")
      #expect(
        await registry.putSecret("acme", "auth.signing", [66], onlyIfAbsent: true).code == .conflict
      )
    }
    try await bench.run { (registry) async throws in
      _ = try await registry.remove("acme").get()
      #expect(await registry.remove("acme").code == .notFound)
      _ = try await registry.create("acme").get()
      #expect(try registry.secret(tenant: "acme", name: "auth.signing") == nil)
    }
  }

  @Test func `do not share an id, a host or a key with a stored one, and the error names both`()
    async throws
  {
    let tenant = try acme()
    try await bench.run { (registry) async throws in
      _ = try await registry.create("acme").get()
      let id = tenantError { try registry.registerStatic(tenant) }
      #expect(id?.code == .conflict)
      #expect(id?.message.hasPrefix("\(folder.path)/acme.json:1:") == true)
      #expect(id?.message.contains("there is a tenant \"acme\" in control.sqlite") == true)

      _ = try await registry.remove("acme").get()
      _ = try await registry.create("globex").get()
      _ = try await registry.setHosts("globex", ["acme.com"]).get()
      let host = tenantError { try registry.registerStatic(tenant) }
      #expect(host?.code == .conflict)
      #expect(
        host?.message.contains(
          "/hosts/0: host \"acme.com\" belongs to tenant \"globex\" in control.sqlite") == true)

      _ = try await registry.setHosts("globex", []).get()
      let key = StoredKey(id: "k", digest: [UInt8](repeating: 0xbb, count: 32), scopes: [])
      _ = try await registry.putCredential("globex", key).get()
      let digest = tenantError { try registry.registerStatic(tenant) }
      #expect(digest?.code == .conflict)
      #expect(
        digest?.message.contains("/keys/1: the same key belongs to tenant \"globex\"") == true)
      #expect(registry.record("acme") == nil)

      _ = try await registry.revokeCredential("globex", "k").get()
      try registry.registerStatic(tenant)
      #expect(await registry.setHosts("globex", ["acme.com"]).message.contains("tenant \"acme\""))
      #expect(await registry.putCredential("globex", key).code == .conflict)
    }
  }

  @Test func `do not share an id with another file's, nor a key id in one`() async throws {
    let tenant = try acme()
    let twin = try read(#"{"id": "acme"}"#, "twin.json")
    let twice = try read(
      """
      {"id": "twice", "keys": [
        {"id": "k", "secret_sha256": "\(digest("c"))", "kind": "secret"},
        {"id": "k", "secret_sha256": "\(digest("d"))", "kind": "secret"}]}
      """, "twice.json")
    try await bench.run { (registry) async throws in
      try registry.registerStatic(tenant)
      let error = tenantError { try registry.registerStatic(twin) }
      #expect(error?.code == .conflict)
      #expect(
        error?.message.contains("twin.json") == true && error?.message.contains("acme.json") == true
      )
      #expect(
        tenantError { try registry.registerStatic(twice) }?.message.contains("stands here twice")
          == true)
      #expect(registry.count == 1)
    }
  }

  @Test func `are checked against a change that is just being written`() async throws {
    let tenant = try acme()
    try await bench.run { (registry) async throws in
      let flag = Flag()
      try await registry.store.hold(until: flag)
      async let made = registry.create("acme")
      while registry.line.withLock({ !$0.isBusy }) { await Task.yield() }
      #expect(tenantError { try registry.registerStatic(tenant) }?.code == .conflict)
      flag.set()
      #expect(try await made.get().isStatic == false)
    }
  }

  @Test func `take secrets from the environment, and say which variable is missing`() async throws {
    // One that there is: setting one is not safe beside other tests, which start programs.
    let path = try #require(getenv("PATH").map { String(cString: $0) })
    let tenant = try read(#"{"id": "acme", "secrets": {"a": "env:PATH"}}"#)
    let lacking = try read(
      #"{"id": "globex", "secrets": {"b": "env:SLUICE_TEST_NOT_SET"}}"#, "globex.json")
    let name = String(repeating: "n", count: 58)
    let long = try read(#"{"id": "long", "secrets": {"\#(name)": "x"}}"#, "long.json")
    try await bench.run { (registry) async throws in
      try registry.registerStatic(tenant)
      #expect(try registry.text("acme", "tenant.a") == path)
      let error = tenantError { try registry.registerStatic(lacking) }
      #expect(error?.code == .invalid)
      #expect(error?.message.contains("/secrets/b") == true)
      #expect(error?.message.contains("SLUICE_TEST_NOT_SET is not set") == true)
      #expect(
        tenantError { try registry.registerStatic(long) }?.message.contains("longer than 57")
          == true)
      #expect(registry.count == 1)
    }
  }

  @Test func `are replaced all at once, and a conflict leaves those that were there`() async throws
  {
    let (old, stays) = (
      try acme(), try read(#"{"id": "stays", "hosts": ["stays.com"]}"#, "stays.json")
    )
    let moved = try read(
      #"{"id": "globex", "hosts": ["acme.com"], "secrets": {"signing": "new"}}"#, "globex.json")
    let double = try read(#"{"id": "double", "hosts": ["stays.com"]}"#, "double.json")
    try await bench.run { (registry) async throws in
      try registry.replaceStatic(with: [old, stays])
      _ = try await registry.create("app").get()
      _ = try await registry.putSecret("acme", "auth.kept", [0x61]).get()
      #expect(tenantError { try registry.replaceStatic(with: [stays, double]) }?.code == .conflict)
      #expect(registry.all().map(\.id) == ["acme", "app", "stays"])
      #expect(try registry.text("acme", "tenant.signing") == "hush")
      try registry.replaceStatic(with: [moved, stays])
      #expect(registry.all().map(\.id) == ["app", "globex", "stays"])
      #expect(registry.record("globex")?.hosts == ["acme.com"])
      #expect(try registry.text("globex", "tenant.signing") == "new")
      try registry.replaceStatic(with: [])
      #expect(registry.all().map(\.id) == ["app"])
      try registry.replaceStatic(with: [try acmeWithoutSecrets()])
      #expect(try registry.text("acme", "tenant.signing") == nil)
      #expect(try registry.text("acme", "auth.kept") == "a")
    }
  }

  @Test func `leave the platform the hosts that are its own`() async throws {
    let own: Set<String> = ["console.acme.com", "late.acme.com"]
    try await bench.run { (registry) async throws in
      try registry.replaceStatic(with: [try acme()], platformHosts: ["console.acme.com"])
      _ = try await registry.create("app").get()
      let refused = await registry.setHosts("app", ["shop.acme.com", "console.acme.com"])
      #expect(refused.code == .conflict)
      var record = try await registry.setHosts("app", ["late.acme.com"]).get()
      #expect(registry.leadingHosts(of: record) == ["late.acme.com"])
      // What an app had before is led nowhere, and does not keep it from having others.
      try registry.replaceStatic(with: [try acme()], platformHosts: own)
      #expect(registry.leadingHosts(of: record) == [])
      record = try await registry.setHosts("app", ["late.acme.com", "shop.acme.com"]).get()
      #expect(registry.leadingHosts(of: record) == ["shop.acme.com"])
    }
  }

  private func acmeWithoutSecrets() throws -> StaticTenant { try read(#"{"id": "acme"}"#) }
}
