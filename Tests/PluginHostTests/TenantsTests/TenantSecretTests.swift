import Store
import Testing

@testable import PluginHost

@Suite struct `Tenant secrets` {
  private let bench = TenantBench()

  @Test func `are replaced, removed and put only if absent`() async throws {
    try await bench.run { (registry) async throws in
      _ = try await registry.create("acme").get()
      try await registry.putSecret("acme", "chat.k", Array("one".utf8), onlyIfAbsent: true).get()
      #expect(try registry.text("acme", "chat.k") == "one")
      let second = await registry.putSecret("acme", "chat.k", Array("two".utf8), onlyIfAbsent: true)
      #expect(
        second.code == .conflict
          && second.message == "tenant \"acme\" has a secret \"chat.k\" already")
      #expect(try registry.text("acme", "chat.k") == "one")
      try await registry.putSecret("acme", "chat.k", Array("two".utf8)).get()
      #expect(try registry.text("acme", "chat.k") == "two")
      try await registry.putSecret("acme", "chat.k", nil).get()
      #expect(try registry.text("acme", "chat.k") == nil)
      try await registry.putSecret("acme", "chat.k", nil).get()
      #expect(try await registry.store.controlRows("SELECT * FROM sluice_secrets").isEmpty)
    }
  }

  @Test(arguments: ["", "Chat.k", ".k", "1k", "a b", "a/b", "ä", String(repeating: "a", count: 65)])
  func `have names of their grammar`(name: String) async throws {
    try await bench.run { (registry) async throws in
      _ = try await registry.create("acme").get()
      #expect(await registry.putSecret("acme", name, [1]).code == .invalid)
      #expect(await registry.putSecret("acme", name, nil).code == .invalid)
    }
  }

  @Test func `are nowhere in the files in clear`() async throws {
    let secret = "a-very-secret-signing-key"
    try await bench.run { (registry) async throws in
      _ = try await registry.create("acme").get()
      try await registry.putSecret("acme", "chat.k", Array(secret.utf8)).get()
    }
    for name in try FileSystem.names(in: bench.folder + "/data") where name.hasPrefix("control") {
      let bytes = try FileSystem.contents(of: "\(bench.folder)/data/\(name)", limit: 16 << 20)
      #expect(!String(decoding: bytes, as: UTF8.self).contains(secret))
    }
  }

  @Test func `that were changed in the file are refused, each time, and leave the others alone`()
    async throws
  {
    try await bench.run { (registry) async throws in
      _ = try await registry.create("acme").get()
      _ = try await registry.create("globex").get()
      for (tenant, name) in [
        ("acme", "chat.a"), ("acme", "chat.b"), ("acme", "chat.c"), ("globex", "chat.a"),
      ] {
        try await registry.putSecret(tenant, name, Array("hush-\(tenant)-\(name)".utf8)).get()
      }
    }
    try await bench.tamper(
      // One with its end gone, one taken from another tenant.
      "UPDATE sluice_secrets SET sealed = substr(sealed, 1, 40) WHERE name = 'chat.b'",
      """
      UPDATE sluice_secrets SET sealed =
        (SELECT sealed FROM sluice_secrets WHERE tenant = 'globex' AND name = 'chat.a')
      WHERE tenant = 'acme' AND name = 'chat.a'
      """)
    try await bench.run { (registry) async throws in
      for _ in 0..<2 {
        for name in ["chat.a", "chat.b"] {
          let error = tenantError { try registry.secret(tenant: "acme", name: name) }
          #expect(error?.code == .damaged)
          #expect(error?.message.contains("secret \"\(name)\" of tenant \"acme\"") == true)
          #expect(error?.description.contains("hush") == false)
        }
      }
      #expect(try registry.text("acme", "chat.c") == "hush-acme-chat.c")
      #expect(try registry.text("globex", "chat.a") == "hush-globex-chat.a")
      // Putting it anew mends it.
      try await registry.putSecret("acme", "chat.a", [65]).get()
      #expect(try registry.text("acme", "chat.a") == "A")
    }
  }

  @Test func `need the key they were sealed with, which is found out when the registry opens`()
    async throws
  {
    try await bench.run { _ = try await $0.create("acme").get() }
    try FileSystem.replaceKey(bench.keyFile, with: 0x41)
    let error = try #require(try await bench.openingError())
    #expect(error.code == .wrongKey)
    #expect(error.message.contains("the key in \(bench.keyFile) is not the one"))
  }

  @Test func `are not lost silently when the key file is`() async throws {
    try await bench.run { _ = try await $0.create("acme").get() }
    try FileSystem.removeKey(bench.keyFile)
    let error = try #require(try await bench.openingError())
    #expect(error.code == .wrongKey)
    #expect(error.message.contains("which was made just now because there was none"))
  }

  @Test func `without the value that tells their key are refused`() async throws {
    try await bench.run { (registry) async throws in
      _ = try await registry.create("acme").get()
      try await registry.putSecret("acme", "chat.k", [1]).get()
    }
    try await bench.tamper("DELETE FROM sluice_seal")
    #expect(try await bench.openingError()?.code == .damaged)
  }
}
