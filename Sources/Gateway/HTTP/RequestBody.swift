internal import EventLoop
internal import Wire

extension UnsafeMutablePointer where Pointee == RequestSlot {
  private static var firstCapacity: Int { 16_384 }

  /// Decides what to do about the body, once the request may come in.
  @inline(__always)
  func readBody() {
    guard passes(.limit) else { return }
    if !pointee.head.hasBody, !facts.pointee.requiresBody {
      pointee.flags.insert(.bodyIsComplete)
      pointee.stage = .handle
    } else {
      readAnnouncedBody()
    }
  }

  @inline(never)
  private func readAnnouncedBody() {
    let facts = facts.pointee
    let (mode, limit, isRequired) = (facts.body, facts.bodyLimit, facts.requiresBody)
    guard pointee.head.hasBody else {
      pointee.flags.insert(.bodyIsComplete)
      if isRequired { return refuse("A body is required here.") }
      pointee.stage = .handle
      return
    }
    if mode == .none { return refuse("This route takes no body.") }
    if let problem = wrongContentType() {
      self.problem(.unsupportedMediaType, detail: problem)
      return
    }
    let most = Swift.min(limit, loop.pointee.settings.bodyBytes)
    if pointee.head.contentLength > Int64(most) { return refuseTooLarge(most) }
    if pointee.flags.contains(.bodyIsComplete) {
      // It was read for another tenant, to find out that it is this one's.
      return pointee.bodyCount > most ? refuseTooLarge(most) : bodyIsComplete()
    }
    pointee.bodyLeft = pointee.head.isChunked ? -1 : pointee.head.contentLength
    pointee.stage = .receiving
    if mode == .streamed {
      pointee.stage = .handle
      return
    }
    takeWhole()
    if pointee.stage == .receiving { askToContinue() }
  }

  private func refuse(_ detail: StaticString) { problem(.invalidRequest, detail) }

  func refuseTooLarge(_ limit: Int) {
    loop.pointee.metrics.add(.bodyBytesBreaches)
    problem(.payloadTooLarge, detail: "The body is over the limit of \(limit) bytes.")
  }

  private func wrongContentType() -> String? {
    let allowed = withRoute { $0.contentTypes }
    guard !allowed.isEmpty else { return nil }
    guard let sent = field(.contentType) else {
      return "Content-Type is missing; this takes \(allowed.joined(separator: ", "))"
    }
    let end = sent.firstIndex { $0 == 0x3b || $0 == 0x20 || $0 == 0x09 } ?? sent.count
    let type = UnsafeRawBufferPointer(rebasing: sent[..<end])
    for var name in allowed
    where name.withUTF8({ equalsIgnoringCase(UnsafeRawBufferPointer($0), type) }) {
      return nil
    }
    return "This takes \(allowed.joined(separator: ", ")) only."
  }

  /// A body that has come whole with its head is used where it lies.
  private func takeWhole() {
    if let stream = pointee.http2 { return receiveBody(from: stream) }
    let connection = pointee.connection.unsafelyUnwrapped
    guard pointee.bodyLeft > 0, Int(connection.pointee.viewCount) >= Int(pointee.bodyLeft) else {
      return receiveBody()
    }
    pointee.body = UnsafeRawPointer(connection.pointee.view)
    pointee.bodyCount = Int(pointee.bodyLeft)
    if pointee.kept != nil {
      // The request has waited before: its memory must outlive the connection's.
      let copy = UnsafeMutableRawPointer.allocate(byteCount: pointee.bodyCount, alignment: 16)
      copy.copyMemory(from: pointee.body.unsafelyUnwrapped, byteCount: pointee.bodyCount)
      pointee.bodyMemory = copy
      pointee.bodyCapacity = pointee.bodyCount
      pointee.body = UnsafeRawPointer(copy)
    }
    connection.consume(pointee.bodyCount)
    bodyIsComplete()
  }

  /// Tells a client that waits for it to send its body (RFC 9110 §10.1.1).
  func askToContinue() {
    guard pointee.head.expectsContinue, !pointee.flags.contains(.continueSent) else { return }
    pointee.flags.insert(.continueSent)
    if let stream = pointee.http2 {
      if stream.pointee.received == 0 { askToContinue(on: stream) }
      return
    }
    let connection = pointee.connection.unsafelyUnwrapped
    guard connection.pointee.viewCount == 0 else { return }
    let loop = connection.loop
    loop.own(connection)
    loop.pointee.output.append("HTTP/1.1 100 Continue\r\n\r\n")
    loop.pointee.metrics.add(.responses1xx)
    if !connection.pointee.flags.contains(.isProcessing) { connection.flush() }
  }

  /// Takes body bytes from the connection's view.
  func receiveBody() {
    let connection = pointee.connection.unsafelyUnwrapped
    let before = pointee.bodyCount
    if pointee.bodyLeft >= 0 {
      let count = Swift.min(Int(connection.pointee.viewCount), Int(pointee.bodyLeft))
      if count > 0 {
        append(connection.pointee.view.unsafelyUnwrapped, count)
        connection.consume(count)
        pointee.bodyLeft -= Int64(count)
      }
      if pointee.bodyLeft == 0 { return bodyIsComplete() }
    } else {
      receiveChunks()
    }
    if pointee.stage == .receiving { connection.awaitBody(isAnew: hasAdvanced(from: before)) }
  }

  /// Whether enough of a body has come for the time limit to begin anew: otherwise a byte now and then would do.
  func hasAdvanced(from before: Int) -> Bool {
    before / Self.bodyStep != pointee.bodyCount / Self.bodyStep
  }

  /// Bytes of a body that is buffered whole which must come within the time limit.
  private static var bodyStep: Int { 16_384 }

  private func receiveChunks() {
    let connection = pointee.connection.unsafelyUnwrapped
    let most = Swift.min(facts.pointee.bodyLimit, loop.pointee.settings.bodyBytes)
    guard connection.pointee.viewCount > 0 else { return }
    let view = UnsafeRawBufferPointer(
      start: connection.pointee.view, count: Int(connection.pointee.viewCount))
    var offset = 0
    while true {
      switch pointee.chunks.next(view, offset: &offset, limits: ChunkedLimits()) {
      case .data(let span):
        guard pointee.bodyCount + span.count <= most else {
          connection.consume(offset)
          pointee.flags.insert(.mustClose)
          return refuseTooLarge(most)
        }
        append(view.baseAddress.unsafelyUnwrapped + span.start, span.count)
      case .end:
        connection.consume(offset)
        return bodyIsComplete()
      case .needMore:
        connection.consume(offset)
        return
      case .invalid(let error):
        connection.consume(offset)
        loop.pointee.metrics.add(.malformedRequests)
        pointee.flags.insert(.mustClose)
        problem(error.status, code: error.code.raw, detail: error.message.raw)
        return
      }
    }
  }

  func append(_ bytes: UnsafeRawPointer, _ count: Int) {
    let needed = pointee.bodyCount + count
    if needed > pointee.bodyCapacity {
      // What a peer announces is not believed: memory grows with what has come.
      var capacity = Swift.max(Self.firstCapacity, needed.nextPowerOfTwo)
      if pointee.bodyLeft > 0, Int(pointee.bodyLeft) + pointee.bodyCount < capacity {
        capacity = Swift.max(needed, Int(pointee.bodyLeft) + pointee.bodyCount)
      }
      let fresh = UnsafeMutableRawPointer.allocate(byteCount: capacity, alignment: 16)
      if let old = pointee.bodyMemory {
        fresh.copyMemory(from: old, byteCount: pointee.bodyCount)
        old.deallocate()
      }
      pointee.bodyMemory = fresh
      pointee.bodyCapacity = capacity
    }
    let memory = pointee.bodyMemory.unsafelyUnwrapped
    (memory + pointee.bodyCount).copyMemory(from: bytes, byteCount: count)
    pointee.bodyCount = needed
    pointee.body = UnsafeRawPointer(memory)
  }

  func bodyIsComplete() {
    pointee.flags.insert(.bodyIsComplete)
    if facts.pointee.requiresBody, pointee.bodyCount == 0 {
      return refuse("A body is required here.")
    }
    guard bodyIsAsDeclared() else { return }
    pointee.stage = .handle
    if !pointee.flags.contains(.isAdvancing) { advance() }
  }

  /// Whether the body passes the route's check. If not, the request has been answered.
  private func bodyIsAsDeclared() -> Bool {
    let body = UnsafeRawBufferPointer(start: pointee.body, count: pointee.bodyCount)
    let problems = withRoute { route in route.bodyCheck.map { $0(body) } ?? [] }
    if problems.isEmpty { return true }
    let isUnreadable = problems.contains(where: \.isUnreadable)
    problem(
      .invalidRequest,
      detail: isUnreadable
        ? "The body is not JSON." : "The body is not as this route declares it.",
      errors: problems)
    return false
  }
}
