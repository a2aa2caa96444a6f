import PluginKit
import Testing

@testable import WebhooksPlugin

private func bytes(_ hexadecimal: String) -> [UInt8] {
  let digits = Array(hexadecimal.utf8)
  return stride(from: 0, to: digits.count, by: 2).compactMap {
    UInt8(String(decoding: digits[$0...($0 + 1)], as: UTF8.self), radix: 16)
  }
}

@Suite struct `Signatures of webhooks` {
  // The example of the specification's own libraries.
  @Test func `with a secret are those of the specification`() throws {
    let secret = try #require(Base64.standard.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".utf8))
    let key = SigningKey(kind: .v1, bytes: secret)
    #expect(key.verifier == "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    let signature = key.signature(
      id: "msg_p5jXN8AQM9LWM0D4loKWxJek", timestamp: 1_614_265_330,
      body: Array(#"{"test": 2432232314}"#.utf8))
    #expect(signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")
  }

  // RFC 8032 §7.1, test 1.
  @Test func `with a key pair are those of RFC 8032`() {
    let seed = bytes("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
    let key = bytes("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
    #expect(Ed25519.publicKey(of: seed) == key)
    let signature =
      "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
    #expect(Ed25519.sign([], with: seed) == bytes(signature))
    #expect(Ed25519.sign([], with: [1, 2, 3]) == nil)
  }

  @Test(arguments: [
    ("", [UInt8]()), ("AA==", [0]), ("AAE=", [0, 1]), ("+/8A", [0xFB, 0xFF, 0]),
  ]) func `are written in base64`(text: String, value: [UInt8]) {
    #expect(Base64.standard.encode(value) == text)
    #expect(Base64.standard.decode(text.utf8) == value)
  }

  @Test(arguments: ["A", "AA", "AAA", "AB==", "A*==", "====", "AA=A"])
  func `are not read from what is no base64`(text: String) {
    #expect(Base64.standard.decode(text.utf8) == nil)
  }
}

@Suite struct `Values of webhooks` {
  @Test(arguments: [
    ("*", "a", true), ("*", "a.b.c", true), ("a.*", "a.b", true), ("a.*", "a.b.c", true),
    ("a.*", "a", false), ("a.*", "ab.c", false), ("*.b", "a.b", true), ("*.b", "a.c.b", false),
    ("a.b", "a.b", true), ("a.b", "a.b.c", false),
  ]) func `choose events by a pattern`(pattern: String, type: String, isMeant: Bool) {
    #expect(EventPattern(pattern).matches(type) == isMeant)
  }

  @Test(arguments: [
    ("chat:a", "chat:a", true), ("chat:a", "chat:ab", false), ("chat:*", "chat:ab", true),
    ("*", "x", true), ("chat:a*", "chat:b", false),
  ]) func `choose channels by a pattern`(pattern: String, channel: String, isMeant: Bool) {
    #expect(ChannelPattern(pattern).matches(channel) == isMeant)
  }

  @Test(arguments: [
    ("120", 120_000), ("0", 0), ("-1", nil), ("soon", nil), ("", nil),
    ("99999999999999999999", Int64.max), ("Thu, 01 Jan 2026 00:01:00 GMT", 60_000),
    ("Wed, 31 Dec 2025 00:00:00 GMT", 0), ("Thu, 1 Jan 2026 00:01:00 GMT", nil),
    ("Thursday, 01-Jan-26 00:01:00 GMT", nil),
  ]) func `say how long an endpoint is to be left alone`(field: String, milliseconds: Int64?) {
    let now = Timestamp(unixMilliseconds: 1_767_225_600_000)
    #expect(RetryAfter.milliseconds(field, at: now) == milliseconds)
  }

  @Test(arguments: [
    ("https://example.com", true), ("https://example.com:8443/a?b=c", true),
    ("http://[::1]:80/", true), ("HTTPS://example.com/", true), ("ftp://example.com", false),
    ("https://", false), ("https:///a", false), ("https://u@example.com/", false),
    ("https://example.com/#a", false), ("https://example.com:0/", false),
    ("https://example.com:65536/", false), ("https://example.com:/", false),
    ("https://exa mple.com/", false), ("https://example.com\\a", false), ("example.com", false),
    ("https://[]/", false), ("https://ex\u{E4}mple.com/", false),
  ]) func `are URLs of endpoints`(url: String, isGood: Bool) {
    #expect((EndpointURL.fault(url, schemes: ["https", "http"]) == nil) == isGood)
    #expect(EndpointURL.fault("http://example.com", schemes: ["https"]) != nil)
  }

  @Test func `let so many through a second, and so many at once`() {
    var bucket = TokenBucket(perSecond: 2, at: 0)
    let first = (0..<3).map { _ in bucket.take(at: 0) }
    #expect(first == [true, true, false])
    let wait = bucket.wait(at: 0)
    #expect(wait == 500)
    let second = [bucket.take(at: 499_000_000), bucket.take(at: 500_000_000)]
    #expect(second == [false, true])
    // A minute saves up no more than a second does.
    let third = (0..<3).map { _ in bucket.take(at: 60_000_000_000) }
    #expect(third == [true, true, false])
  }

  @Test func `shorten and lengthen a pause by chance, within bounds`() throws {
    let settings = try WebhooksHost.settings(["jitter_percent": "10"]).decode(
      WebhookSettings.self)
    let now = Timestamp(unixMilliseconds: 0)
    #expect(settings.next(after: 1, at: now, chance: 0)?.unixMilliseconds == 4_500)
    #expect(settings.next(after: 1, at: now, chance: 0.5)?.unixMilliseconds == 5_000)
    #expect(settings.next(after: 1, at: now, chance: 1)?.unixMilliseconds == 5_500)
    #expect(settings.next(after: 10, at: now, chance: 0) == nil)
  }
}
