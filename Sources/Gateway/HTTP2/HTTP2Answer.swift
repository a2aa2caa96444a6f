internal import EventLoop
internal import HTTP2
internal import Wire

extension UnsafeMutablePointer where Pointee == RequestSlot {
  /// Answers in one piece on a stream and ends the request.
  func answer(
    on stream: StreamPointer, _ status: Int, contentType: UnsafeRawBufferPointer,
    body: UnsafeRawBufferPointer
  ) {
    let hasBody = status != 204 && status != 304
    let isSent = hasBody && body.count > 0 && !pointee.flags.contains(.isHead)
    writeHead(
      on: stream, status, contentType: contentType, length: hasBody ? Int64(body.count) : -2,
      isFollowed: isSent || stream.pointee.flags.contains(.isMalformed))
    if isSent {
      stream.append(body)
      pointee.sent += body.count
    }
    finish(on: stream)
  }

  /// Lays the head of an answer out.
  ///
  /// - Parameters:
  ///   - length: bytes of body; -1 when not known; -2 for an answer that has none by definition.
  ///   - isFollowed: whether the stream is ended by what follows, and not by the head itself.
  func writeHead(
    on stream: StreamPointer, _ status: Int, contentType: UnsafeRawBufferPointer, length: Int64,
    isFollowed: Bool
  ) {
    if let secure = stream.pointee.http2.pointee.connection.pointee.secure {
      addTransportSecurity(secure)
    }
    if pointee.passage != nil { runResponders(status) }
    if pointee.head.first(.origin) != nil { addCrossOrigin(status) }
    if status == 503 || status == 429 { addRetryAfter() }
    let loop = loop
    var lines = 0
    if let added = pointee.added { for byte in added.bytes where byte == 0x0a { lines += 1 } }
    let now = loop.pointee.eventLoop.unixMilliseconds
    // `date: ` and CRLF surround the date itself.
    let date = UnsafeRawBufferPointer(
      start: loop.pointee.dates.field(unixMilliseconds: now) + 6, count: DateCache.dateLength - 8)
    withUnsafeTemporaryAllocation(byteCount: 128, alignment: 8) { memory in
      withUnsafeTemporaryAllocation(of: HTTP2Field.self, capacity: 8 + lines) { fields in
        var numbers = ByteWriter(memory.baseAddress.unsafelyUnwrapped, capacity: memory.count)
        func decimal(_ value: Int) -> UnsafeRawBufferPointer {
          let start = numbers.count
          numbers.append(decimal: value)
          return UnsafeRawBufferPointer(rebasing: numbers.bytes[start...])
        }
        var count = 0
        func put(_ field: HTTP2Field) {
          fields.initializeElement(at: count, to: field)
          count += 1
          pointee.sent += field.name.count + field.value.count
        }
        put(HTTP2Field(":status", decimal(status)))
        put(HTTP2Field("date", date))
        if contentType.count > 0 { put(HTTP2Field("content-type", contentType)) }
        if length >= 0 { put(HTTP2Field("content-length", decimal(Int(length)), isIndexed: false)) }
        put(HTTP2Field("x-request-id", requestID, isIndexed: false))
        if pointee.rateRemaining >= 0, let tenant = pointee.tenant {
          let limit = tenant._withUnsafeGuaranteedRef { $0.limiter.limit }
          put(HTTP2Field("x-ratelimit-limit", decimal(limit)))
          put(
            HTTP2Field("x-ratelimit-remaining", decimal(pointee.rateRemaining), isIndexed: false))
          put(HTTP2Field("x-ratelimit-reset", decimal(pointee.rateReset)))
        }
        if let added = pointee.added { addedFields(added.bytes) { put($0) } }
        endpoint(of: stream) {
          $0.respond(
            stream.pointee.id, UnsafeBufferPointer(rebasing: fields[..<count]),
            body: isFollowed ? UnsafeMutableRawPointer(stream) : nil)
        }
      }
    }
    if isFollowed { stream.pointee.flags.insert(.hasHead) }
    pointee.status = UInt16(status)
  }

  private func endpoint(of stream: StreamPointer, _ body: (HTTP2Endpoint) -> Void) {
    guard !stream.pointee.http2.pointee.flags.contains(.isOver) else { return }
    body(stream.endpoint)
    stream.pointee.http2.arm()
  }

  /// The fields that were added, which are kept as lines; without those that HTTP/2 does not have (RFC 9113 §8.2.2).
  private func addedFields(_ lines: UnsafeRawBufferPointer, _ body: (HTTP2Field) -> Void) {
    var start = 0
    while start < lines.count {
      var colon = start
      while lines[colon] != 0x3a { colon += 1 }
      var end = colon
      while lines[end] != 0x0d { end += 1 }
      let name = UnsafeRawBufferPointer(rebasing: lines[start..<colon])
      let value = UnsafeRawBufferPointer(rebasing: lines[colon + 2..<end])
      start = end + 2
      guard !ConnectionFields.contains(name) else { continue }
      let isSecret = equalsIgnoringCase(name, ("set-cookie" as StaticString).raw)
      body(HTTP2Field(name, value, isIndexed: !isSecret))
    }
  }

  /// Tells a client that waits for it to send its body (RFC 9110 §10.1.1).
  func askToContinue(on stream: StreamPointer) {
    let status = HTTP2Field(":status", ("100" as StaticString).raw)
    withUnsafePointer(to: status) { field in
      endpoint(of: stream) {
        $0.inform(stream.pointee.id, UnsafeBufferPointer(start: field, count: 1))
      }
    }
    loop.pointee.metrics.add(.responses1xx)
  }

  /// Begins an answer in pieces.
  func begin(
    on stream: StreamPointer, _ status: Int, contentType: UnsafeRawBufferPointer, length: Int64
  ) {
    writeHead(on: stream, status, contentType: contentType, length: length, isFollowed: true)
    stream.unwatch()
  }

  /// Has `resume` called when the peer has caught up; false when it is not behind.
  func wait(for resume: Completion, on stream: StreamPointer) -> Bool {
    guard stream.pointee.output.count > loop.pointee.settings.answerQueueBytes else { return false }
    pointee.stream.resume = resume
    pointee.flags.insert(.hasWaited)
    stream.pointee.progress = 0
    stream.watch(.write)
    return true
  }

  /// Ends the request: counts and logs it, and makes its token stale. The stream ends when its answer is sent.
  func finish(on stream: StreamPointer) {
    let loop = loop
    pointee.stage = .answered
    if !pointee.flags.isDisjoint(with: [.hasWaited, .isConnection]) {
      leaveConnections()
      if pointee.flags.contains(.hasWaited) { endCallsLater() }
    }
    if pointee.passage != nil { runObservers() }
    loop.pointee.tokens.remove(pointee.token)
    loop.observe(self)
    loop.pointee.metrics.add(.http2Requests)
    stream.pointee.request = nil
    stream.unwatch()
    // Not before: a stream that is over takes a request that is not with it.
    if stream.pointee.socket == nil { stream.complete() }
    if stream.pointee.output.count > 0 {
      stream.pointee.progress = 0
      stream.watch(.write)
    }
    // What is left of the body is of no use to anybody.
    if stream.pointee.socket == nil, stream.pointee.viewCount > 0,
      !stream.pointee.http2.pointee.flags.contains(.isOver)
    {
      stream.endpoint.consumeLeft(stream.pointee.viewCount)
      stream.pointee.viewCount = 0
    }
    if !pointee.flags.contains(.isAdvancing) { recycle() }
  }
}

/// Fields that speak of an HTTP/1 connection.
private enum ConnectionFields {
  static let names: [StaticString] = ["keep-alive", "proxy-connection", "upgrade"]

  static func contains(_ name: UnsafeRawBufferPointer) -> Bool {
    names.contains { equalsIgnoringCase($0.raw, name) }
  }
}
