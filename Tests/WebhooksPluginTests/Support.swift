import PluginKit
import PluginTesting
import Synchronization
import Testing

@testable import WebhooksPlugin

/// The plugin in a test host, with the settings that the gateway would complete by the manifest's defaults, and one server that
/// stands for all endpoints.
struct WebhooksHost {
  let host: TestHost
  let server = Server()

  init(_ changes: [String: String] = [:]) async throws {
    let server = server
    host = try await TestHost(
      Webhooks.self, manifest: "Plugins/webhooks/plugin.json", config: Self.settings(changes),
      tenant: "app"
    ) { host in
      try await host.setServer { try server.answer($0, at: host.now) }
    }
  }

  static func settings(_ changes: [String: String] = [:]) -> RawJSON {
    var members: [String: String] = [
      "schemes": #"["https","http"]"#, "endpoints": "5",
      "schedule_seconds": "[0,5,300,1800,7200,18000,36000,50400,72000,86400]",
      "jitter_percent": "0", "timeout_ms": "15000", "retry_after_seconds": "86400",
      "failing_after_seconds": "86400", "disable_after_seconds": "432000",
      "alert_email": #""""#, "transform": "false", "endpoint_concurrency": "8", "concurrency": "64",
      "response_bytes": "100", "retention_hours": "168",
    ]
    members.merge(changes) { $1 }
    let text = members.map { "\"\($0.key)\":\($0.value)" }.joined(separator: ",")
    return RawJSON(unchecked: Array("{\(text)}".utf8))
  }

  struct Made: Decodable {
    var id: String
    var secret: String?
    var enabled: Bool
    var disabledReason: String?
    var failingSince: Timestamp?

    private enum CodingKeys: String, CodingKey {
      case id, secret, enabled
      case disabledReason = "disabled_reason"
      case failingSince = "failing_since"
    }
  }

  struct Delivery: Decodable {
    var id: String
    var type: String
    var state: String
    var attempts: Int
    var lastStatus: Int?
    var lastError: String?

    private enum CodingKeys: String, CodingKey {
      case id, type, state, attempts
      case lastStatus = "last_status"
      case lastError = "last_error"
    }
  }

  struct List: Decodable {
    var data: [Delivery]
    var next: String?
  }

  func ask(_ method: String, _ target: String, _ body: String = "") async throws -> TestReply {
    let reply = try await host.request(method, target, body: body, as: .key())
    try await host.settle()
    return reply
  }

  @discardableResult
  func add(_ path: String = "/", _ more: String = "", events: String = #"["shop.*"]"#) async throws
    -> Made
  {
    let body = "{\"url\":\"https://example.test\(path)\",\"events\":\(events)\(more)}"
    let reply = try await ask("POST", "/v1/webhooks", body)
    try #require(reply.status == 201, "\(reply.text)")
    return try reply.json()
  }

  func read(_ id: String) async throws -> Made {
    try await ask("GET", "/v1/webhooks/\(id)").json()
  }

  /// An event of another plugin's, and what follows at once.
  func emit(_ type: String = "shop.sold", channel: String? = nil, _ data: RawJSON = #"{"n":1}"#)
    async throws
  {
    let status = try await host.deliver(type, channel: channel, data: data)
    try #require(status.isSuccess)
    try await host.settle()
  }

  func deliveries(of id: String, _ query: String = "") async throws -> [Delivery] {
    try await ask("GET", "/v1/webhooks/\(id)/deliveries\(query)").json(List.self).data
  }

  func pass(seconds: Double) async throws {
    try await host.advance(milliseconds: Int(seconds * 1_000))
  }

  /// Types of the plugin's own events so far.
  var told: [String] {
    get async throws {
      try await host.events.compactMap(\.type).filter { $0.hasPrefix("webhooks.") }
    }
  }
}

/// A server that keeps what it is asked, and answers 200 or what a test says.
final class Server: Sendable {
  struct Request: Sendable {
    let path: String
    let fields: [String: String]
    let body: String
    let at: Timestamp
  }

  private struct State {
    var requests: [Request] = []
    var answers: [String: [Answer]] = [:]
  }

  enum Answer: Sendable {
    case status(Int, [(name: String, value: String)] = [])
    case failure(Status)
  }

  private let state = Mutex(State())

  /// What is answered at a path, one after the other; the last again and again.
  func plan(_ path: String, _ answers: Answer...) {
    state.withLock { $0.answers[path] = answers }
  }

  func requests(at path: String = "/") -> [Request] {
    state.withLock { $0.requests.filter { $0.path == path } }
  }

  func answer(_ request: Client.Request, at now: Timestamp) throws -> Client.Response {
    let path = String(request.url.dropFirst("https://example.test".count))
    let answer = state.withLock { state -> Answer in
      let fields = Dictionary(request.fields.map { ($0.name, $0.value) }) { $1 }
      state.requests.append(
        Request(
          path: path, fields: fields, body: String(decoding: request.body, as: UTF8.self), at: now))
      let planned = state.answers[path] ?? [.status(200)]
      if planned.count > 1 { state.answers[path] = Array(planned.dropFirst()) }
      return planned[0]
    }
    switch answer {
    case .status(let status, let fields):
      return Client.Response(status: status, fields: fields, body: Array("noted".utf8))
    case .failure(let status): throw HostError(status, "what the host says")
    }
  }
}
