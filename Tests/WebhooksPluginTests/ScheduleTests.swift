import PluginKit
import PluginTesting
import Testing

@testable import WebhooksPlugin

@Suite struct `Attempts of a delivery` {
  @Test func `are made by the schedule and then no more`() async throws {
    let hooks = try await WebhooksHost()
    let made = try await hooks.add()
    hooks.server.plan("/", .status(500))
    let start = hooks.host.now
    try await hooks.emit()
    try await hooks.pass(seconds: 4 * 86_400)
    let seconds = hooks.server.requests().map {
      ($0.at.unixMilliseconds - start.unixMilliseconds) / 1_000
    }
    #expect(
      seconds == [0, 5, 305, 2_105, 9_305, 27_305, 63_305, 113_705, 185_705, 272_105])
    let ids = Set(hooks.server.requests().map { $0.fields["webhook-id"] })
    #expect(ids.count == 1)
    let times = hooks.server.requests().compactMap { $0.fields["webhook-timestamp"] }
    #expect(times == hooks.server.requests().map { "\($0.at.unixMilliseconds / 1_000)" })
    let delivery = try #require(try await hooks.deliveries(of: made.id).first)
    #expect(delivery.state == "failed")
    #expect(delivery.attempts == 10)
    #expect(delivery.lastStatus == 500)
    try await hooks.host.close()
  }

  @Test func `begin when the schedule says`() async throws {
    let hooks = try await WebhooksHost(["schedule_seconds": "[2,5]"])
    try await hooks.add()
    hooks.server.plan("/", .status(500), .status(200))
    let start = hooks.host.now
    try await hooks.emit()
    #expect(hooks.server.requests().isEmpty)
    try await hooks.pass(seconds: 20)
    #expect(
      hooks.server.requests().map {
        ($0.at.unixMilliseconds - start.unixMilliseconds) / 1_000
      } == [2, 7])
    try await hooks.host.close()
  }

  @Test func `are made at every endpoint, however many there are`() async throws {
    let hooks = try await WebhooksHost(["endpoints": "230"])
    for number in 0..<230 {
      try await hooks.add("/\(number)", #","headers":{"x-number":"\#(number)"}"#)
    }
    try await hooks.emit()
    try await hooks.pass(seconds: 1)
    for number in 0..<230 {
      #expect(
        hooks.server.requests(at: "/\(number)").map { $0.fields["x-number"] } == ["\(number)"])
    }
    try await hooks.host.close()
  }

  @Test func `leave out an event that nobody wants, which is passed over`() async throws {
    let hooks = try await WebhooksHost()
    let made = try await hooks.add()
    #expect(
      try await hooks.host.deliver("other.thing", channel: nil, data: "{}").rawValue == 2)
    #expect(try await hooks.deliveries(of: made.id).isEmpty)
    // Another generation adds one, of which this shard is told nothing.
    try await hooks.host.execute(
      "UPDATE webhooks_endpoints SET events = '[\"other.*\"]' WHERE id = '\(made.id)'")
    try await hooks.host.execute("UPDATE webhooks_state SET revision = revision + 1")
    #expect(try await hooks.host.deliver("other.thing", channel: nil, data: "{}") == .ok)
    try await hooks.host.settle()
    #expect(hooks.server.requests().count == 1)
    try await hooks.host.close()
  }

  @Test func `end with the first answer of 2xx`() async throws {
    let hooks = try await WebhooksHost()
    let made = try await hooks.add()
    hooks.server.plan(
      "/", .failure(.unavailable), .failure(.deadline), .failure(.denied), .status(301),
      .status(202))
    try await hooks.emit()
    try await hooks.pass(seconds: 86_400)
    #expect(hooks.server.requests().count == 5)
    let delivery = try #require(try await hooks.deliveries(of: made.id, "?state=succeeded").first)
    #expect(delivery.attempts == 5)
    #expect(delivery.lastError == nil)
    #expect(hooks.host.metric("delivered_total") == 1)
    #expect(hooks.host.metric("attempts_failed_total") == 4)
    try await hooks.host.close()
  }

  @Test func `that the host broke off or had no room for do not count`() async throws {
    let hooks = try await WebhooksHost()
    let made = try await hooks.add()
    hooks.server.plan("/", .failure(.overloaded), .failure(.cancelled), .status(200))
    try await hooks.emit()
    try await hooks.pass(seconds: 2)
    let delivery = try #require(try await hooks.deliveries(of: made.id).first)
    #expect(delivery.state == "succeeded")
    #expect(delivery.attempts == 1)
    try await hooks.host.close()
  }

  @Test func `wait as long as an endpoint asks, within bounds`() async throws {
    let hooks = try await WebhooksHost(["retry_after_seconds": "600"])
    try await hooks.add()
    hooks.server.plan(
      "/", .status(429, [("retry-after", "60")]), .status(503, [("retry-after", "99999999")]),
      .status(500, [("retry-after", "1")]), .status(200))
    let start = hooks.host.now
    try await hooks.emit()
    try await hooks.pass(seconds: 10_000)
    let seconds = hooks.server.requests().map {
      ($0.at.unixMilliseconds - start.unixMilliseconds) / 1_000
    }
    // Only 429 and 503 are asked how long; after 500 the third pause of the schedule follows.
    #expect(seconds == [0, 60, 660, 2_460])
    try await hooks.host.close()
  }

  @Test func `leave an endpoint alone that asks for it, with all that it is to get`() async throws {
    let hooks = try await WebhooksHost()
    try await hooks.add("/busy")
    try await hooks.add("/other")
    hooks.server.plan("/busy", .status(429, [("retry-after", "60")]), .status(200))
    try await hooks.emit()
    try await hooks.emit()
    #expect(hooks.server.requests(at: "/busy").count == 1)
    #expect(hooks.server.requests(at: "/other").count == 2)
    try await hooks.pass(seconds: 61)
    #expect(hooks.server.requests(at: "/busy").count == 3)
    try await hooks.host.close()
  }

  @Test func `are so many a second as the endpoint takes`() async throws {
    let hooks = try await WebhooksHost()
    try await hooks.add("/", #","rate_limit":2"#)
    for _ in 0..<6 { try await hooks.emit() }
    #expect(hooks.server.requests().count == 2)
    try await hooks.pass(seconds: 1)
    #expect(hooks.server.requests().count == 4)
    try await hooks.pass(seconds: 1)
    #expect(hooks.server.requests().count == 6)
    try await hooks.host.close()
  }

  @Test func `go on where another run of the plugin has left`() async throws {
    let hooks = try await WebhooksHost()
    let made = try await hooks.add()
    hooks.server.plan("/", .status(500), .status(200))
    try await hooks.emit()
    // Whoever had been delivering is of a process that is no more.
    try await hooks.host.execute(
      "UPDATE webhooks_state SET holder = 'shard_gone', process = '1 1', held_until = 9999999999999"
    )
    try await hooks.pass(seconds: 30)
    #expect(try await hooks.deliveries(of: made.id).map(\.state) == ["succeeded"])
    try await hooks.host.close()
  }
}
