internal import PluginKit

/// What is told of an endpoint that does not take what it gets.
enum HealthNews: String, Sendable {
  case failing, disabled

  var eventType: String {
    switch self {
    case .failing: "webhooks.endpoint.failing"
    case .disabled: "webhooks.endpoint.disabled"
    }
  }
}

/// The data of these events.
struct HealthNotice: Encodable {
  let id: String
  let url: String
  let reason: String
  let failingSince: Timestamp?

  private enum CodingKeys: String, CodingKey {
    case id, url, reason
    case failingSince = "failing_since"
  }
}
