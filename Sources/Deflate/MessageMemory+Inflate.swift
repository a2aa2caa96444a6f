public import Wire

extension MessageMemory {
  /// Inflates a piece of a message behind what there is of it; nil when all is well.
  ///
  /// Text is checked and bytes are counted as they come out, so that a small message cannot become a large one.
  ///
  /// - Parameters:
  ///   - payload: the piece's bytes as they came, at least as long as the call lasts.
  ///   - limit: bytes that the message may have.
  ///   - decoder: whose text check goes with the message.
  public mutating func inflate(
    _ payload: UnsafeRawBufferPointer, _ piece: FramePiece, limit: Int, with inflater: Inflater,
    checkedBy decoder: inout FrameDecoder
  ) -> FrameViolation? {
    inflater.feed(payload)
    var awaitsTail = piece.isLast
    while true {
      let room = self.room(upTo: limit + 1, expecting: payload.count * 4)
      let (outcome, fresh) = inflater.inflate(into: room)
      advance(by: fresh)
      let inflated = UnsafeRawBufferPointer(rebasing: room[..<fresh])
      if piece.opcode == .text, !decoder.check(inflated: inflated, isLast: false) {
        return .invalidText
      }
      if Int(count) > limit { return .messageTooBig }
      switch outcome {
      case .full: continue
      case .invalid: return .invalidCompression
      case .outOfMemory: return .compressionBusy
      case .exhausted:
        guard awaitsTail else { return piece.isLast ? ending(piece, inflater, &decoder) : nil }
        awaitsTail = false
        inflater.feedTail()
      }
    }
  }

  private func ending(
    _ piece: FramePiece, _ inflater: Inflater, _ decoder: inout FrameDecoder
  ) -> FrameViolation? {
    guard inflater.isComplete else { return .invalidCompression }
    let nothing = UnsafeRawBufferPointer(start: nil, count: 0)
    guard piece.opcode != .text || decoder.check(inflated: nothing, isLast: true) else {
      return .invalidText
    }
    return nil
  }
}
