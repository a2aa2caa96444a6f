internal import CSluice
internal import EventLoop
internal import Wire

extension UnsafeMutablePointer where Pointee == RequestSlot {
  /// Answers in one piece and ends the request. False when the answer has been given before.
  @discardableResult
  func answer(
    _ status: Int, contentType: UnsafeRawBufferPointer, body: UnsafeRawBufferPointer
  ) -> Bool {
    guard pointee.stage != .answered, pointee.stage != .streaming,
      let connection = pointee.connection
    else { return false }
    let hasBody = status != 204 && status != 304
    writeHead(status, contentType: contentType, length: hasBody ? Int64(body.count) : -2)
    if hasBody && !pointee.flags.contains(.isHead) && body.count > 0 {
      let loop = connection.loop
      if body.count <= 65_536 {
        loop.pointee.output.append(body)
      } else {
        connection.flush()
        connection.send(body)
      }
      pointee.sent += body.count
    }
    finish()
    return true
  }

  /// Answers with a problem document.
  @discardableResult
  func problem(
    _ status: Int, code: UnsafeRawBufferPointer, detail: UnsafeRawBufferPointer,
    errors: UnsafeRawBufferPointer = UnsafeRawBufferPointer(start: nil, count: 0)
  ) -> Bool {
    var text = ByteWriter(growingFrom: 512)
    defer { text.deallocate() }
    ProblemDocument.render(
      status: status, code: code, detail: detail, requestID: requestID, errors: errors, into: &text)
    return answer(status, contentType: ProblemDocument.contentType.raw, body: text.bytes)
  }

  @discardableResult
  func problem(_ problem: ProblemCode, _ detail: StaticString) -> Bool {
    self.problem(problem.status, code: problem.code.raw, detail: detail.raw)
  }

  @discardableResult
  func problem(_ problem: ProblemCode, detail: String, errors: [FieldProblem] = []) -> Bool {
    var detail = detail
    let rendered = errors.isEmpty ? [] : ProblemDocument.render(errors)
    return detail.withUTF8 { detail in
      rendered.withUnsafeBytes { errors in
        self.problem(
          problem.status, code: problem.code.raw, detail: UnsafeRawBufferPointer(detail),
          errors: errors)
      }
    }
  }

  /// Adds a header field to the answer; the caller has checked it.
  func add(_ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) {
    if pointee.added == nil { pointee.added = ByteWriter(growingFrom: 128) }
    pointee.added?.append(name)
    pointee.added?.append(": ")
    pointee.added?.append(value)
    pointee.added?.append("\r\n")
  }

  /// Writes status line and fields to the loop's output.
  ///
  /// - Parameter length: bytes of body; -1 for chunked; -2 for an answer that has none by definition.
  func writeHead(_ status: Int, contentType: UnsafeRawBufferPointer, length: Int64) {
    let connection = pointee.connection.unsafelyUnwrapped
    let loop = connection.loop
    loop.own(connection)
    if loop.pointee.isDraining || !pointee.head.keepAlive || !bodyIsConsumed {
      pointee.flags.insert(.mustClose)
    }
    let now = loop.pointee.eventLoop.unixMilliseconds
    let addedCount = pointee.added?.count ?? 0
    let start = loop.pointee.output.reserve(640 + contentType.count + addedCount)
    var text = LineCursor(start)
    if let line = StatusLine.registered(status) {
      text.put(line)
    } else {
      text.put("HTTP/1.1 ")
      text.put(decimal: status)
      text.put(" \r\n")
    }
    text.put(loop.pointee.dates.field(unixMilliseconds: now), DateCache.dateLength)
    if contentType.count > 0 {
      text.put("content-type: ")
      text.put(contentType)
      text.put("\r\n")
    }
    if length >= 0 {
      text.put("content-length: ")
      text.put(decimal: Int(length))
      text.put("\r\n")
    } else if length == -1 {
      if pointee.head.versionMinor == 1 {
        text.put("transfer-encoding: chunked\r\n")
        pointee.flags.insert(.isChunkedAnswer)
      } else {
        pointee.flags.insert(.mustClose)
      }
    }
    text.put("x-request-id: ")
    text.put(requestID)
    text.put("\r\n")
    if pointee.rateRemaining >= 0, let tenant = pointee.tenant {
      tenant._withUnsafeGuaranteedRef { text.put($0.limitField) }
      text.put("x-ratelimit-remaining: ")
      text.put(decimal: pointee.rateRemaining)
      text.put("\r\nx-ratelimit-reset: ")
      text.put(decimal: pointee.rateReset)
      text.put("\r\n")
    }
    if let added = pointee.added { text.put(added.bytes) }
    if pointee.flags.contains(.mustClose) {
      text.put("connection: close\r\n")
    } else if pointee.head.versionMinor == 0 {
      text.put("connection: keep-alive\r\n")
    }
    text.put("\r\n")
    let count = text.place - start
    loop.pointee.output.advance(by: count)
    pointee.status = UInt16(status)
    pointee.sent += count
  }

  /// Whether everything that the peer sent for this request has been read.
  private var bodyIsConsumed: Bool {
    !pointee.head.hasBody || pointee.flags.contains(.bodyIsComplete)
  }

  /// Ends the request: counts and logs it, makes its token stale, and lets the connection go on.
  func finish() {
    let connection = pointee.connection.unsafelyUnwrapped
    let loop = connection.loop
    pointee.stage = .answered
    loop.pointee.tokens.remove(pointee.token)
    loop.observe(self)
    connection.pointee.request = nil
    if pointee.flags.contains(.mustClose) { connection.pointee.flags.insert(.isFinishing) }
    if !pointee.flags.contains(.isAdvancing) { recycle() }
    connection.requestHasEnded()
  }

  /// Gives the slot back.
  func recycle() {
    let loop = pointee.connection.unsafelyUnwrapped.loop
    let generation = pointee.generation
    release()
    loop.pointee.requests.give(self)
    if let generation {
      generation._withUnsafeGuaranteedRef { $0.leave() }
      generation.release()
    }
  }
}

extension UnsafeMutablePointer where Pointee == LoopState {
  /// Makes the output buffer the connection's; what it holds for another is sent first.
  @inline(__always)
  func own(_ connection: ConnectionPointer) {
    guard pointee.outputOwner != connection else { return }
    if let other = pointee.outputOwner { other.flush() }
    pointee.outputOwner = connection
  }

  /// Counts and logs a request that has been answered.
  func observe(_ request: RequestPointer) {
    let status = Int(request.pointee.status)
    let metrics = pointee.metrics
    switch status {
    case ..<200: metrics.add(.responses1xx)
    case ..<300: metrics.add(.responses2xx)
    case ..<400: metrics.add(.responses3xx)
    case ..<500: metrics.add(.responses4xx)
    default: metrics.add(.responses5xx)
    }
    metrics.add(.bytesSent, request.pointee.sent)
    let microseconds = Int(EventLoop.hrtime() &- request.pointee.began) / 1000
    metrics.add(.requestMicroseconds, microseconds)
    guard pointee.access.isOn else { return }
    let now = pointee.eventLoop.unixMilliseconds
    let none = UnsafeRawBufferPointer(start: nil, count: 0)
    let trace = request.field(.traceparent).flatMap(traceID) ?? none
    let stream = request.pointee.connection.unsafelyUnwrapped.pointee.stream
    func add(_ tenant: UnsafeRawBufferPointer, _ principal: UnsafeRawBufferPointer) {
      let line = AccessLog.Line(
        time: pointee.dates.time(unixMilliseconds: now), requestID: request.requestID,
        tenant: tenant,
        method: request.method, path: request.path, status: status, sent: request.pointee.sent,
        microseconds: microseconds, peer: PeerText(address: stream.peer), principal: principal,
        trace: trace)
      let dropped = pointee.access.add(line)
      if dropped > 0 { metrics.add(.logLinesDropped, dropped) }
    }
    guard let tenant = request.pointee.tenant else { return add(none, none) }
    tenant._withUnsafeGuaranteedRef { tenant in
      tenant.idBytes.withUnsafeBytes { tenant in
        guard let principal = request.pointee.principal else { return add(tenant, none) }
        let id = principal._withUnsafeGuaranteedRef { $0.contract.id }
        add(tenant, UnsafeRawBufferPointer(start: id.bytes, count: Int(id.length)))
      }
    }
  }

  /// The trace id of a `traceparent` field (W3C Trace Context §3.2), if the field is well-formed.
  private func traceID(_ field: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
    guard field.count >= 55, field[2] == 0x2d, field[35] == 0x2d, field[52] == 0x2d else {
      return nil
    }
    let id = UnsafeRawBufferPointer(rebasing: field[3..<35])
    var isZero = true
    for byte in id {
      switch byte {
      case 0x30: continue
      case 0x31...0x39, 0x61...0x66: isZero = false
      default: return nil
      }
    }
    return isZero ? nil : id
  }
}
