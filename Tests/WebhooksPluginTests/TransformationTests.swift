import PluginKit
import PluginTesting
import Testing

@testable import WebhooksPlugin

@Suite struct `A transformation of events` {
  private struct Question: Decodable {
    struct Endpoint: Decodable { var url: String }
    struct Event: Decodable {
      var type: String
      var channel: String?
      var data: RawJSON
    }

    var endpoint: Endpoint
    var event: Event
  }

  private struct Answer: Encodable {
    var action: String
    var data: RawJSON?
  }

  @Test func `passes, rewrites and drops`() async throws {
    let hooks = try await WebhooksHost(["transform": "true"])
    try await hooks.host.provide("sluice.webhook-transform/1", method: 1) {
      (question: Question) -> Answer in
      switch question.event.type {
      case "shop.sold": Answer(action: "pass")
      case "shop.hidden": Answer(action: "drop")
      default: Answer(action: "rewrite", data: #"{"of":"another"}"#)
      }
    }
    let made = try await hooks.add()
    try await hooks.emit("shop.sold")
    try await hooks.emit("shop.hidden")
    try await hooks.emit("shop.other")
    let data = hooks.server.requests().map { $0.body.split(separator: "\"data\":").last ?? "" }
    #expect(data == [#"{"n":1}}"#, #"{"of":"another"}}"#])
    #expect(try await hooks.deliveries(of: made.id).allSatisfy { $0.state == "succeeded" })
    try await hooks.host.close()
  }

  @Test func `that fails for some events holds up no others`() async throws {
    let hooks = try await WebhooksHost(["transform": "true"])
    try await hooks.host.provide("sluice.webhook-transform/1", method: 1) {
      (question: Question) throws -> Answer in
      guard question.event.type == "shop.sold" else { throw HostError(.unavailable, "never") }
      return Answer(action: "pass")
    }
    let made = try await hooks.add()
    for _ in 0..<3 { try await hooks.emit("shop.odd") }
    for _ in 0..<3 { try await hooks.emit() }
    try await hooks.pass(seconds: 30)
    #expect(hooks.server.requests().count == 3)
    let waiting = try await hooks.deliveries(of: made.id, "?state=pending")
    #expect(waiting.map(\.attempts) == [0, 0, 0])
    #expect(
      waiting.allSatisfy { $0.lastError == "a transformation has not answered; nothing was sent" })
    #expect(try await hooks.read(made.id).failingSince == nil)
    try await hooks.host.close()
  }

  @Test func `that never answers for an event has it given up in the end, and its channel go on`()
    async throws
  {
    let hooks = try await WebhooksHost(["transform": "true", "retention_hours": "1"])
    try await hooks.host.provide("sluice.webhook-transform/1", method: 1) {
      (question: Question) throws -> Answer in
      guard question.event.type == "shop.sold" else { throw HostError(.unavailable, "never") }
      return Answer(action: "pass")
    }
    let made = try await hooks.add("/", #","ordered":true"#)
    try await hooks.emit("shop.odd", channel: "shop:a")
    try await hooks.pass(seconds: 3_000)
    try await hooks.emit(channel: "shop:a")
    #expect(hooks.server.requests().isEmpty)
    try await hooks.pass(seconds: 700)
    #expect(hooks.server.requests().count == 1)
    #expect(try await hooks.deliveries(of: made.id).map(\.state) == ["succeeded", "failed"])
    try await hooks.host.close()
  }

  @Test func `that does not answer lets nothing out, and blames nobody`() async throws {
    let hooks = try await WebhooksHost(["transform": "true"])
    let made = try await hooks.add()
    try await hooks.emit()
    try await hooks.pass(seconds: 10)
    #expect(hooks.server.requests().isEmpty)
    #expect(try await hooks.deliveries(of: made.id).map(\.attempts) == [0])
    try await hooks.host.provide("sluice.webhook-transform/1", method: 1) {
      (question: Question) -> Answer in Answer(action: "pass")
    }
    try await hooks.pass(seconds: 10)
    #expect(hooks.server.requests().count == 1)
    try await hooks.host.close()
  }
}
