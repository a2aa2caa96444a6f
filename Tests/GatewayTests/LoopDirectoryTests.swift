import Testing

@testable import Gateway

@Suite struct `The directory of tenants` {
  static func tenant(_ id: String) -> Tenant { Tenant(id: id, limiter: RateLimiter(limit: 0)) }

  static func digest(_ text: String) -> Digest { withBytes(text) { Digest(of: $0) } }

  static func key(_ id: String, of tenant: String) -> KeyRecord {
    KeyRecord(id: id, tenant: tenant, scopes: ["*"], expiresAt: 0)
  }

  @Test func `finds tenants by id, and knows the platform`() {
    var directory = LoopDirectory()
    #expect(directory.platform == nil)
    let app = Self.tenant("app")
    let platform = Self.tenant("platform")
    directory.add(app)
    directory.add(platform)
    #expect(directory.tenant("app") === app)
    #expect(directory.platform?.takeUnretainedValue() === platform)
    #expect(directory.tenant("nobody") == nil)
    #expect(directory.remove("platform") === platform)
    #expect(directory.platform == nil)
    #expect(directory.remove("platform") == nil)
  }

  @Test func `finds tenants by host, and forgets names that are replaced`() {
    var directory = LoopDirectory()
    let one = Self.tenant("one")
    let two = Self.tenant("two")
    directory.add(one)
    directory.add(two)
    #expect(!directory.hasHosts)
    directory.setHosts(["a.test", "b.test"], of: one)
    directory.setHosts(["c.test"], of: two)
    #expect(directory.tenant(host: "a.test") === one)
    #expect(directory.tenant(host: "c.test") === two)
    directory.setHosts(["b.test", "d.test"], of: one)
    #expect(directory.tenant(host: "a.test") == nil)
    #expect(directory.tenant(host: "b.test") === one)
    #expect(directory.tenant(host: "d.test") === one)
    directory.setHosts([], of: one)
    directory.setHosts([], of: two)
    #expect(!directory.hasHosts)
  }

  @Test func `a key that is put again replaces the one of its id`() {
    var directory = LoopDirectory()
    directory.putKey(Self.digest("old"), Self.key("key_1", of: "app"))
    directory.putKey(Self.digest("other"), Self.key("key_1", of: "else"))
    directory.putKey(Self.digest("new"), Self.key("key_1", of: "app"))
    #expect(directory.key(Self.digest("old")) == nil)
    #expect(directory.key(Self.digest("new"))?.id == "key_1")
    #expect(directory.key(Self.digest("other"))?.tenant == "else")
    var changed = Self.key("key_1", of: "app")
    changed.expiresAt = 5
    directory.putKey(Self.digest("new"), changed)
    #expect(directory.key(Self.digest("new")) == changed)
  }

  @Test func `a key is removed by its id in its own tenant`() {
    var directory = LoopDirectory()
    directory.putKey(Self.digest("one"), Self.key("key_1", of: "app"))
    directory.removeKey("key_1", of: "else")
    directory.removeKey("key_2", of: "app")
    #expect(directory.key(Self.digest("one")) != nil)
    directory.removeKey("key_1", of: "app")
    #expect(directory.key(Self.digest("one")) == nil)
    directory.removeKey("key_1", of: "app")
  }

  @Test func `a tenant goes with its hosts and its keys, and nobody else's`() {
    var directory = LoopDirectory()
    for id in ["one", "two"] {
      let tenant = Self.tenant(id)
      directory.add(tenant)
      directory.setHosts(["\(id).test", "www.\(id).test"], of: tenant)
      for number in 0..<3 {
        directory.putKey(
          Self.digest("\(id)-\(number)"), Self.key("key_\(number)", of: id))
      }
    }
    #expect(directory.remove("one")?.id == "one")
    #expect(directory.tenant("one") == nil)
    #expect(directory.tenant(host: "www.one.test") == nil)
    #expect(directory.tenant(host: "two.test")?.id == "two")
    for number in 0..<3 {
      #expect(directory.key(Self.digest("one-\(number)")) == nil)
      #expect(directory.key(Self.digest("two-\(number)"))?.tenant == "two")
    }
  }
}

@Suite struct `Digests` {
  // FIPS 180-4, the example of one block.
  @Test func `are SHA-256`() {
    let hex = LoopDirectoryHex.text(withBytes("abc") { Digest(of: $0) }.bytes)
    #expect(hex == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
  }

  @Test func `are read back from their 32 bytes and from no others`() {
    let digest = withBytes("secret") { Digest(of: $0) }
    #expect(digest.bytes.withUnsafeBytes { Digest(raw: $0) } == digest)
    #expect(digest.bytes.dropLast().withUnsafeBytes { Digest(raw: $0) } == nil)
    #expect((digest.bytes + [0]).withUnsafeBytes { Digest(raw: $0) } == nil)
    #expect(Digest(raw: UnsafeRawBufferPointer(start: nil, count: 0)) == nil)
    #expect(withBytes("") { Digest(of: $0) } != digest)
  }
}

private enum LoopDirectoryHex {
  static func text(_ bytes: [UInt8]) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }
}
