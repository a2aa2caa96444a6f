internal import Gateway

extension GatewaySettings {
  /// What the operator's configuration says to the loops.
  init(_ configuration: SluiceConfiguration) {
    self.init()
    let limits = configuration.limits
    headBytes = limits[.headerBytes]
    targetBytes = limits[.uriBytes]
    bodyBytes = limits[.bodyBytes]
    idempotencyAnswerBytes = limits[.idempotencyAnswerBytes]
    handshakeTimeout = UInt64(limits[.handshakeTimeout])
    handshakesPerSecond = limits[.handshakesPerSecond]
    headTimeout = UInt64(limits[.headerTimeout])
    bodyTimeout = UInt64(limits[.bodyTimeout])
    idleTimeout = UInt64(limits[.idleTimeout])
    writeTimeout = UInt64(limits[.writeTimeout])
    requestTimeout = UInt64(limits[.requestTimeout])
    userRequestsPerSecond = limits[.userRequestsPerSecond]
    connections = limits[.connections]
    connectionsPerAddress = limits[.connectionsPerAddress]
    memoryBytes = limits[.memoryBytes]
    loopLag = limits[.loopLag]
    messageFrames = limits[.webSocketMessageFrames]
    socketQueueBytes = limits[.webSocketQueueBytes]
    pingInterval = UInt64(limits[.webSocketPing])
    answerQueueBytes = limits[.answerQueueBytes]
    compressedBytes = limits[.webSocketCompressedBytes]
    compressionStates = limits[.webSocketCompressionStates]
    http2.streams = limits[.http2Streams]
    http2.resetsPerSecond = limits[.http2Resets]
    http2.pingsPerSecond = limits[.http2Pings]
    http2.settingsPerSecond = limits[.http2Settings]
    http2.ignoredFramesPerSecond = limits[.http2IgnoredFrames]
    http2.emptyFramesPerSecond = limits[.http2EmptyFrames]
    http2.windowUpdatesPerSecond = limits[.http2WindowUpdates]
    http2.continuations = limits[.http2Continuations]
    http2.fieldSectionBytes = limits[.http2FieldSectionBytes]
    http2QueueBytes = limits[.http2QueueBytes]
    drainTimeout = UInt64(configuration.drainTimeoutMilliseconds)
    publicMetrics = configuration.metricsArePublic
    trustedProxies = configuration.trustedProxies
  }
}
