/// One bound that the gateway keeps, with everything that is to be said of it.
///
/// ``all`` is the only place where limits are listed: the reader of `limits` in `sluice.json`, ``Limits`` and the
/// page in the operator's guide are all made from it.
public struct Limit: Sendable, Hashable {
  /// What a limit counts.
  public enum Unit: String, Sendable {
    case bytes
    case milliseconds
    case count
    case perSecond = "per second"
  }

  /// The key under `limits`.
  public let name: String
  /// The value when the operator says nothing.
  public let standard: Int
  /// What the page says of `standard` where it depends on the machine.
  private let standardText: String?
  /// Of `standard`, of `range` and of what an operator writes.
  public let unit: Unit
  /// What an operator may choose.
  public let range: ClosedRange<Int>
  /// What it bounds, as a noun phrase.
  public let summary: String
  /// What a peer gets on breach.
  public let answer: String

  /// Whether a change takes effect while the gateway runs; else it takes a restart.
  public let isLive: Bool

  /// The counter of breaches, as it stands in `/metrics`.
  public var metric: String { "sluice_limit_breaches_total{limit=\"\(name)\"}" }

  private init(
    _ name: String, _ standard: Int, _ unit: Unit, in range: ClosedRange<Int>, _ summary: String,
    answer: String, isLive: Bool = true, standardText: String? = nil
  ) {
    self.name = name
    self.standard = standard
    self.standardText = standardText
    self.unit = unit
    self.range = range
    self.summary = summary
    self.answer = answer
    self.isLive = isLive
  }
}

extension Limit {
  static let headerBytes = Limit(
    "header_bytes", 16 << 10, .bytes, in: 1 << 10...65_535,
    "the head of a request: request line and header fields", answer: "431 headers_too_large",
    isLive: false)
  static let uriBytes = Limit(
    "uri_bytes", 8 << 10, .bytes, in: 256...65_535, "a request's target",
    answer: "414 uri_too_long", isLive: false)
  static let bodyBytes = Limit(
    "body_bytes", 16 << 20, .bytes, in: 0...1 << 30,
    "a request's body; a route's own limit may be smaller, never larger",
    answer: "413 payload_too_large")
  static let idempotencyAnswerBytes = Limit(
    "idempotency_answer_bytes", 256 << 10, .bytes, in: 0...4 << 20,
    "the body of an answer that is kept for repeats of a request with an `Idempotency-Key`",
    answer: "the answer is sent and not kept; a repeat: 409 conflict")
  static let headerTimeout = Limit(
    "header_timeout_ms", 10_000, .milliseconds, in: 100...600_000,
    "the time from a request's first byte to the end of its head", answer: "408 request_timeout",
    isLive: false)
  static let bodyTimeout = Limit(
    "body_timeout_ms", 30_000, .milliseconds, in: 100...3_600_000,
    "the time in which the next 16 KiB of a body must come, or what is left of it; where a plugin reads it in pieces, the next piece",
    answer: "408 request_timeout", isLive: false)
  static let handshakeTimeout = Limit(
    "tls_handshake_timeout_ms", 10_000, .milliseconds, in: 100...600_000,
    "the time from a connection to the end of its TLS handshake", answer: "connection closed",
    isLive: false)
  static let handshakesPerSecond = Limit(
    "tls_handshakes_per_second", 1_000, .perSecond, in: 1...1_000_000,
    "TLS handshakes begun, over all loops", answer: "connection closed before its handshake",
    isLive: false)
  static let idleTimeout = Limit(
    "idle_timeout_ms", 75_000, .milliseconds, in: 100...3_600_000,
    "the time a connection may stay open between two requests", answer: "connection closed",
    isLive: false)
  static let writeTimeout = Limit(
    "write_timeout_ms", 30_000, .milliseconds, in: 100...3_600_000,
    "the time in which a peer must take 16 KiB of what waits for it, or what is left",
    answer: "connection closed",
    isLive: false)
  static let requestTimeout = Limit(
    "request_timeout_ms", 30_000, .milliseconds, in: 100...3_600_000,
    "the time from a request's last byte to the head of its answer, all its waits together; where a plugin reads a body in pieces, from each piece",
    answer: "504 deadline_exceeded", isLive: false)
  static let answerQueueBytes = Limit(
    "answer_queue_bytes", 256 << 10, .bytes, in: 4 << 10...256 << 20,
    "answers that wait for the peer of one HTTP/1.1 connection",
    answer: "nothing more is read from it, and `write_timeout_ms` begins")
  static let connections = Limit(
    "connections", 10_000, .count, in: 1...1_000_000, "open connections of the process",
    answer: tooMany)
  static let connectionsPerAddress = Limit(
    "connections_per_address", 1_000, .count, in: 1...1_000_000,
    "open connections from one address; those from `trusted_proxies` have no such bound",
    answer: tooMany)
  static let memoryBytes = Limit(
    "memory_bytes", MachineMemory.bytes / 100 * 85, .bytes, in: 0...1 << 50,
    "resident memory of the process; 0 for no bound", answer: "503 overloaded on new connections",
    standardText: "85 % of what there is")
  static let loopLag = Limit(
    "loop_lag_ms", 500, .milliseconds, in: 0...60_000,
    "the time by which a loop is late, for two seconds on end; 0 for no bound",
    answer: "503 overloaded on new connections of that loop")
  static let webSocketMessageBytes = Limit(
    "websocket_message_bytes", 1 << 20, .bytes, in: 125...64 << 20,
    "a message on a WebSocket; a socket's own limit may be smaller, never larger",
    answer: "close 1009")
  static let webSocketMessageFrames = Limit(
    "websocket_message_frames", 16_384, .count, in: 1...1_000_000,
    "frames of one message on a WebSocket", answer: "close 1008")
  static let webSocketQueueBytes = Limit(
    "websocket_queue_bytes", 1 << 20, .bytes, in: 4 << 10...256 << 20,
    "what waits to be sent on one WebSocket", answer: "close 3008, resumable")
  static let webSocketPing = Limit(
    "websocket_ping_ms", 25_000, .milliseconds, in: 100...3_600_000,
    "the silence on a WebSocket after which it is asked for a sign of life, and the time it then has to give one, or to answer a close frame",
    answer: "connection closed", isLive: false)
  static let webSocketCompressedBytes = Limit(
    "websocket_compressed_bytes", 1 << 20, .bytes, in: 1 << 10...64 << 20,
    "a message that is compressed before it is sent", answer: "sent uncompressed")
  static let webSocketCompressionStates = Limit(
    "websocket_compression_states", 1_000, .count, in: 0...1_000_000,
    "WebSockets that keep a compression context or have a compressed message half received",
    answer: "no context is kept; a message: close 1013")
  static let requestsPerSecond = Limit(
    "requests_per_second", 10_000, .perSecond, in: 1...10_000_000,
    "requests of one tenant, over all loops", answer: "429 rate_limited")
  static let userRequestsPerSecond = Limit(
    "user_requests_per_second", 1_000, .perSecond, in: 0...1_000_000,
    "requests of one user of a tenant, by the user's tokens, over all loops; 0 for no bound",
    answer: "429 rate_limited")

  static let http2Streams = Limit(
    "http2_streams", 128, .count, in: 1...10_000,
    "streams that are open at once on one HTTP/2 connection",
    answer:
      "stream reset with REFUSED_STREAM; GOAWAY PROTOCOL_ERROR once the peer has acknowledged it")
  static let http2Resets = Limit(
    "http2_resets_per_second", 40, .perSecond, in: 1...100_000,
    "streams reset on one HTTP/2 connection, by the peer or for its errors; one that a request was begun for counts twice",
    answer: calm)
  static let http2Pings = Limit(
    "http2_pings_per_second", 20, .perSecond, in: 1...100_000,
    "PING frames on one HTTP/2 connection", answer: calm)
  static let http2Settings = Limit(
    "http2_settings_per_second", 10, .perSecond, in: 1...100_000,
    "SETTINGS frames on one HTTP/2 connection", answer: calm)
  static let http2IgnoredFrames = Limit(
    "http2_ignored_frames_per_second", 100, .perSecond, in: 1...100_000,
    "PRIORITY frames and frames of unknown types on one HTTP/2 connection", answer: calm)
  static let http2EmptyFrames = Limit(
    "http2_empty_frames_per_second", 100, .perSecond, in: 1...100_000,
    "frames on one HTTP/2 connection that carry nothing and end nothing; DATA of n bytes, n below 32, is 1/(n+1) of one, and DATA of 1 KiB or more makes room for one",
    answer: calm)
  static let http2WindowUpdates = Limit(
    "http2_window_updates_per_second", 200, .perSecond, in: 1...1_000_000,
    "WINDOW_UPDATE frames on one HTTP/2 connection, beside four for each DATA frame of good size sent",
    answer: calm)
  static let http2Continuations = Limit(
    "http2_continuations", 16, .count, in: 1...1_000,
    "CONTINUATION frames behind one HEADERS frame", answer: calm)
  static let http2FieldSectionBytes = Limit(
    "http2_field_section_bytes", 128 << 10, .bytes, in: 4 << 10...16 << 20,
    "one decoded field section; beneath this, `header_bytes` is answered with 431", answer: calm)
  static let http2QueueBytes = Limit(
    "http2_queue_bytes", 1 << 20, .bytes, in: 16 << 10...256 << 20,
    "answers that wait for the peer of one HTTP/2 connection", answer: "further requests wait")

  private static let tooMany =
    "503 and the connection is closed; with TLS, closed before its handshake"
  private static let calm = "GOAWAY ENHANCE_YOUR_CALM"

  /// Every limit, in the order of the documentation.
  public static let all = [
    headerBytes, uriBytes, bodyBytes, idempotencyAnswerBytes, headerTimeout, bodyTimeout,
    idleTimeout, writeTimeout,
    answerQueueBytes, requestTimeout, connections, connectionsPerAddress, memoryBytes, loopLag,
    handshakeTimeout,
    handshakesPerSecond,
    webSocketMessageBytes, webSocketMessageFrames, webSocketQueueBytes, webSocketPing,
    webSocketCompressedBytes,
    webSocketCompressionStates, requestsPerSecond, userRequestsPerSecond,
    http2Streams, http2Resets, http2Pings, http2Settings, http2IgnoredFrames, http2EmptyFrames,
    http2WindowUpdates, http2Continuations, http2FieldSectionBytes, http2QueueBytes,
  ]

  /// The table of all limits, in Markdown.
  public static var markdown: String {
    var text = "| limit | bounds | default | from | to | unit | on breach | metric | change |\n"
    text += "|---|---|---:|---:|---:|---|---|---|---|\n"
    for limit in all {
      text += "| `\(limit.name)` | \(limit.summary) "
      text += "| \(limit.standardText ?? String(limit.standard)) "
      text += "| \(limit.range.lowerBound) | \(limit.range.upperBound) | \(limit.unit.rawValue) "
      text += "| \(limit.answer) | `\(limit.metric)` | \(limit.isLive ? "SIGHUP" : "restart") |\n"
    }
    return text
  }
}

/// The limits in force: the operator's choice where there is one, else the default.
public struct Limits: Sendable, Hashable {
  private var chosen: [String: Int] = [:]

  /// Every limit at its default.
  public init() {}

  /// The value of a limit, in its unit. A value outside the limit's range is moved to the nearer end.
  ///
  /// A look-up in a dictionary: copy what a hot path needs.
  public subscript(limit: Limit) -> Int {
    get { chosen[limit.name] ?? limit.standard }
    set { chosen[limit.name] = min(max(newValue, limit.range.lowerBound), limit.range.upperBound) }
  }

  init(reading reader: inout ObjectReader) {
    for limit in Limit.all {
      if let node = reader.optional(limit.name) { self[limit] = node.integer(in: limit.range) }
    }
  }
}
