import PluginKit
import PluginTesting
import Synchronization
import Testing

@testable import WebhooksPlugin

@Suite struct `Endpoints that do not take what they get` {
  private final class Letters: Sendable {
    private let subjects = Mutex<[String]>([])
    var all: [String] { subjects.withLock { $0 } }
    func add(_ subject: String) { subjects.withLock { $0.append(subject) } }
  }

  private struct Letter: Decodable {
    var to: String
    var subject: String
    var key: String
  }

  private struct Sent: Encodable {
    var id = "msg_1"
  }

  @Test func `are told of after a day and disabled after five`() async throws {
    let hooks = try await WebhooksHost(["alert_email": #""ops@example.com""#])
    let letters = Letters()
    try await hooks.host.provide("sluice.mailer/1", method: 1) { (letter: Letter) -> Sent in
      letters.add("\(letter.to) \(letter.subject)")
      return Sent()
    }
    let made = try await hooks.add()
    hooks.server.plan("/", .status(500))
    for _ in 0..<5 {
      try await hooks.emit()
      try await hooks.pass(seconds: 86_400)
    }
    #expect(try await hooks.told == ["webhooks.endpoint.failing"])
    #expect(letters.all == ["ops@example.com {product}: a webhook is failing"])
    #expect(try await hooks.read(made.id).failingSince != nil)
    try await hooks.pass(seconds: 86_400)
    let disabled = try await hooks.read(made.id)
    #expect(!disabled.enabled)
    #expect(disabled.disabledReason == "failing")
    #expect(
      try await hooks.told == ["webhooks.endpoint.failing", "webhooks.endpoint.disabled"])
    #expect(letters.all.count == 2)
    let count = hooks.server.requests().count
    try await hooks.emit()
    try await hooks.pass(seconds: 86_400)
    #expect(hooks.server.requests().count == count)
    try await hooks.host.close()
  }

  @Test func `are in order again with one answer`() async throws {
    let hooks = try await WebhooksHost([
      "disable_after_seconds": "100", "failing_after_seconds": "90",
    ])
    let made = try await hooks.add()
    hooks.server.plan("/", .status(500), .status(500), .status(200), .status(500), .status(200))
    try await hooks.emit()
    try await hooks.pass(seconds: 10)
    #expect(try await hooks.read(made.id).failingSince != nil)
    try await hooks.pass(seconds: 300)
    #expect(try await hooks.read(made.id).failingSince == nil)
    // Long behind the first failure, which does not count any more.
    try await hooks.emit()
    #expect(hooks.server.requests().count == 4)
    #expect(try await hooks.read(made.id).enabled)
    #expect(try await hooks.told.isEmpty)
    try await hooks.host.close()
  }

  @Test func `are disabled at once when they are gone`() async throws {
    let hooks = try await WebhooksHost()
    let made = try await hooks.add()
    try await hooks.add("/other")
    hooks.server.plan("/", .status(410), .status(200))
    try await hooks.emit()
    try await hooks.emit()
    try await hooks.pass(seconds: 600)
    let disabled = try await hooks.read(made.id)
    #expect(disabled.disabledReason == "gone")
    #expect(hooks.server.requests().count == 1)
    #expect(hooks.server.requests(at: "/other").count == 2)
    #expect(try await hooks.deliveries(of: made.id).map(\.state).sorted() == ["failed", "missed"])
    // Enabled again it gets what comes, and what it missed where that is asked for.
    _ = try await hooks.ask("PATCH", "/v1/webhooks/\(made.id)", #"{"enabled":true}"#)
    try await hooks.emit()
    #expect(hooks.server.requests().count == 2)
    let began = try await hooks.ask(
      "POST", "/v1/webhooks/\(made.id)/recover", #"{"since":"2026-01-01T00:00:00Z"}"#)
    #expect(began.status == 202)
    try await hooks.pass(seconds: 1)
    #expect(hooks.server.requests().count == 4)
    #expect(try await hooks.deliveries(of: made.id).allSatisfy { $0.state == "succeeded" })
    try await hooks.host.close()
  }
}
