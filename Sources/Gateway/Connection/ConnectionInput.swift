internal import EventLoop
internal import Wire

extension UnsafeMutablePointer where Pointee == Connection {
  /// Bytes that may wait while a request is answered, before reading stops.
  private static var waitingLimit: Int { 65_536 }

  /// Bytes have come.
  func received(_ bytes: UnsafeMutableRawPointer, _ count: Int) {
    loop.pointee.metrics.add(.bytesReceived, count)
    if let socket = pointee.socket { return socket.received(bytes, count) }
    if let http2 = pointee.http2 { return http2.received(bytes, count) }
    guard !pointee.flags.contains(.isFinishing) else { return }
    if pointee.viewCount == 0 {
      pointee.view = bytes
      pointee.viewCount = UInt32(count)
    } else {
      stash(bytes, count)
    }
    process()
  }

  /// Goes on with what waits, when a request has ended or the peer has caught up.
  func resume() {
    guard !pointee.flags.contains(.isProcessing), !pointee.stream.isClosing else { return }
    if pointee.viewCount > 0 { return process() }
    if !pointee.flags.contains(.isHeldBack) { pointee.stream.startReading() }
    if pointee.flags.contains(.hasEnded) { return endOfInput() }
    if pointee.request == nil, pointee.socket == nil { watch(.idle) }
  }

  /// Reads requests from the view until it is empty or something must wait; then sends the answers.
  private func process() {
    pointee.flags.insert(.isProcessing)
    while pointee.viewCount > 0, canTakeMore {
      if let request = pointee.request {
        if request.pointee.stage == .receiving {
          request.receiveBody()
        } else if request.pointee.pull != nil {
          request.feedPull()
        } else {
          break
        }
      } else if !readHead() {
        break
      }
      if loop.pointee.outputOwner == self, loop.pointee.output.isFull { flush() }
    }
    pointee.flags.remove(.isProcessing)
    flush()
    if pointee.stream.isClosing { return dropInput() }
    if let socket = pointee.socket { return socket.takeOver() }
    if let http2 = pointee.http2 { return http2.takeView() }
    if pointee.flags.contains(.isFinishing) {
      unwatch()
      dropInput()
      return shutDown()
    }
    settle()
    afterProcessing()
  }

  private var canTakeMore: Bool {
    pointee.flags.isDisjoint(with: [.isFinishing, .isHeldBack]) && pointee.socket == nil
      && !pointee.stream.isClosing
  }

  private func afterProcessing() {
    if let request = pointee.request {
      if pointee.flags.contains(.hasEnded), lacksBody {
        pointee.stream.close()
      } else if request.pointee.stage != .receiving, Int(pointee.viewCount) >= Self.waitingLimit {
        pointee.stream.stopReading()
      } else if !pointee.flags.contains(.isHeldBack) {
        pointee.stream.startReading()
      }
    } else if pointee.flags.contains(.hasEnded),
      pointee.viewCount == 0 || !pointee.flags.contains(.isHeldBack)
    {
      endOfInput()
    } else if pointee.flags.isDisjoint(with: .isHeldBack) {
      pointee.stream.startReading()
      if pointee.viewCount > 0 {
        if pointee.timeout != .head { watch(.head) }
      } else {
        watchIdle()
      }
    }
  }

  /// Parses one head and starts its request; false when more bytes are needed.
  private func readHead() -> Bool {
    let loop = loop
    let view = UnsafeRawBufferPointer(start: pointee.view, count: Int(pointee.viewCount))
    let base = view.baseAddress.unsafelyUnwrapped
    let fields = loop.pointee.fields
    let request = loop.pointee.requests.take(
      base: base, fields: fields.baseAddress.unsafelyUnwrapped)
    let result = RequestHeadParser.parse(
      view, limits: loop.pointee.headLimits, progress: &pointee.progress,
      head: &request.pointee.head, fields: fields)
    request.pointee.connection = self
    switch result {
    case .needMore:
      request.pointee.head = RequestHead()
      loop.pointee.requests.give(request)
      return false
    case .complete(let consumed):
      request.pointee.headCount = consumed
      consume(consumed)
      start(request)
    case .invalid(.invalidTargetForm) where speaksHTTP2:
      request.pointee.head = RequestHead()
      loop.pointee.requests.give(request)
      beginHTTP2()
      return false
    case .invalid(let error):
      loop.pointee.metrics.add(error.metric)
      // RFC 9110 §9.3.2: not even a refusal has content where HEAD was asked.
      if request.pointee.head.method == .head { request.pointee.flags.insert(.isHead) }
      request.pointee.head = RequestHead()
      start(request, refusing: error)
    }
    return true
  }

  private func start(_ request: RequestPointer, refusing error: HTTP1Error? = nil) {
    pointee.request = request
    pointee.flags.insert(.hasBegun)
    request.register()
    if let error {
      request.pointee.flags.insert([.mustClose, .isAdvancing])
      let detail = error.message
      request.problem(error.status, code: error.code.raw, detail: detail.raw)
      request.recycle()
      return
    }
    if pointee.flags.contains(.isShed), request.isShed() { return }
    request.advance()
  }

  /// Answers a request whose head never became whole, and ends the connection.
  func refuse(at base: UnsafeRawPointer, _ problem: ProblemCode, _ detail: StaticString) {
    let loop = loop
    let request = loop.pointee.requests.take(
      base: base, fields: loop.pointee.fields.baseAddress.unsafelyUnwrapped)
    request.pointee.head = RequestHead()
    request.pointee.connection = self
    pointee.request = request
    request.register()
    request.pointee.flags.insert(.mustClose)
    request.problem(problem, detail)
  }

  /// Waits for the rest of a body, which will never come from a peer that has sent all it will send.
  ///
  /// - Parameter isAnew: whether its time begins anew.
  func awaitBody(isAnew: Bool = true) {
    guard !pointee.flags.contains(.hasEnded) else { return pointee.stream.close() }
    guard !pointee.flags.contains(.isHeldBack) else { return }
    if isAnew || pointee.timeout != .body { watch(.body) }
    pointee.stream.startReading()
  }

  /// The peer has sent all it will send.
  func endOfInput() {
    pointee.flags.insert(.hasEnded)
    if let socket = pointee.socket { return socket.hasEnded() }
    if let http2 = pointee.http2 { return http2.inputHasEnded() }
    guard pointee.request == nil else {
      // The rest of the body will never come; anything else may still be answered, from what is here.
      if lacksBody { pointee.stream.close() }
      return
    }
    unwatch()
    dropInput()
    shutDown()
  }

  /// Whether the request waits for more of its body and all that has come is consumed.
  private var lacksBody: Bool {
    pointee.viewCount == 0 && pointee.request?.wantsBody == true
  }
}

extension HTTP1Error {
  /// What counts it.
  fileprivate var metric: Metric {
    switch self {
    case .targetTooLong: .uriBytesBreaches
    case .headTooLarge, .tooManyFields: .headerBytesBreaches
    default: .malformedRequests
    }
  }
}
