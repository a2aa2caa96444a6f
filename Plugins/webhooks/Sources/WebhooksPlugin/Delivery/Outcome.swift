internal import PluginKit

/// What an attempt came to.
struct Outcome: Sendable {
  /// nil: there was no answer.
  var status: Int?
  /// For people: why there was none, or why it is a failure; nil: delivered.
  var error: String?
  var elapsed: Int64 = 0
  var fields: [(name: String, value: String)] = []
  var body: [UInt8] = []
  /// How long the endpoint asks to be left alone, in milliseconds.
  var pause: Int64?

  /// Of the answer's fields those that the log keeps: not all that a server can think of.
  var shownFields: [String: String] {
    var shown: [String: String] = [:]
    var room = Self.shownBytes
    for field in fields.prefix(Self.shownCount) {
      let value = String(decoding: field.value.utf8.prefix(1_024), as: UTF8.self)
      room -= field.name.utf8.count + value.utf8.count
      guard room >= 0 else { break }
      shown[field.name] = value
    }
    return shown
  }
  private static let shownCount = 64
  private static let shownBytes = 8_192

  var isSuccess: Bool { error == nil }
  /// The endpoint says that it will never want anything any more.
  var isGone: Bool { status == 410 }

  /// An answer: any status of 2xx is success, and nothing else. A redirect is not followed: whoever could answer in the endpoint's place could
  /// lead its events elsewhere.
  init(_ response: Client.Response, at now: Timestamp) {
    status = response.status
    elapsed = Int64(response.elapsedMilliseconds)
    fields = response.fields
    body = response.body
    switch response.status {
    case 200...299: error = nil
    case 300...399: error = "the answer is a redirect, which is not followed"
    case 410: error = "the endpoint is gone"
    default: error = "the answer is \(response.status)"
    }
    if response.status == 429 || response.status == 503 {
      pause = response.first("retry-after").flatMap { RetryAfter.milliseconds($0, at: now) }
    }
  }

  /// No answer, as `sluice.client/1` says; nil when it was broken off here, or never begun.
  init?(_ failure: HostError, elapsed: Int64) {
    switch failure.status {
    case .denied: error = "the address is out of the gateway's reach"
    case .deadline: error = "there was no answer in time"
    case .unavailable, .invalid, .tooLarge:
      error = failure.text.isEmpty ? "the endpoint was not reached" : failure.text
    default: return nil
    }
    self.elapsed = elapsed
  }

  /// What could not be asked for at all.
  init(failure: String) { error = failure }
}
