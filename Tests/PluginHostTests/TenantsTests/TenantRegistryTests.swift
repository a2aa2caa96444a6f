import Store
import Testing

@testable import PluginHost

@Suite struct `Tenant registry` {
  private let bench = TenantBench()

  @Test func `keeps a tenant with everything in it over a restart`() async throws {
    let before = try await bench.run { (registry) async throws in
      _ = try await registry.create(
        "acme",
        plugins: [
          "chat": PluginSetting(enabled: true, config: #"{"b":1,"a":"ü"}"#),
          "dead-letters": PluginSetting(enabled: false),
        ]
      ).get()
      _ = try await registry.setHosts(
        "acme", ["b.example.com", "a.example.com", "xn--bcher-kva.ch"]
      ).get()
      _ = try await registry.putCredential(
        "acme", sampleKey("key_2", 2, scopes: ["chat.read", "tasks.*"])
      ).get()
      _ = try await registry.putCredential("acme", sampleKey("key_1", 1, scopes: [])).get()
      _ = try await registry.putCredential(
        "acme", sampleKey("key_3", 3, expiresAt: bench.now + 5)
      ).get()
      try await registry.putSecret("acme", "chat.signing", Array("hush".utf8)).get()
      try await registry.putSecret("acme", "chat.empty", []).get()
      return try #require(registry.record("acme"))
    }
    #expect(before.createdAt == bench.now && !before.isStatic && before.revision == 5)
    #expect(before.hosts == ["b.example.com", "a.example.com", "xn--bcher-kva.ch"])
    #expect(before.keys.map(\.id) == ["key_1", "key_2", "key_3"])
    try await bench.run { (registry) async throws in
      #expect(registry.all() == [before])
      #expect(registry.count == 1)
      #expect(try registry.text("acme", "chat.signing") == "hush")
      #expect(try registry.text("acme", "chat.empty") == "")
      #expect(try registry.text("acme", "chat.other") == nil)
      #expect(try registry.text("globex", "chat.signing") == nil)
      // Revisions go on where they were.
      #expect(try await registry.create("globex").get().revision == 6)
    }
  }

  @Test func `opens with a completion too`() async throws {
    let store = try bench.store()
    defer { store.close() }
    let key = try bench.key()
    let opened = await withCheckedContinuation { waiter in
      TenantRegistry.open(store: store, sealing: key) { waiter.resume(returning: $0) }
    }
    #expect(try opened.get().count == 0)
    store.close()
    let refused = await withCheckedContinuation { waiter in
      TenantRegistry.open(store: store, sealing: key) { waiter.resume(returning: $0) }
    }
    guard case .failure(let error) = refused else {
      _ = Issue.record("opened a closed store")
      return
    }
    #expect(error.code == .store && error.storeCode == .closed)
  }

  @Test(arguments: [
    "", "Acme", "1acme", "-a", "a b", "a/b", "é", "@control", String(repeating: "a", count: 65),
  ])
  func `refuses what is no tenant id`(id: String) async throws {
    try await bench.run { (registry) async throws in
      let answer = await registry.create(id)
      #expect(answer.code == .invalid)
      #expect(answer.message.contains("is not a tenant id"))
      #expect(registry.count == 0)
    }
  }

  @Test func `refuses a second tenant of one id, and anything for a tenant that there is not`()
    async throws
  {
    try await bench.run { (registry) async throws in
      _ = try await registry.create("acme").get()
      #expect(await registry.create("acme").code == .conflict)
      let answers = [
        await registry.remove("none"), await registry.setHosts("none", []),
        await registry.setPlugin("none", "chat", PluginSetting(enabled: true)),
        await registry.putCredential("none", sampleKey("key", 1)),
        await registry.revokeCredential("none", "key"),
        await registry.putSecret("none", "chat.x", [1]).map { _ in TenantRecord(id: "") },
      ]
      for answer in answers {
        #expect(answer.code == .notFound)
        #expect(answer.message == "there is no tenant \"none\"")
      }
    }
  }

  @Test func `removes a tenant with all that it had`() async throws {
    try await bench.run { (registry) async throws in
      let first = try await registry.create("acme", plugins: ["chat": PluginSetting(enabled: true)])
        .get()
      _ = try await registry.setHosts("acme", ["a.example.com"]).get()
      _ = try await registry.putCredential("acme", sampleKey("key", 1)).get()
      try await registry.putSecret("acme", "chat.key", [1]).get()
      let removed = try await registry.remove("acme").get()
      #expect(removed.hosts == ["a.example.com"] && removed.keys.count == 1)
      #expect(registry.record("acme") == nil && registry.count == 0)
      #expect(try registry.secret(tenant: "acme", name: "chat.key") == nil)
      for table in ["tenants", "tenant_plugins", "tenant_hosts", "tenant_keys", "secrets"] {
        #expect(try await registry.store.controlRows("SELECT * FROM sluice_\(table)").isEmpty)
      }
      // What it held is free again, and its next revision is new.
      _ = try await registry.create("globex").get()
      _ = try await registry.setHosts("globex", ["a.example.com"]).get()
      _ = try await registry.putCredential("globex", sampleKey("key", 1)).get()
      let again = try await registry.create("acme").get()
      #expect(again.revision > removed.revision && removed.revision > first.revision)
      #expect(again.keys.isEmpty && again.hosts.isEmpty && again.plugins.isEmpty)
      #expect(try registry.secret(tenant: "acme", name: "chat.key") == nil)
    }
  }

  @Test func `records a plugin's settings, and writes nothing when they are the same`() async throws
  {
    try await bench.run { (registry) async throws in
      _ = try await registry.create("acme").get()
      let on = PluginSetting(enabled: true, config: #"{"size":3}"#)
      let set = try await registry.setPlugin("acme", "chat", on).get()
      #expect(set.plugins == ["chat": on])
      let commits = registry.store.counters.commits
      #expect(try await registry.setPlugin("acme", "chat", on).get() == set)
      #expect(registry.store.counters.commits == commits)
      let off = PluginSetting(enabled: false, config: on.config)
      #expect(try await registry.setPlugin("acme", "chat", off).get().revision == set.revision + 1)
      #expect(registry.record("acme")?.plugins == ["chat": off])
    }
  }

  @Test(arguments: [
    ("chat", "", "the settings of plugin \"chat\""), ("chat", "[]", "are no JSON object"),
    ("chat", "{\"a\":1,\"a\":2}", "the settings of plugin \"chat\""),
    ("chat", "null", "are no JSON object"),
    ("chat", "{", "the settings of plugin \"chat\""), ("Chat", "{}", "is not a plugin id"),
  ])
  func `refuses settings that are no JSON object, and what is no plugin id`(
    plugin: String, config: String, words: String
  ) async throws {
    try await bench.run { (registry) async throws in
      _ = try await registry.create("acme").get()
      let setting = PluginSetting(enabled: true, config: config)
      for answer in [
        await registry.setPlugin("acme", plugin, setting),
        await registry.create("globex", plugins: [plugin: setting]),
      ] {
        #expect(answer.code == .invalid)
        #expect(answer.message.contains(words))
      }
      #expect(registry.count == 1 && registry.record("acme")?.plugins.isEmpty == true)
    }
  }

  @Test func `gives a host to one tenant at a time`() async throws {
    try await bench.run { (registry) async throws in
      _ = try await registry.create("acme").get()
      _ = try await registry.create("globex").get()
      _ = try await registry.setHosts("acme", ["a.example.com", "b.example.com"]).get()
      let answer = await registry.setHosts("globex", ["c.example.com", "b.example.com"])
      #expect(answer.code == .conflict)
      #expect(answer.message == "host \"b.example.com\" belongs to tenant \"acme\" already")
      #expect(registry.record("globex")?.hosts == [])
      _ = try await registry.setHosts("acme", ["b.example.com", "a.example.com"]).get()
      _ = try await registry.setHosts("acme", ["a.example.com"]).get()
      #expect(
        try await registry.setHosts("globex", ["b.example.com"]).get().hosts == ["b.example.com"])
    }
    try await bench.run { (registry) async throws in
      #expect(registry.all().map(\.hosts) == [["a.example.com"], ["b.example.com"]])
    }
  }

  @Test(arguments: [
    "", "A.example.com", "a.example.com:80", "a..b", "-a.com", "a-.com", "a.com.", "a b", "ü.com",
    String(repeating: "a", count: 64) + ".com",
  ])
  func `refuses what is no host name`(host: String) async throws {
    try await bench.run { (registry) async throws in
      _ = try await registry.create("acme").get()
      let answer = await registry.setHosts("acme", ["ok.example.com", host])
      #expect(
        answer.code == .invalid && answer.message.contains("is not a host name in lower case"))
      #expect(registry.record("acme")?.hosts == [])
      #expect(
        await registry.setHosts("acme", ["x.com", "x.com"]).message
          == "host \"x.com\" is given twice")
    }
  }

  @Test func `says no to more than its limits`() async throws {
    try await bench.run { (registry) async throws in
      _ = try await registry.create("acme").get()
      let plugins = Dictionary(
        uniqueKeysWithValues: (0...TenantLimits.plugins).map {
          ("p\($0)", PluginSetting(enabled: true))
        })
      #expect(await registry.create("big", plugins: plugins).code == .limitExceeded)
      let most = plugins.filter { $0.key != "p0" }
      #expect(
        try await registry.create("most", plugins: most).get().plugins.count == TenantLimits.plugins
      )
      #expect(
        await registry.setPlugin("most", "p0", PluginSetting(enabled: true)).code == .limitExceeded)
      _ = try await registry.setPlugin("most", "p1", PluginSetting(enabled: false)).get()
      let config = #"{"a":""# + String(repeating: "x", count: TenantLimits.configBytes) + #""}"#
      #expect(
        await registry.setPlugin("acme", "chat", PluginSetting(enabled: true, config: config)).code
          == .limitExceeded)
      let hosts = (0...TenantLimits.hosts).map { "h\($0).com" }
      #expect(await registry.setHosts("acme", hosts).code == .limitExceeded)
      #expect(
        try await registry.setHosts("acme", Array(hosts.dropLast())).get().hosts.count
          == TenantLimits.hosts)
      let scopes = (0...TenantLimits.scopes).map { "s\($0)" }
      #expect(
        await registry.putCredential("acme", sampleKey("k", 1, scopes: scopes)).code
          == .limitExceeded)
      let large = [UInt8](repeating: 1, count: TenantLimits.secretBytes + 1)
      #expect(await registry.putSecret("acme", "chat.big", large).code == .limitExceeded)
      for number in 0..<(TenantLimits.allSecretBytes / TenantLimits.secretBytes) {
        try await registry.putSecret("acme", "chat.s\(number)", Array(large.dropLast())).get()
      }
      #expect(await registry.putSecret("acme", "chat.one-more", [1]).code == .limitExceeded)
      try await registry.putSecret("acme", "chat.s0", Array(large.dropLast())).get()
      try await registry.putSecret("acme", "chat.s0", nil).get()
      try await registry.putSecret("acme", "chat.one-more", [1]).get()
    }
    // Rows this long come back in smaller pages.
    let shortPages: (inout StoreOptions) -> Void = { $0.maximumResultBytes = 1 << 20 }
    try await bench.run(shortPages) { (registry) async throws in
      #expect(
        try registry.secret(tenant: "acme", name: "chat.s1")?.count == TenantLimits.secretBytes)
      #expect(try registry.text("acme", "chat.one-more") == "\u{1}")
      #expect(registry.record("acme")?.hosts.last == "h99.com")
    }
  }
}
