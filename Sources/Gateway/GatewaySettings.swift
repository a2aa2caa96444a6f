public import HTTP2
public import Wire

/// What the operator set for the connections of a gateway, the same on every loop.
public struct GatewaySettings: Sendable, Equatable {
  /// Bytes of a request's line and header fields. Breach: 431.
  public var headBytes = 32_768
  /// Bytes of a request's target. Breach: 414.
  public var targetBytes = 8_192
  /// Header fields of a request. Breach: 431.
  public var headerFields = 100
  /// Bytes of a body, whatever the route allows. Breach: 413.
  public var bodyBytes = 10_485_760
  /// Bytes of an answer that is kept for repeats of its request. A larger one is sent and not kept.
  public var idempotencyAnswerBytes = 262_144
  /// Milliseconds for a head to be complete. Breach: 408, and the connection is closed.
  public var headTimeout: UInt64 = 10_000
  /// Milliseconds for a body to make progress. Breach: 408, and the connection is closed.
  public var bodyTimeout: UInt64 = 30_000
  /// Milliseconds for a TLS handshake to be complete. Breach: the connection is closed.
  public var handshakeTimeout: UInt64 = 10_000
  /// TLS handshakes begun per second, on all loops. Breach: the connection is closed before its handshake.
  public var handshakesPerSecond = 1_000
  /// Milliseconds between two requests. Breach: the connection is closed.
  public var idleTimeout: UInt64 = 75_000
  /// Milliseconds for a peer to take something of what is queued. Breach: the connection is reset.
  public var writeTimeout: UInt64 = 30_000
  /// Milliseconds from a request's last byte to the head of its answer. Breach: 504.
  public var requestTimeout: UInt64 = 30_000
  /// Milliseconds without a sign of life from a WebSocket's peer before it is pinged; twice that closes it.
  public var pingInterval: UInt64 = 25_000
  /// Requests per second of one user of a tenant, on all loops. Breach: 429. 0 for no bound.
  public var userRequestsPerSecond = 0
  /// Connections open at once, on all loops. Breach: 503 and the connection is closed.
  public var connections = 100_000
  /// Connections open at once from one address that is no trusted proxy's. Breach: 503 and the connection is closed.
  public var connectionsPerAddress = 10_000
  /// Bytes of the process's resident memory from which on new connections are shed: 503. 0 for no bound.
  public var memoryBytes = 0
  /// Milliseconds by which a loop is late, for some seconds, from which on it sheds new connections: 503. 0 for no bound.
  public var loopLag = 0
  /// Frames of one WebSocket message. Breach: closed with 1008.
  public var messageFrames = 16_384
  /// Bytes queued for a WebSocket that does not read. Breach: closed with 3008.
  public var socketQueueBytes = 1_048_576
  /// Bytes of the largest message that is compressed; a larger one goes as it is.
  public var compressedBytes = 1_048_576
  /// Compression states that connections hold, on all loops: contexts that are kept, and compressed messages that are
  /// half received. Breach: no context is kept; a message is closed with 1013.
  public var compressionStates = 1_000
  /// Bytes queued for an HTTP connection before its requests must wait.
  public var answerQueueBytes = 262_144
  /// What one HTTP/2 connection may cost.
  public var http2 = HTTP2Limits()
  /// Bytes of answers queued on an HTTP/2 connection, until its next requests wait.
  public var http2QueueBytes = 1_048_576
  /// Milliseconds that draining may take.
  public var drainTimeout: UInt64 = 30_000
  /// Whether `/metrics` answers others than the machine itself.
  public var publicMetrics = false

  /// Whose word counts on where a request comes from.
  public var trustedProxies = TrustedProxies()

  /// Everything at its default.
  public init() {}

  /// Other settings as far as a loop that runs can take them: what its memory and its lists of deadlines were made for
  /// stays. A connection keeps what it began with of the bounds on HTTP/2.
  func adopting(_ other: GatewaySettings) -> GatewaySettings {
    var next = other
    next.headBytes = headBytes
    next.targetBytes = targetBytes
    next.headerFields = headerFields
    next.headTimeout = headTimeout
    next.bodyTimeout = bodyTimeout
    next.handshakeTimeout = handshakeTimeout
    next.handshakesPerSecond = handshakesPerSecond
    next.idleTimeout = idleTimeout
    next.writeTimeout = writeTimeout
    next.requestTimeout = requestTimeout
    next.pingInterval = pingInterval
    return next
  }
}
