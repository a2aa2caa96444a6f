import CSSL
import PluginKit
import Testing

@testable import ControlPlugin
@testable import PluginTesting

func sha256(_ text: String) -> [UInt8] {
  let bytes = Array(text.utf8)
  var digest = [UInt8](repeating: 0, count: 32)
  SHA256(bytes, bytes.count, &digest)
  return digest
}

@Suite struct `The text of a key` {
  @Test func `has a prefix, 256 random bits and a checksum`() {
    let zero = KeyText(prefix: "sk_", random: [UInt8](repeating: 0, count: 32))
    #expect(zero.text.hasPrefix("sk_" + String(repeating: "0", count: 43)))
    #expect(zero.text.utf8.count == 52)
    let most = KeyText(prefix: "pk_", random: [UInt8](repeating: 255, count: 32))
    #expect(most.text.utf8.count == 52)
    // 2^256 - 1 in base 62, by another program.
    #expect(most.text.hasPrefix("pk_yhjskwdA6OZ1AL1YmHWZWm8LLG7HjnuCA2j5rOw8Xp1"))
    #expect(zero.digest == sha256(zero.text))
  }

  /// The checksum is the first four bytes of the SHA-256 of what stands before it, read as a number.
  @Test func `tells a typing error from an unknown key`() throws {
    let text = KeyText(prefix: "sk_", random: Array(0..<32)).text
    #expect(Self.isWhole(text))
    for index in text.indices {
      var typo = text
      typo.replaceSubrange(index...index, with: text[index] == "a" ? "b" : "a")
      #expect(!Self.isWhole(typo))
    }
    #expect(!Self.isWhole(String(text.dropLast())))
  }

  private static func isWhole(_ text: String) -> Bool {
    let digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    let checksum = text.suffix(6).reduce(UInt64(0)) { sum, digit in
      let value = digits.firstIndex(of: digit).map {
        digits.distance(from: digits.startIndex, to: $0)
      }
      return sum * 62 + UInt64(value ?? 99)
    }
    let body = String(text.dropLast(6))
    return checksum == sha256(body).prefix(4).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
  }
}

@Suite struct `An app's signing secret` {
  @Test func `is rotated, and the old one is kept for its grace`() async throws {
    struct Answer: Decodable {
      var signingSecret: String
      var previousExpiresAt: String

      enum CodingKeys: String, CodingKey {
        case signingSecret = "signing_secret"
        case previousExpiresAt = "previous_expires_at"
      }
    }
    let control = try await ControlHost()
    let app = try await control.makeApp()
    let reply = try await control.request(
      "POST", "/v1/apps/\(app.id)/signing-secret/rotate", #"{"grace_seconds":60}"#)
    #expect(reply.status == 200 && reply.header("cache-control") == "no-store")
    let answer: Answer = try reply.json()
    #expect(answer.signingSecret.hasPrefix("ss_") && answer.signingSecret != app.signingSecret)
    #expect(answer.previousExpiresAt == "2026-01-01T00:01:00.000Z")
    let secrets = try #require(try await control.host.tenants.tenants[app.id]?.secrets)
    #expect(secrets["tenant.signing"] == Array(answer.signingSecret.utf8))
    #expect(
      secrets["tenant.signing.previous"] == Array("1767225660000 \(app.signingSecret)\n".utf8))
    let log = try await control.log(of: app)
    #expect(log.map(\.outcome) == ["done", "begun", "done"])
    try await control.host.close()
  }
}
