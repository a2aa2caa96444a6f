internal import PluginKit

/// One attempt to deliver: what is sent, made the moment it is.
struct Attempt: Sendable {
  let due: Due
  let url: String
  let body: [UInt8]
  let at: Timestamp
  /// In the order in which they are sent.
  let fields: [(name: String, value: String)]
  /// Fields whose values the log does not show.
  private let hidden: Set<String>

  /// Its number, from 1.
  var number: Int64 { due.attempts + 1 }

  /// - Parameter body: what is sent, and signed.
  init(
    _ due: Due, to endpoint: Endpoint, _ body: [UInt8], _ secrets: EndpointSecrets.Kept,
    at now: Timestamp
  ) throws {
    self.due = due
    at = now
    url = endpoint.url
    let seconds = now.unixMilliseconds / 1_000
    let signatures = secrets.keys.filter { $0.expiresAt.map { $0 > now } ?? true }.compactMap {
      $0.key.signature(id: due.message.id, timestamp: seconds, body: body)
    }
    guard !signatures.isEmpty else { throw HostError(.internal, "there is no signing key") }
    self.body = body
    fields =
      [
        ("content-type", "application/json"),
        ("user-agent", "Sluice-Webhooks/1.0"),
        ("webhook-id", due.message.id),
        ("webhook-timestamp", "\(seconds)"),
        ("webhook-signature", signatures.joined(separator: " ")),
      ] + secrets.headers.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    hidden = Set(secrets.headers.keys)
  }

  func request(_ settings: WebhookSettings) -> Client.Request {
    var request = Client.Request("POST", url)
    request.fields = fields
    request.body = body
    request.timeout = settings.timeoutMilliseconds
    request.connectTimeout = settings.timeoutMilliseconds
    request.responseLimit = settings.responseBytes
    return request
  }

  /// What the log shows of the fields.
  var shownFields: [String: String] {
    Dictionary(fields.map { ($0.name, hidden.contains($0.name) ? "…" : $0.value) }) { $1 }
  }
}
