import Wire

/// WebSocket frames: the same messages whole or in pieces, and nothing of them outside what has come.
func fuzzFrames(_ input: UnsafeRawBufferPointer) {
  for fromClient in [true, false] {
    let limits = FrameLimits(messageBytes: 1_000, allowsRSV1: fromClient, fromClient: fromClient)
    var pieces = Pieces(input)
    let whole = decode(input, limits) { _ in input.count }
    let split = decode(input, limits) { pieces.next($0) }
    promise(whole == split, "frames are the same whole and in pieces: \(whole) \(split)")
  }
}

private func decode(
  _ input: UnsafeRawBufferPointer, _ limits: FrameLimits, _ size: (Int) -> Int
) -> [String] {
  var decoder = FrameDecoder()
  var seen: [String] = []
  var message: [UInt8] = []
  var waiting: [UInt8] = []
  var arrived = 0
  while arrived < input.count {
    let end = min(arrived + size(input.count - arrived), input.count)
    waiting += input[arrived..<end]
    arrived = end
    var offset = 0
    while true {
      let event = waiting.withUnsafeMutableBytes {
        decoder.next($0, offset: &offset, limits: limits)
      }
      promise(offset <= waiting.count, "no more is consumed than has come")
      if event == .needMore { break }
      switch event {
      case .data(let piece):
        message += waiting[piece.payload.start..<piece.payload.end]
        // As it travels, a compressed message may be longer by what deflate adds at most.
        let most = piece.isCompressed ? 1_000 + 125 + 15 + 64 : 1_000
        promise(message.count <= most, "no message is over its limit")
        if piece.isLast {
          seen.append("\(piece.opcode) \(piece.isCompressed) \(message)")
          message = []
        }
      case .ping(let span), .pong(let span):
        promise(span.count <= 125, "a control frame is short")
        seen.append("control \(Array(waiting[span.start..<span.end]))")
      case .close(let code, let reason):
        seen.append("close \(code ?? 0) \(Array(waiting[reason.start..<reason.end]))")
      case .violation(let violation):
        return seen + ["violation \(violation)"]
      case .needMore: break
      }
    }
    waiting.removeFirst(offset)
    promise(waiting.count <= 139, "what is left waiting is short")
  }
  return seen
}
