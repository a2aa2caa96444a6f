internal import EventLoop
internal import HTTP2
internal import Wire

/// What the gateway does about the events of its endpoints.
let http2Events: HTTP2EventTable = HTTP2Events(
  onRequest: { owner, id, endsStream in
    UnsafeMutableRawPointer(http2(owner).begin(id, endsStream: endsStream))
  },
  onData: { _, context, bytes, count in stream(context).received(bytes, count) },
  onEnd: { _, context in stream(context).hasEnded() },
  // Clients that are still sending may take a reset for a failure, so they get a while to stop by themselves.
  onAnswered: { _, context in stream(context).watch(.linger) },
  onClosed: { _, context, _ in stream(context).end() },
  onPull: { _, context, room in stream(context).pull(room).rawValue },
  onSend: { _, context, count in stream(context).send(count) },
  onWrite: { owner, bytes, count in
    http2(owner).write(UnsafeRawBufferPointer(start: bytes, count: count))
  },
  // The peer knows that no stream will be taken soon: those that it has opened meanwhile are the last.
  onEndHeard: { owner in http2(owner).endFromWithin() },
  onBreach: { owner, breach in
    guard let breach = HTTP2Breach(rawValue: breach) else { return }
    http2(owner).loop.pointee.metrics.add(breach.metric)
  }
).makeTable()

private func http2(_ owner: UnsafeMutableRawPointer) -> HTTP2Pointer {
  owner.assumingMemoryBound(to: HTTP2Connection.self)
}

private func stream(_ context: UnsafeMutableRawPointer) -> StreamPointer {
  context.assumingMemoryBound(to: HTTP2Stream.self)
}

extension HTTP2Breach {
  /// What counts it.
  fileprivate var metric: Metric {
    switch self {
    case .streams: .http2StreamBreaches
    case .resets: .http2Resets
    case .pings: .http2Pings
    case .settings: .http2Settings
    case .ignoredFrames: .http2IgnoredFrames
    case .emptyFrames: .http2EmptyFrames
    case .windowUpdates: .http2WindowUpdates
    case .continuations: .http2Continuations
    case .fieldSection: .http2FieldSections
    }
  }
}

extension UnsafeMutablePointer where Pointee == HTTP2Connection {
  /// A request has come: its head lies in the endpoint's memory until this returns.
  fileprivate func begin(_ id: Int32, endsStream: Bool) -> StreamPointer {
    let connection = pointee.connection
    let loop = loop
    let section = endpoint.section
    let stream = StreamPointer.allocate(capacity: 1)
    stream.initialize(to: HTTP2Stream(http2: self, id: id))
    link(stream)
    let request = loop.pointee.requests.take(
      base: section.pointee.base, fields: section.pointee.fieldMemory)
    request.pointee.connection = connection
    request.pointee.http2 = stream
    request.pointee.head = section.pointee.head
    request.pointee.headCount = section.pointee.byteCount
    stream.pointee.request = request
    stream.pointee.announced = section.pointee.head.contentLength
    if endsStream { stream.pointee.flags.insert(.hasEnded) }
    request.register()
    if section.pointee.head.wantsUpgradeWebSocket { request.pointee.flags.insert(.isTunnel) }
    if let error = section.pointee.error {
      refuse(request, error)
    } else if request.isMisdirected {
      request.pointee.flags.insert(.isAdvancing)
      request.refuseMisdirected()
      request.recycle()
    } else if connection.pointee.flags.contains(.isShed), request.isShed() {
      return stream
    } else if pointee.queuedBytes > loop.pointee.settings.http2QueueBytes
      || !pointee.waiting.isEmpty
    {
      loop.pointee.metrics.add(.http2QueueBreaches)
      request.keep()
      request.awaitAnswer()
      pointee.waiting.append(stream)
    } else {
      request.advance()
    }
    return stream
  }

  private func refuse(_ request: RequestPointer, _ error: FieldSectionError) {
    let metrics = loop.pointee.metrics
    switch error {
    case .http(.targetTooLong): metrics.add(.uriBytesBreaches)
    case .http(.headTooLarge), .http(.tooManyFields): metrics.add(.headerBytesBreaches)
    default: metrics.add(.malformedRequests)
    }
    if error.isMalformed { request.pointee.http2?.pointee.flags.insert(.isMalformed) }
    request.pointee.flags.insert(.isAdvancing)
    request.problem(error.status, code: error.code.raw, detail: error.message.raw)
    request.recycle()
  }

  /// Begins requests that wait, now that less is queued.
  func startWaiting() {
    while !pointee.waiting.isEmpty, pointee.queuedBytes <= loop.pointee.settings.http2QueueBytes {
      let stream = pointee.waiting.removeFirst()
      stream.pointee.request?.advance()
    }
  }

  func forgetWaiting(_ stream: StreamPointer) {
    if !pointee.waiting.isEmpty { pointee.waiting.removeAll { $0 == stream } }
  }

  /// Names the last stream from within one of the endpoint's own events. When those that are open have ended, so does the
  /// connection.
  func endFromWithin() {
    guard !pointee.flags.contains(.hasEnded) else { return }
    pointee.flags.insert(.hasEnded)
    endpoint.end()
  }
}

extension UnsafeMutablePointer where Pointee == HTTP2Stream {
  /// Body bytes have come: they lie in the endpoint's input until this returns.
  fileprivate func received(_ bytes: UnsafeMutableRawPointer, _ count: Int) {
    pointee.received += Int64(count)
    guard pointee.request != nil || pointee.socket != nil, !pointee.flags.contains(.isReset) else {
      // Of no use to anybody: the room on this stream is not given back.
      return endpoint.consumeLeft(count)
    }
    if pointee.announced >= 0, pointee.received > pointee.announced {
      endpoint.consume(count, on: pointee.id)
      return resetMalformed()
    }
    if pointee.viewCount > 0 {
      stash(bytes, count)
    } else {
      pointee.view = bytes
      pointee.viewCount = count
    }
    deliver()
    settle()
  }

  /// The peer has sent all it will send.
  fileprivate func hasEnded() {
    pointee.flags.insert(.hasEnded)
    guard pointee.request != nil || pointee.socket != nil, !pointee.flags.contains(.isReset) else {
      return
    }
    if pointee.announced >= 0, pointee.received != pointee.announced { return resetMalformed() }
    deliver()
    settle()
  }

  /// Hands what has come to whoever takes it.
  private func deliver() {
    if let socket = pointee.socket { return socket.receive(from: self) }
    guard let request = pointee.request else { return }
    if request.pointee.stage == .receiving {
      request.receiveBody(from: self)
    } else if request.pointee.pull != nil {
      request.feedPull()
    }
  }

  /// Takes bytes from the front of the view, and gives the peer room for as many.
  func consume(_ count: Int) {
    guard count > 0 else { return }
    pointee.view = pointee.view.unsafelyUnwrapped + count
    pointee.viewCount -= count
    endpoint.consume(count, on: pointee.id)
    pointee.http2.arm()
  }

  /// Appends what has come to what waits, which is at most what the window has room for.
  private func stash(_ bytes: UnsafeRawPointer, _ count: Int) {
    let needed = pointee.viewCount + count
    if let input = pointee.input, let view = pointee.view, needed <= pointee.inputCapacity {
      // Room behind what waits, or before it.
      if view - UnsafeMutableRawPointer(input) + needed > pointee.inputCapacity {
        input.copyMemory(from: view, byteCount: pointee.viewCount)
        pointee.view = input
      }
      (pointee.view.unsafelyUnwrapped + pointee.viewCount).copyMemory(
        from: bytes, byteCount: count)
      pointee.viewCount = needed
      return
    }
    let capacity = Swift.max(needed, 1024).nextPowerOfTwo
    let fresh = UnsafeMutableRawPointer.allocate(byteCount: capacity, alignment: 16)
    if let view = pointee.view { fresh.copyMemory(from: view, byteCount: pointee.viewCount) }
    (fresh + pointee.viewCount).copyMemory(from: bytes, byteCount: count)
    pointee.input?.deallocate()
    pointee.input = fresh
    pointee.inputCapacity = capacity
    pointee.view = fresh
    pointee.viewCount = needed
  }

  /// What is not consumed moves to the stream's own memory, which is freed if nothing is left.
  func settle() {
    guard pointee.viewCount > 0, let view = pointee.view else {
      pointee.input?.deallocate()
      pointee.input = nil
      pointee.view = nil
      return
    }
    if let input = pointee.input, view >= input, view <= input + pointee.inputCapacity { return }
    let count = pointee.viewCount
    pointee.viewCount = 0
    pointee.view = nil
    stash(view, count)
  }
}
