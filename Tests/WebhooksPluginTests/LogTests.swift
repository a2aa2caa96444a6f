import PluginKit
import PluginTesting
import Testing

@testable import WebhooksPlugin

@Suite struct `The log of deliveries` {
  private struct Detail: Decodable {
    struct Payload: Decodable { var type: String }
    struct Attempt: Decodable {
      struct Request: Decodable { var headers: [String: String] }
      struct Response: Decodable {
        var status: Int
        var body: String
      }
      var number: Int
      var error: String?
      var request: Request
      var response: Response?
    }

    var payload: Payload
    var log: [Attempt]
  }

  private struct Replaying: Decodable {
    var id: String
    var status: String
    var queued: Int
  }

  private struct Counts: Decodable {
    var pending: Int
    var succeeded: Int
    var failed: Int
  }

  @Test func `has what was sent and what came back, and shows no credential`() async throws {
    let hooks = try await WebhooksHost()
    let made = try await hooks.add("/", #","headers":{"Authorization":"Bearer hush"}"#)
    hooks.server.plan("/", .status(500), .failure(.unavailable), .status(200))
    try await hooks.emit()
    try await hooks.pass(seconds: 400)
    let delivery = try #require(try await hooks.deliveries(of: made.id).first)
    let reply = try await hooks.ask("GET", "/v1/webhooks/\(made.id)/deliveries/\(delivery.id)")
    #expect(!reply.text.contains("hush"))
    let detail = try reply.json(Detail.self)
    #expect(detail.payload.type == "shop.sold")
    #expect(detail.log.map(\.number) == [3, 2, 1])
    #expect(detail.log.map { $0.response?.status } == [200, nil, 500])
    #expect(detail.log[0].response?.body == "noted")
    #expect(detail.log[1].error == "what the host says")
    #expect(detail.log[0].request.headers["authorization"] == "…")
    #expect(hooks.server.requests()[0].fields["authorization"] == "Bearer hush")
    let counts: Counts = try await hooks.ask("GET", "/v1/webhooks/\(made.id)/stats").json()
    #expect((counts.succeeded, counts.failed, counts.pending) == (1, 2, 0))
    try await hooks.host.close()
  }

  @Test func `keeps of an answer's fields no more than it can show`() async throws {
    let hooks = try await WebhooksHost()
    let made = try await hooks.add()
    let many = (0..<60).map { ("x-\($0)", String(repeating: "a", count: 2_000)) }
    hooks.server.plan("/", .status(200, many))
    try await hooks.emit()
    let kept = try await hooks.host.execute(
      "SELECT length(response_headers) FROM webhooks_attempts")
    let length = try #require(Int(kept[0][0]))
    #expect(1_000 < length && length < 9_000)
    #expect(try await hooks.deliveries(of: made.id).map(\.state) == ["succeeded"])
    try await hooks.host.close()
  }

  @Test func `counts of a range that is recovered what had not been taken`() async throws {
    let hooks = try await WebhooksHost(["schedule_seconds": "[0]"])
    let made = try await hooks.add()
    hooks.server.plan("/", .status(500), .status(200))
    for _ in 0..<3 { try await hooks.emit() }
    #expect(try await hooks.deliveries(of: made.id, "?state=failed").count == 1)
    let since = hooks.host.now.adding(milliseconds: -60_000).rfc3339
    let began: Replaying = try await hooks.ask(
      "POST", "/v1/webhooks/\(made.id)/recover", "{\"since\":\"\(since)\"}"
    ).json()
    try await hooks.pass(seconds: 1)
    let done: Replaying = try await hooks.ask(
      "GET", "/v1/webhooks/\(made.id)/replays/\(began.id)"
    ).json()
    #expect(done.status == "done" && done.queued == 1)
    #expect(hooks.server.requests().count == 4)
    try await hooks.host.close()
  }

  @Test func `sends one again, with a schedule of its own`() async throws {
    let hooks = try await WebhooksHost(["schedule_seconds": "[0,5]"])
    let made = try await hooks.add()
    hooks.server.plan("/", .status(500), .status(500), .status(500), .status(200))
    try await hooks.emit()
    try await hooks.pass(seconds: 60)
    let failed = try #require(try await hooks.deliveries(of: made.id, "?state=failed").first)
    let again = try await hooks.ask(
      "POST", "/v1/webhooks/\(made.id)/deliveries/\(failed.id)/retry")
    #expect(again.status == 202)
    try await hooks.pass(seconds: 6)
    #expect(hooks.server.requests().count == 4)
    #expect(Set(hooks.server.requests().map { $0.fields["webhook-id"] }).count == 1)
    #expect(try await hooks.deliveries(of: made.id).map(\.state) == ["succeeded"])
    let unknown = try await hooks.ask("POST", "/v1/webhooks/\(made.id)/deliveries/dlv_x/retry")
    #expect(unknown.status == 404)
    try await hooks.host.close()
  }

  @Test func `sends a range of time again, and no more of it`() async throws {
    let hooks = try await WebhooksHost()
    let made = try await hooks.add()
    for _ in 0..<3 {
      try await hooks.emit()
      try await hooks.pass(seconds: 60)
    }
    let since = hooks.host.now.adding(milliseconds: -150_000).rfc3339
    let until = hooks.host.now.adding(milliseconds: -30_000).rfc3339
    let began: Replaying = try await hooks.ask(
      "POST", "/v1/webhooks/\(made.id)/replay", "{\"since\":\"\(since)\",\"until\":\"\(until)\"}"
    ).json()
    try await hooks.pass(seconds: 1)
    let done: Replaying = try await hooks.ask(
      "GET", "/v1/webhooks/\(made.id)/replays/\(began.id)"
    ).json()
    #expect(done.status == "done")
    #expect(done.queued == 2)
    #expect(hooks.server.requests().count == 5)
    let backwards = try await hooks.ask(
      "POST", "/v1/webhooks/\(made.id)/replay", "{\"since\":\"\(until)\",\"until\":\"\(since)\"}")
    #expect(backwards.status == 400)
    try await hooks.host.close()
  }

  @Test func `sends a test event to the one endpoint`() async throws {
    let hooks = try await WebhooksHost()
    let made = try await hooks.add(events: #"["nothing.at.all"]"#)
    try await hooks.add("/other", events: #"["*"]"#)
    let reply = try await hooks.ask("POST", "/v1/webhooks/\(made.id)/test")
    #expect(reply.status == 202)
    #expect(hooks.server.requests().count == 1)
    #expect(hooks.server.requests()[0].body.hasPrefix(#"{"type":"webhooks.test","timestamp":""#))
    #expect(hooks.server.requests(at: "/other").isEmpty)
    try await hooks.host.close()
  }

  @Test func `forgets what is older than it keeps`() async throws {
    let hooks = try await WebhooksHost(["retention_hours": "2"])
    let made = try await hooks.add()
    try await hooks.emit()
    #expect(try await hooks.deliveries(of: made.id).count == 1)
    try await hooks.pass(seconds: 3 * 3_600)
    #expect(try await hooks.deliveries(of: made.id).isEmpty)
    for table in ["messages", "deliveries", "attempts"] {
      #expect(try await hooks.host.execute("SELECT count(*) FROM webhooks_\(table)") == [["0"]])
    }
    try await hooks.host.close()
  }

  @Test func `goes with its endpoint, and gives up what could not be sent for as long`()
    async throws
  {
    let hooks = try await WebhooksHost(["retention_hours": "2"])
    let made = try await hooks.add()
    let paused = try await hooks.add("/paused", #","ordered":true"#)
    hooks.server.plan("/paused", .status(500))
    try await hooks.emit(channel: "shop:a")
    try await hooks.emit(channel: "shop:a")
    _ = try await hooks.ask("PATCH", "/v1/webhooks/\(paused.id)", #"{"enabled":false}"#)
    _ = try await hooks.ask("DELETE", "/v1/webhooks/\(made.id)")
    #expect(
      try await hooks.host.execute("SELECT count(*) FROM webhooks_endpoints") == [["1"]])
    try await hooks.pass(seconds: 3 * 3_600)
    #expect(try await hooks.deliveries(of: paused.id).map(\.state) == ["failed", "failed"])
    try await hooks.pass(seconds: 3 * 3_600)
    #expect(try await hooks.host.execute("SELECT count(*) FROM webhooks_messages") == [["0"]])
    try await hooks.host.close()
  }
}
