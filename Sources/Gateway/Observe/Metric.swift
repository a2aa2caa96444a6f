/// The gateway's own numbers, one counter per loop each, summed when somebody asks.
public enum Metric: Int, CaseIterable, Sendable {
  case connectionsAccepted
  case connectionsOpen
  case bytesReceived
  case bytesSent
  case responses1xx
  case responses2xx
  case responses3xx
  case responses4xx
  case responses5xx
  case requestMicroseconds
  case webSocketsOpened
  case greetingsRefused
  case webSocketsOpen
  case webSocketMessagesReceived
  case webSocketMessagesSent
  case malformedRequests
  case headerBytesBreaches
  case uriBytesBreaches
  case bodyBytesBreaches
  case answersTooLargeToKeep
  case headTimeouts
  case bodyTimeouts
  case idleTimeouts
  case writeTimeouts
  case requestTimeouts
  case connectionsRefused
  case addressesRefused
  case messagesTooBig
  case messagesOfTooManyFrames
  case slowSubscribers
  case silentSockets
  case answersHeldBack
  case rateLimited
  case usersRateLimited
  case compressionStatesRefused
  case messagesTooLongToCompress
  case http2StreamBreaches
  case http2Resets
  case http2Pings
  case http2Settings
  case http2IgnoredFrames
  case http2EmptyFrames
  case http2WindowUpdates
  case http2Continuations
  case http2FieldSections
  case http2QueueBreaches
  case handshakesRefused
  case handshakeTimeouts
  case shedForMemory
  case shedForLag
  case cancelledRequests
  case identityHits
  case identityMisses
  case quotasExceeded
  case repeatsAnswered
  case repeatsRefused
  case logLinesDropped
  case groupMessages
  case webSocketMessagesDeflated
  case webSocketMessagesInflated
  case invalidCompression
  case compressionStates
  case http2Connections
  case http2Requests
  case secureConnectionsOpen
  case handshakes12
  case handshakes13
  case handshakesResumed
  case handshakesOfVersion
  case handshakesOfParameters
  case handshakesOfProtocol
  case handshakesOfCertificate
  case handshakesOfAlert
  case handshakesMalformed
  case handshakesNotTLS
  case handshakesPlainHTTP
  case handshakesAbandoned
  case secureConnectionsBroken
  case sheddingLoops
  case loopLag

  /// The name under which `/metrics` shows it, without labels.
  var name: String {
    switch self {
    case .connectionsAccepted: "sluice_connections_accepted_total"
    case .connectionsOpen: "sluice_connections_open"
    case .bytesReceived: "sluice_received_bytes_total"
    case .bytesSent: "sluice_sent_bytes_total"
    case .responses1xx, .responses2xx, .responses3xx, .responses4xx, .responses5xx:
      "sluice_responses_total"
    case .requestMicroseconds: "sluice_request_microseconds_total"
    case .webSocketsOpened: "sluice_websockets_opened_total"
    case .greetingsRefused: "sluice_websockets_refused_total"
    case .webSocketsOpen: "sluice_websockets_open"
    case .webSocketMessagesReceived: "sluice_websocket_messages_received_total"
    case .webSocketMessagesSent: "sluice_websocket_messages_sent_total"
    case .malformedRequests: "sluice_malformed_requests_total"
    case .cancelledRequests: "sluice_cancelled_requests_total"
    case .quotasExceeded: "sluice_quotas_exceeded_total"
    case .identityHits: "sluice_identity_cache_hits_total"
    case .identityMisses: "sluice_identity_cache_misses_total"
    case .repeatsAnswered, .repeatsRefused: "sluice_repeated_requests_total"
    case .logLinesDropped: "sluice_log_lines_dropped_total"
    case .groupMessages: "sluice_group_messages_total"
    case .webSocketMessagesDeflated: "sluice_websocket_messages_deflated_total"
    case .webSocketMessagesInflated: "sluice_websocket_messages_inflated_total"
    case .invalidCompression: "sluice_websocket_invalid_compression_total"
    case .compressionStates: "sluice_websocket_compression_states"
    case .http2Connections: "sluice_http2_connections_total"
    case .http2Requests: "sluice_http2_requests_total"
    case .secureConnectionsOpen: "sluice_tls_connections_open"
    case .handshakes12, .handshakes13: "sluice_tls_handshakes_total"
    case .handshakesResumed: "sluice_tls_resumptions_total"
    case .handshakesOfVersion, .handshakesOfParameters, .handshakesOfProtocol,
      .handshakesOfCertificate, .handshakesOfAlert, .handshakesMalformed, .handshakesNotTLS,
      .handshakesPlainHTTP, .handshakesAbandoned:
      "sluice_tls_handshake_failures_total"
    case .secureConnectionsBroken: "sluice_tls_broken_total"
    case .sheddingLoops: "sluice_shedding_loops"
    case .loopLag: "sluice_loop_lag_milliseconds"
    default: "sluice_limit_breaches_total"
    }
  }

  var label: String {
    switch self {
    case .responses1xx: #"{status="1xx"}"#
    case .responses2xx: #"{status="2xx"}"#
    case .responses3xx: #"{status="3xx"}"#
    case .responses4xx: #"{status="4xx"}"#
    case .responses5xx: #"{status="5xx"}"#
    case .headerBytesBreaches: #"{limit="header_bytes"}"#
    case .uriBytesBreaches: #"{limit="uri_bytes"}"#
    case .bodyBytesBreaches: #"{limit="body_bytes"}"#
    case .headTimeouts: #"{limit="header_timeout_ms"}"#
    case .bodyTimeouts: #"{limit="body_timeout_ms"}"#
    case .idleTimeouts: #"{limit="idle_timeout_ms"}"#
    case .writeTimeouts: #"{limit="write_timeout_ms"}"#
    case .requestTimeouts: #"{limit="request_timeout_ms"}"#
    case .connectionsRefused: #"{limit="connections"}"#
    case .addressesRefused: #"{limit="connections_per_address"}"#
    case .messagesTooBig: #"{limit="websocket_message_bytes"}"#
    case .messagesOfTooManyFrames: #"{limit="websocket_message_frames"}"#
    case .slowSubscribers: #"{limit="websocket_queue_bytes"}"#
    case .silentSockets: #"{limit="websocket_ping_ms"}"#
    case .answersHeldBack: #"{limit="answer_queue_bytes"}"#
    case .rateLimited: #"{limit="requests_per_second"}"#
    case .usersRateLimited: #"{limit="user_requests_per_second"}"#
    case .compressionStatesRefused: #"{limit="websocket_compression_states"}"#
    case .messagesTooLongToCompress: #"{limit="websocket_compressed_bytes"}"#
    case .http2StreamBreaches: #"{limit="http2_streams"}"#
    case .http2Resets: #"{limit="http2_resets_per_second"}"#
    case .http2Pings: #"{limit="http2_pings_per_second"}"#
    case .http2Settings: #"{limit="http2_settings_per_second"}"#
    case .http2IgnoredFrames: #"{limit="http2_ignored_frames_per_second"}"#
    case .http2EmptyFrames: #"{limit="http2_empty_frames_per_second"}"#
    case .http2WindowUpdates: #"{limit="http2_window_updates_per_second"}"#
    case .http2Continuations: #"{limit="http2_continuations"}"#
    case .http2FieldSections: #"{limit="http2_field_section_bytes"}"#
    case .http2QueueBreaches: #"{limit="http2_queue_bytes"}"#
    case .handshakesRefused: #"{limit="tls_handshakes_per_second"}"#
    case .handshakeTimeouts: #"{limit="tls_handshake_timeout_ms"}"#
    case .shedForMemory: #"{limit="memory_bytes"}"#
    case .shedForLag: #"{limit="loop_lag_ms"}"#
    case .answersTooLargeToKeep: #"{limit="idempotency_answer_bytes"}"#
    case .repeatsAnswered: #"{outcome="answered"}"#
    case .repeatsRefused: #"{outcome="refused"}"#
    case .handshakes12: #"{version="1.2"}"#
    case .handshakes13: #"{version="1.3"}"#
    case .handshakesOfVersion: #"{reason="version"}"#
    case .handshakesOfParameters: #"{reason="parameters"}"#
    case .handshakesOfProtocol: #"{reason="alpn"}"#
    case .handshakesOfCertificate: #"{reason="client_certificate"}"#
    case .handshakesOfAlert: #"{reason="peer_alert"}"#
    case .handshakesMalformed: #"{reason="malformed"}"#
    case .handshakesNotTLS: #"{reason="not_tls"}"#
    case .handshakesPlainHTTP: #"{reason="plain_http"}"#
    case .handshakesAbandoned: #"{reason="abandoned"}"#
    default: ""
    }
  }

  var isGauge: Bool {
    self == .connectionsOpen || self == .webSocketsOpen || self == .compressionStates
      || self == .secureConnectionsOpen || self == .sheddingLoops || self == .loopLag
  }

  /// Whether each loop's number stands by itself, because their sum says nothing.
  var isOfEachLoop: Bool { self == .loopLag }

  var help: String {
    switch self {
    case .connectionsAccepted: "Connections accepted."
    case .connectionsOpen: "Connections open now."
    case .bytesReceived: "Bytes read from clients."
    case .bytesSent: "Bytes of answers and messages handed to the kernel or queued for it."
    case .responses1xx, .responses2xx, .responses3xx, .responses4xx, .responses5xx:
      "Answers, by class of status."
    case .requestMicroseconds: "Time between a request's head and its answer, added up."
    case .webSocketsOpened: "WebSocket handshakes completed."
    case .greetingsRefused: "WebSockets closed because their first message did not let them in."
    case .webSocketsOpen: "WebSockets open now."
    case .webSocketMessagesReceived: "Whole WebSocket messages received."
    case .webSocketMessagesSent: "WebSocket messages sent, each recipient counted."
    case .malformedRequests: "Connections closed because what came was not HTTP."
    case .cancelledRequests: "Requests whose client left before the answer."
    case .quotasExceeded: "Requests, WebSockets and messages refused because a plan allows no more."
    case .identityHits: "Credentials recognised from the cache."
    case .identityMisses: "Credentials shown to the authenticator."
    case .repeatsAnswered, .repeatsRefused:
      "Requests whose Idempotency-Key had been used, given the first answer again or refused."
    case .logLinesDropped: "Log lines dropped because the log was behind."
    case .groupMessages: "Messages sent to groups, each counted once."
    case .webSocketMessagesDeflated:
      "Messages compressed, each counted once however many receive it."
    case .webSocketMessagesInflated: "Compressed messages received whole."
    case .invalidCompression:
      "Connections closed with 1007 because a compressed message could not be inflated."
    case .compressionStates: "Compression states that connections hold now."
    case .http2Connections: "Connections that speak HTTP/2."
    case .http2Requests: "Requests answered over HTTP/2."
    case .secureConnectionsOpen: "Connections open now on listeners with TLS."
    case .handshakes12, .handshakes13: "TLS handshakes completed, by version."
    case .handshakesResumed:
      "TLS handshakes completed with a session ticket; part of all that were completed."
    case .handshakesOfVersion, .handshakesOfParameters, .handshakesOfProtocol,
      .handshakesOfCertificate, .handshakesOfAlert, .handshakesMalformed, .handshakesNotTLS,
      .handshakesPlainHTTP, .handshakesAbandoned:
      "TLS handshakes that failed, by reason."
    case .secureConnectionsBroken: "TLS connections that broke after their handshake."
    case .sheddingLoops: "Loops that shed new connections now."
    case .loopLag:
      "The longest that an event had to wait for others on the loop in the last second."
    default: "Times that a peer went over a limit."
    }
  }
}

/// The counters of one loop. Confined to the loop's thread; other threads get copies.
public struct LoopMetrics {
  private let values: UnsafeMutablePointer<Int64>

  init() {
    values = .allocate(capacity: Metric.allCases.count)
    values.initialize(repeating: 0, count: Metric.allCases.count)
  }

  func destroy() { values.deallocate() }

  /// Counts; no other thread writes these cells. [loop-thread]
  @inline(__always)
  public func add(_ metric: Metric, _ amount: Int = 1) {
    values[metric.rawValue] &+= Int64(amount)
  }

  /// Puts another number in the place of a gauge's.
  func set(_ metric: Metric, _ value: Int) { values[metric.rawValue] = Int64(value) }

  /// Counts an answer by the class of its status; the five counters lie side by side.
  @inline(__always)
  func add(answerWithStatus status: Int) {
    values[Metric.responses1xx.rawValue &+ min(max(status / 100, 1), 5) &- 1] &+= 1
  }

  func snapshot() -> [Int64] {
    Array(UnsafeBufferPointer(start: values, count: Metric.allCases.count))
  }
}
