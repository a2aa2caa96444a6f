internal import PluginKit

/// A delivery as the interface shows it.
struct ShownDelivery: Encodable {
  static let columns = """
    d.id, d.message, d.state, d.attempts, d.next_at, d.status, d.error, d.created_at, d.ended_at, m.type, m.channel
    """

  let id: String
  let event: String
  let type: String
  let channel: String?
  let state: String
  let attempts: Int64
  /// Of one that is due.
  let nextAttemptAt: Timestamp?
  let lastStatus: Int64?
  let lastError: String?
  let createdAt: Timestamp
  let endedAt: Timestamp?

  private enum CodingKeys: String, CodingKey {
    case id
    case event = "event_id"
    case type, channel, state, attempts
    case nextAttemptAt = "next_attempt_at"
    case lastStatus = "last_status"
    case lastError = "last_error"
    case createdAt = "created_at"
    case endedAt = "ended_at"
  }

  init(_ row: Row) throws {
    id = try row["id", String.self]
    event = try row["message", String.self]
    type = try row["type", String.self]
    channel = try row["channel", String?.self]
    state = try row["state", String.self]
    attempts = try row["attempts", Int64.self]
    nextAttemptAt = state == "pending" ? try row["next_at", Timestamp.self] : nil
    lastStatus = try row["status", Int64?.self]
    lastError = try row["error", String?.self]
    createdAt = try row["created_at", Timestamp.self]
    endedAt = try row["ended_at", Timestamp?.self]
  }
}

/// One attempt of it.
struct ShownAttempt: Encodable {
  struct Request: Encodable {
    let url: String
    let headers: RawJSON
  }

  struct Response: Encodable {
    let status: Int64
    let headers: RawJSON
    /// As much as is kept, with what is no UTF-8 replaced.
    let body: String
  }

  let number: Int64
  let at: Timestamp
  let elapsed: Int64
  let error: String?
  let request: Request
  let response: Response?

  private enum CodingKeys: String, CodingKey {
    case number, at
    case elapsed = "elapsed_ms"
    case error, request, response
  }

  init(_ row: Row) throws {
    number = try row["number", Int64.self]
    at = try row["at", Timestamp.self]
    elapsed = try row["elapsed_ms", Int64.self]
    error = try row["error", String?.self]
    request = Request(
      url: try row["url", String.self], headers: try row["request_headers", RawJSON.self])
    let headers = try row["response_headers", RawJSON?.self] ?? "{}"
    let body = try row["response_body", [UInt8]?.self] ?? []
    response = try row["status", Int64?.self].map {
      Response(status: $0, headers: headers, body: String(decoding: body, as: UTF8.self))
    }
  }
}

/// A delivery with what was sent and what came back.
struct DeliveryDetail: Encodable {
  let delivery: ShownDelivery
  /// The body as it is sent.
  let payload: RawJSON
  let attempts: [ShownAttempt]

  private enum CodingKeys: String, CodingKey { case payload, log }

  func encode(to encoder: any Encoder) throws {
    try delivery.encode(to: encoder)
    var more = encoder.container(keyedBy: CodingKeys.self)
    try more.encode(payload, forKey: .payload)
    try more.encode(attempts, forKey: .log)
  }
}
