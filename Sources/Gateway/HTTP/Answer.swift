internal import CSluice
internal import EventLoop
internal import Wire

extension UnsafeMutablePointer where Pointee == RequestSlot {
  /// Answers in one piece and ends the request. False when the answer has been given before.
  @discardableResult
  func answer(
    _ status: Int, contentType: UnsafeRawBufferPointer, body: UnsafeRawBufferPointer
  ) -> Bool {
    guard pointee.stage.takesAnswer, let connection = pointee.connection else { return false }
    if pointee.greeting != nil {
      refuseGreeting(Self.status(forAnswer: status))
      return true
    }
    if pointee.claim != nil, keepForRepeats(status, contentType: contentType, body: body) {
      return true
    }
    if let stream = pointee.http2 {
      answer(on: stream, status, contentType: contentType, body: body)
      return true
    }
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

  /// Adds a header field that is a number.
  func add(_ name: StaticString, _ number: Int) {
    var text = String(number)
    text.withUTF8 { add(name.raw, UnsafeRawBufferPointer($0)) }
  }

  /// Writes status line and fields to the loop's output.
  ///
  /// - Parameter length: bytes of body; -1 for chunked; -2 for an answer that has none by definition.
  func writeHead(_ status: Int, contentType: UnsafeRawBufferPointer, length: Int64) {
    if pointee.passage != nil { runResponders(status) }
    if pointee.head.first(.origin) != nil { addCrossOrigin(status) }
    if status == 503 || status == 429 { addRetryAfter() }
    let connection = pointee.connection.unsafelyUnwrapped
    let loop = connection.loop
    loop.own(connection)
    if let secure = connection.pointee.secure { addTransportSecurity(secure) }
    if loop.pointee.isDraining || !pointee.head.keepAlive || !bodyIsConsumed {
      pointee.flags.insert(.mustClose)
    }
    let now = loop.pointee.eventLoop.unixMilliseconds
    let addedCount = pointee.added?.count ?? 0
    let start = loop.pointee.output.reserve(640 + contentType.count + addedCount)
    var text = LineCursor(start)
    if length >= 0 {
      if let prefix = loop.pointee.prefix.find(status, contentType, now: now) {
        text.put(prefix)
      } else {
        loop.renderPrefix(status, contentType, now: now, into: &text)
      }
      text.put(decimal: Int(length))
      text.put("\r\nx-request-id: ")
    } else {
      loop.renderStart(status, contentType, now: now, into: &text)
      if length == -1 {
        if pointee.head.versionMinor == 1 {
          text.put("transfer-encoding: chunked\r\n")
          pointee.flags.insert(.isChunkedAnswer)
        } else {
          pointee.flags.insert(.mustClose)
        }
      }
      text.put("x-request-id: ")
    }
    text.put(short: requestID)
    text.put("\r\n")
    if pointee.rateRemaining >= 0, let tenant = pointee.tenant {
      tenant._withUnsafeGuaranteedRef { text.put($0.limitField) }
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
  @inline(__always)
  private var bodyIsConsumed: Bool {
    !pointee.head.hasBody || pointee.flags.contains(.bodyIsComplete)
  }

  /// Ends the request: counts and logs it, makes its token stale, and lets the connection go on.
  func finish() {
    if let stream = pointee.http2 { return finish(on: stream) }
    let connection = pointee.connection.unsafelyUnwrapped
    let loop = connection.loop
    pointee.stage = .answered
    // Seldom is there anything of this, so one look tells.
    if !pointee.flags.isDisjoint(with: [.mustClose, .hasWaited, .isConnection]) {
      endUnusually(connection)
    }
    if pointee.passage != nil { runObservers() }
    loop.pointee.tokens.remove(pointee.token)
    loop.observe(self)
    connection.pointee.request = nil
    if !pointee.flags.contains(.isAdvancing) { recycle() }
    connection.requestHasEnded()
  }

  @inline(never)
  private func endUnusually(_ connection: ConnectionPointer) {
    leaveConnections()
    if pointee.flags.contains(.hasWaited) { endCallsLater() }
    if pointee.flags.contains(.mustClose) { connection.pointee.flags.insert(.isFinishing) }
  }

  /// Gives the slot back.
  @inline(__always)
  func recycle() {
    let loop = pointee.connection.unsafelyUnwrapped.loop
    let generation = pointee.generation
    release()
    loop.pointee.requests.give(self)
    generation?._withUnsafeGuaranteedRef { $0.leave() }
  }
}

extension UnsafeMutablePointer where Pointee == LoopState {
  /// Status line, date and content type.
  @inline(never)
  fileprivate func renderStart(
    _ status: Int, _ contentType: UnsafeRawBufferPointer, now: UInt64, into text: inout LineCursor
  ) {
    if let line = StatusLine.registered(status) {
      text.put(line)
    } else {
      text.put("HTTP/1.1 ")
      text.put(decimal: status)
      text.put(" \r\n")
    }
    text.put(pointee.dates.field(unixMilliseconds: now), DateCache.dateLength)
    guard contentType.count > 0 else { return }
    text.put("content-type: ")
    text.put(contentType)
    text.put("\r\n")
  }

  /// As ``renderStart(_:_:now:into:)`` and the name of the length, which the next answer of the kind finds ready.
  @inline(never)
  fileprivate func renderPrefix(
    _ status: Int, _ contentType: UnsafeRawBufferPointer, now: UInt64, into text: inout LineCursor
  ) {
    let start = text.place
    renderStart(status, contentType, now: now, into: &text)
    text.put("content-length: ")
    pointee.prefix.remember(status, contentType, now: now, start, text.place - start)
  }

  /// Makes the output buffer the connection's; what it holds for another is sent first.
  @inline(__always)
  func own(_ connection: ConnectionPointer) {
    guard pointee.outputOwner != connection else { return }
    if let other = pointee.outputOwner { other.flush() }
    pointee.outputOwner = connection
  }

  /// Counts and logs a request that has been answered.
  @inline(__always)
  func observe(_ request: RequestPointer) {
    let status = Int(request.pointee.status)
    let metrics = pointee.metrics
    metrics.add(answerWithStatus: status)
    metrics.add(.bytesSent, request.pointee.sent)
    let microseconds = Int(EventLoop.hrtime() &- request.pointee.began) / 1000
    metrics.add(.requestMicroseconds, microseconds)
    guard pointee.access.isOn else { return }
    let none = UnsafeRawBufferPointer(start: nil, count: 0)
    let line = AccessLog.Line(
      time: pointee.dates.time(unixMilliseconds: pointee.eventLoop.unixMilliseconds),
      requestID: request.requestID,
      tenant: request.pointee.tenant?._withUnsafeGuaranteedRef { $0.idText } ?? none,
      method: request.method, path: request.path, status: status, sent: request.pointee.sent,
      microseconds: microseconds,
      peer: PeerText(address: request.clientAddress),
      principal: request.pointee.principal?._withUnsafeGuaranteedRef { $0.idText } ?? none,
      client: request.pointee.connection.unsafelyUnwrapped.pointee.secure.flatMap {
        UnsafePointer($0.pointer(to: \.clientSubject))
      },
      trace: request.field(.traceparent).flatMap(traceID) ?? none,
      isHTTP2: request.pointee.http2 != nil)
    let dropped = pointee.access.add(line)
    if dropped > 0 { metrics.add(.logLinesDropped, dropped) }
  }

  /// The trace id of a `traceparent` field (W3C Trace Context §3.2), if the field is well-formed.
  @inline(never)
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
