import PluginKit
import PluginTesting
import Testing

@testable import WebhooksPlugin

@Suite struct `Events of an endpoint that wants them in order` {
  private func numbers(_ hooks: WebhooksHost) -> [String] {
    hooks.server.requests().compactMap { request in
      request.body.split(separator: "\"data\":").last.map { String($0.dropLast()) }
    }
  }

  @Test func `go one after another, and one that fails holds back its channel alone`()
    async throws
  {
    let hooks = try await WebhooksHost()
    let made = try await hooks.add("/", #","ordered":true"#)
    hooks.server.plan("/", .status(500), .status(200))
    try await hooks.emit(channel: "shop:a", "1")
    try await hooks.emit(channel: "shop:a", "2")
    try await hooks.emit(channel: "shop:a", "3")
    try await hooks.emit(channel: "shop:b", "4")
    #expect(numbers(hooks) == ["1", "4"])
    #expect(
      try await hooks.deliveries(of: made.id).map(\.state).sorted() == [
        "pending", "succeeded", "waiting", "waiting",
      ])
    try await hooks.pass(seconds: 6)
    #expect(numbers(hooks) == ["1", "4", "1", "2", "3"])
    #expect(try await hooks.deliveries(of: made.id).allSatisfy { $0.state == "succeeded" })
    try await hooks.host.close()
  }

  @Test func `go on behind one that is given up`() async throws {
    let hooks = try await WebhooksHost(["schedule_seconds": "[0,10]"])
    try await hooks.add("/", #","ordered":true"#)
    hooks.server.plan("/", .status(500), .status(500), .status(200))
    try await hooks.emit(channel: "shop:a", "1")
    try await hooks.emit(channel: "shop:a", "2")
    try await hooks.pass(seconds: 11)
    #expect(numbers(hooks) == ["1", "1", "2"])
    try await hooks.host.close()
  }

  @Test func `cannot be sent before their turn`() async throws {
    let hooks = try await WebhooksHost()
    let made = try await hooks.add("/", #","ordered":true"#)
    hooks.server.plan("/", .status(500))
    try await hooks.emit(channel: "shop:a", "1")
    try await hooks.emit(channel: "shop:a", "2")
    let waiting = try #require(try await hooks.deliveries(of: made.id, "?state=waiting").first)
    let refused = try await hooks.ask(
      "POST", "/v1/webhooks/\(made.id)/deliveries/\(waiting.id)/retry")
    #expect(refused.status == 409)
    try await hooks.host.close()
  }
}
