import PluginCrypto
import PluginKit
import PluginTesting
import Testing

@testable import WebhooksPlugin

@Suite struct `Events that others send` {
  private static let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
  private static let body = #"{"id":"evt_1","n":1}"#

  private struct Received: Decodable {
    var source: String
    var id: String
    var payload: RawJSON
  }

  private func hexadecimal(_ bytes: [UInt8]) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }

  /// The fields with which a sender sends a body at a time.
  private func fields(
    _ kind: String, _ body: String, _ secret: String, at seconds: Int64, id: String = "msg_1"
  ) throws -> [(String, String)] {
    let sender = try #require(Sender(rawValue: kind))
    let key = try #require(sender.key(of: secret))
    func sign(_ text: String) -> [UInt8] { Digest.hmacSHA256(Array(text.utf8), key: key) }
    return switch sender {
    case .standard:
      [
        ("webhook-id", id), ("webhook-timestamp", "\(seconds)"),
        (
          "webhook-signature",
          "v1,AAAA v1," + Base64.standard.encode(sign("\(id).\(seconds).\(body)"))
        ),
      ]
    case .stripe:
      [
        (
          "Stripe-Signature",
          "t=\(seconds),v1=\(hexadecimal(sign("\(seconds).\(body)"))),v0=00"
        )
      ]
    case .github: [("X-Hub-Signature-256", "sha256=" + hexadecimal(sign(body)))]
    }
  }

  private func send(
    _ hooks: WebhooksHost, _ source: String, _ body: String, _ fields: [(String, String)]
  ) async throws -> Int {
    let reply = try await hooks.host.request(
      "POST", "/v1/hooks/\(source)", headers: fields, body: body)
    try await hooks.host.settle()
    return reply.status
  }

  private func received(_ hooks: WebhooksHost) async throws -> [Received] {
    try await hooks.host.events.filter { $0.type == "webhooks.hook.received" }.map {
      try $0.data.decode()
    }
  }

  @Test(arguments: [
    ("standard", secret), ("stripe", "whsec_stripe"), ("github", "a secret of mine"),
  ]) func `become events, once each`(kind: String, secret: String) async throws {
    let hooks = try await WebhooksHost()
    let made = try await hooks.ask(
      "PUT", "/v1/hook-sources/shop", "{\"kind\":\"\(kind)\",\"secret\":\"\(secret)\"}")
    #expect(made.status == 200)
    #expect(!made.text.contains("secret"))
    let now = hooks.host.now.unixMilliseconds / 1_000
    let good = try fields(kind, Self.body, secret, at: now)
    #expect(try await send(hooks, "shop", Self.body, good) == 204)
    // It is repeated by its sender, or by somebody who has listened.
    #expect(try await send(hooks, "shop", Self.body, good) == 204)
    let found = try await received(hooks)
    #expect(found.map(\.source) == ["shop"])
    #expect(found.first?.payload.text == Self.body)
    #expect(try await send(hooks, "shop", Self.body + " ", good) == 401)
    #expect(try await send(hooks, "shop", Self.body, []) == 401)
    #expect(try await send(hooks, "other", Self.body, good) == 404)
    let wrong = try fields(
      kind, Self.body,
      kind == "standard"
        ? "whsec_" + Base64.standard.encode([UInt8](repeating: 7, count: 24)) : "whsec_other",
      at: now)
    #expect(try await send(hooks, "shop", Self.body, wrong) == 401)
    #expect(try await received(hooks).count == 1)
    try await hooks.host.close()
  }

  @Test(arguments: ["standard", "stripe"])
  func `are too old after five minutes, and too new before`(kind: String) async throws {
    let hooks = try await WebhooksHost()
    _ = try await hooks.ask(
      "PUT", "/v1/hook-sources/shop", "{\"kind\":\"\(kind)\",\"secret\":\"\(Self.secret)\"}")
    let now = hooks.host.now.unixMilliseconds / 1_000
    for (distance, status) in [(-301, 401), (301, 401), (-299, 204)] as [(Int64, Int)] {
      let signed = try fields(kind, Self.body, Self.secret, at: now + distance)
      #expect(try await send(hooks, "shop", Self.body, signed) == status, "\(distance)")
    }
    try await hooks.host.close()
  }

  @Test func `are good with the secret before for as long as is said`() async throws {
    let hooks = try await WebhooksHost()
    let path = "/v1/hook-sources/shop"
    _ = try await hooks.ask("PUT", path, #"{"kind":"github","secret":"the first one"}"#)
    _ = try await hooks.ask(
      "PUT", path, #"{"kind":"github","secret":"the second one","grace_seconds":60}"#)
    for (body, secret) in [("1", "the first one"), ("2", "the second one")] {
      let signed = try fields("github", body, secret, at: 0)
      #expect(try await send(hooks, "shop", body, signed) == 204)
    }
    try await hooks.pass(seconds: 61)
    let late = try fields("github", "3", "the first one", at: 0)
    #expect(try await send(hooks, "shop", "3", late) == 401)
    #expect(try await hooks.ask("DELETE", path).status == 204)
    #expect(try await hooks.ask("GET", path).status == 404)
    try await hooks.host.close()
  }

  @Test func `are JSON, of sources with a name`() async throws {
    let hooks = try await WebhooksHost()
    _ = try await hooks.ask(
      "PUT", "/v1/hook-sources/shop", #"{"kind":"github","secret":"a secret of mine"}"#)
    let signed = try fields("github", "{", "a secret of mine", at: 0)
    #expect(try await send(hooks, "shop", "{", signed) == 400)
    let unnamed = try await hooks.ask(
      "PUT", "/v1/hook-sources/No%20Name", #"{"kind":"github","secret":"a secret of mine"}"#)
    #expect(unnamed.status == 400)
    let noSecret = try await hooks.ask(
      "PUT", "/v1/hook-sources/shop", #"{"kind":"standard","secret":"whsec_short"}"#)
    #expect(noSecret.status == 400)
    try await hooks.host.close()
  }
}
