public import CSluice
internal import EventLoop
internal import Wire

extension UnsafeMutablePointer where Pointee == RequestSlot {
  /// Sends status and fields of an answer whose body follows in pieces.
  func begin(_ status: Int, contentType: UnsafeRawBufferPointer, length: Int64) -> Int32 {
    guard pointee.stage == .handling else { return -6 }
    guard entersConnections(length: length) else { return SLUICE_E_LIMITED }
    if pointee.claim != nil { keepNothingForRepeats(status) }
    if let stream = pointee.http2 {
      begin(on: stream, status, contentType: contentType, length: length)
      pointee.stream.left = length
      pointee.stage = .streaming
      return 0
    }
    writeHead(status, contentType: contentType, length: length)
    pointee.stream.left = length
    pointee.stage = .streaming
    let connection = pointee.connection.unsafelyUnwrapped
    connection.unwatch()
    flushSoon()
    return 0
  }

  /// Sends a piece; 1 when the peer is behind and `resume` will be called.
  func write(_ piece: UnsafeRawBufferPointer, resume: Completion) -> Int32 {
    guard pointee.stage == .streaming else { return holdPiece(piece, resume: resume) }
    guard pointee.stream.resume == nil else { return -12 }
    if pointee.stream.left >= 0 {
      guard Int64(piece.count) <= pointee.stream.left else { return -2 }
      pointee.stream.left -= Int64(piece.count)
    }
    put(piece)
    // Nothing is ever queued for a peer that is gone: whoever writes until he is told to wait would write for ever.
    if pointee.connection.unsafelyUnwrapped.pointee.stream.isClosing { return SLUICE_E_STALE }
    return wait(for: resume) ? 1 : 0
  }

  /// Sends bytes of the body.
  func put(_ piece: UnsafeRawBufferPointer) {
    guard piece.count > 0, !pointee.flags.contains(.isHead) else { return }
    if let stream = pointee.http2 {
      pointee.sent += piece.count
      return stream.append(piece)
    }
    let connection = pointee.connection.unsafelyUnwrapped
    let loop = connection.loop
    loop.own(connection)
    let isChunked = pointee.flags.contains(.isChunkedAnswer)
    if isChunked {
      var size = ByteWriter(loop.pointee.output.reserve(24), capacity: 24)
      size.append(chunkSize: piece.count)
      loop.pointee.output.advance(by: size.count)
    }
    if piece.count <= 65_536 {
      loop.pointee.output.append(piece)
    } else {
      connection.flush()
      connection.send(piece)
      loop.own(connection)
    }
    if isChunked { loop.pointee.output.append("\r\n") }
    pointee.sent += piece.count
    if loop.pointee.output.isFull { connection.flush() }
    flushSoon()
  }

  /// Has `resume` called when the peer has caught up; false when it is not behind.
  func wait(for resume: Completion) -> Bool {
    if let stream = pointee.http2 { return wait(for: resume, on: stream) }
    let connection = pointee.connection.unsafelyUnwrapped
    guard connection.pointee.stream.queuedBytes > loop.pointee.settings.answerQueueBytes else {
      return false
    }
    pointee.stream.resume = resume
    pointee.flags.insert(.hasWaited)
    connection.watchWriting()
    return true
  }

  /// Ends an answer in pieces.
  func endStream() -> Int32 {
    guard pointee.stage == .streaming else { return holdEnd() }
    let connection = pointee.connection.unsafelyUnwrapped
    if pointee.stream.left > 0, !pointee.flags.contains(.isHead) {
      // The client waits for bytes that will not come: only a cut connection, or stream, tells it so.
      if let stream = pointee.http2 {
        stream.reset(.internalError)
        return -2
      }
      connection.flush()
      connection.pointee.stream.close()
      return -2
    }
    if pointee.flags.contains(.isChunkedAnswer), !pointee.flags.contains(.isHead) {
      let loop = connection.loop
      loop.own(connection)
      loop.pointee.output.append("0\r\n\r\n")
    }
    if holdsAnswers {
      holdFinish()
    } else {
      finish()
    }
    return 0
  }

  private func flushSoon() {
    let connection = pointee.connection.unsafelyUnwrapped
    if !connection.pointee.flags.contains(.isProcessing) { connection.loop.pointee.groupHook.arm() }
  }

  /// The peer has caught up.
  func hasDrained() {
    guard let resume = pointee.stream.resume else { return }
    pointee.stream.resume = nil
    if pointee.http2 == nil { pointee.connection.unsafelyUnwrapped.unwatch() }
    end(resume, "write completion", SLUICE_OK)
  }
}

extension sluice_slice_t {
  /// The slice of nothing.
  public static var absent: sluice_slice_t { sluice_slice_t(bytes: nil, length: 0) }
}
