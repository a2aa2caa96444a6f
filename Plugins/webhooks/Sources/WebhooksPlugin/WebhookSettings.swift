internal import PluginKit

/// One app's settings, as the manifest's `config` describes them.
struct WebhookSettings: Decodable, Sendable {
  /// Of URLs that endpoints may have.
  var schemes: [String]
  var endpoints: Int64
  /// From one attempt to the next, in seconds; the first is from the event.
  var scheduleSeconds: [Double]
  /// By how much of it a pause is longer or shorter, at random.
  var jitterPercent: Int64
  var timeoutMilliseconds: Int
  /// How long an answer's Retry-After may have a delivery wait.
  var retryAfterSeconds: Int64
  /// After which time of only failures somebody is told, and after which the endpoint is disabled.
  var failingAfterSeconds: Int64
  var disableAfterSeconds: Int64
  /// Whether another plugin says what of an event goes out.
  var transform: Bool
  /// Who is told by e-mail; nobody when it is empty.
  var alertEmail: String
  /// Attempts under way, of one endpoint and of all.
  var endpointConcurrency: Int
  var concurrency: Int
  /// Bytes of an answer that the log keeps.
  var responseBytes: Int
  var retentionHours: Int64

  private enum CodingKeys: String, CodingKey {
    case schemes, endpoints
    case scheduleSeconds = "schedule_seconds"
    case jitterPercent = "jitter_percent"
    case timeoutMilliseconds = "timeout_ms"
    case retryAfterSeconds = "retry_after_seconds"
    case failingAfterSeconds = "failing_after_seconds"
    case disableAfterSeconds = "disable_after_seconds"
    case transform
    case alertEmail = "alert_email"
    case endpointConcurrency = "endpoint_concurrency"
    case concurrency
    case responseBytes = "response_bytes"
    case retentionHours = "retention_hours"
  }

  /// - Throws: `ConfigurationError` where they do not fit together.
  func check() throws {
    guard failingAfterSeconds <= disableAfterSeconds else {
      throw ConfigurationError(
        pointer: "/failing_after_seconds", message: "must not be more than disable_after_seconds")
    }
    guard endpointConcurrency <= concurrency else {
      throw ConfigurationError(
        pointer: "/endpoint_concurrency", message: "must not be more than concurrency")
    }
    if !alertEmail.isEmpty, (try? EmailAddress(alertEmail)) == nil {
      throw ConfigurationError(
        pointer: "/alert_email", message: "must be an address such as name@example.com")
    }
  }
}

extension WebhookSettings {
  /// When a delivery is tried for the first time that is queued now.
  func first(at now: Timestamp) -> Timestamp {
    now.adding(milliseconds: Int64((scheduleSeconds.first ?? 0) * 1_000))
  }

  /// When a delivery is tried that has been tried `attempts` times; nil: it is given up.
  ///
  /// - Parameter chance: from 0 up to 1, at random.
  func next(after attempts: Int64, at now: Timestamp, chance: Double) -> Timestamp? {
    guard attempts >= 0, attempts < Int64(scheduleSeconds.count) else { return nil }
    let pause = scheduleSeconds[Int(attempts)] * 1_000
    let jitter = pause * Double(jitterPercent) / 100 * (2 * chance - 1)
    return now.adding(milliseconds: Int64(max(0, pause + jitter)))
  }
}
