import Testing

@testable import PluginHost

@Suite struct `Sealing key` {
  private static func key(_ first: UInt8 = 0) throws -> SealingKey {
    let bytes = (0..<32).map { first &+ UInt8($0) }
    return try SealingKey(
      bytes.withUnsafeBytes { SecretBytes(copying: $0) }, path: "test.key", isNew: false)
  }

  private static func seal(
    _ key: SealingKey, _ secret: [UInt8], _ tenant: String = "acme", _ name: String = "chat.key"
  ) throws -> [UInt8] {
    try secret.withUnsafeBytes { try key.seal($0, tenant: tenant, name: name) }
  }

  private static func open(
    _ key: SealingKey, _ sealed: [UInt8], _ tenant: String = "acme", _ name: String = "chat.key"
  ) throws -> [UInt8] {
    try key.open(sealed, tenant: tenant, name: name).withBytes { [UInt8]($0) }
  }

  @Test(arguments: [0, 1, 15, 16, 17, 32, 4_096, 65_536])
  func `gives back what it sealed`(size: Int) throws {
    let key = try Self.key()
    let secret = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31) }
    let sealed = try Self.seal(key, secret)
    #expect(sealed.count == size + 29)
    #expect(try Self.open(key, sealed) == secret)
  }

  /// Made by another implementation of AES-256-GCM (NIST SP 800-38D), with key 00…1f and nonce 64…6f.
  @Test func `opens what others sealed in its format`() throws {
    let text = "016465666768696a6b6c6d6e6f3f73ad031ab622fb4d16067997aed35796fb9aa197b49eb46ec1"
    let digits = Array(text)
    let sealed = stride(from: 0, to: digits.count, by: 2).map {
      UInt8(String(digits[$0...($0 + 1)]), radix: 16)!
    }
    let opened = try Self.open(try Self.key(), sealed, "acme", "webhooks.signing")
    #expect(String(decoding: opened, as: UTF8.self) == "whsec_test")
  }

  @Test func `seals the same secret differently each time`() throws {
    let key = try Self.key()
    let sealed = try (0..<64).map { _ in try Self.seal(key, [1, 2, 3]) }
    #expect(Set(sealed.map { Array($0[1..<13]) }).count == 64)
  }

  @Test
  func
    `refuses a sealed secret with any bit changed, and names tenant and name but never the value`()
    throws
  {
    let key = try Self.key()
    let secret = Array("opensesame".utf8)
    let sealed = try Self.seal(key, secret)
    for bit in 0..<(sealed.count * 8) {
      var changed = sealed
      changed[bit / 8] ^= 1 << (bit % 8)
      let error = tenantError { try Self.open(key, changed) }
      #expect(error?.code == .damaged, "bit \(bit)")
      #expect(error?.message.contains("\"chat.key\" of tenant \"acme\"") == true)
      #expect(error?.message.contains("opensesame") == false)
    }
  }

  @Test func `refuses a sealed secret that is cut short or grown`() throws {
    let key = try Self.key()
    let sealed = try Self.seal(key, [7, 7, 7, 7])
    for length in 0..<sealed.count {
      #expect(tenantError { try Self.open(key, Array(sealed[..<length])) }?.code == .damaged)
    }
    #expect(tenantError { try Self.open(key, sealed + [0]) }?.code == .damaged)
  }

  @Test func `binds a secret to its tenant and its name`() throws {
    let key = try Self.key()
    let sealed = try Self.seal(key, [1], "acme", "chat.key")
    for (tenant, name) in [
      ("globex", "chat.key"), ("acme", "chat.other"), ("acm", "echat.key"), ("acmechat", ".key"),
    ] {
      #expect(tenantError { try Self.open(key, sealed, tenant, name) }?.code == .damaged)
    }
  }

  @Test func `refuses what another key sealed`() throws {
    let sealed = try Self.seal(try Self.key(), [1])
    let error = tenantError { try Self.open(try Self.key(1), sealed) }
    #expect(error?.code == .damaged)
    #expect(error?.message.contains("test.key") == true)
  }
}
