internal import Deflate
internal import EventLoop
internal import Wire

extension UnsafeMutablePointer where Pointee == SocketState {
  /// Lays out a message compressed; false when it is to go as it is.
  func appendCompressed(_ opcode: Opcode, _ message: UnsafeRawBufferPointer) -> Bool {
    guard pointee.deflate.isAgreed, message.count >= Int(pointee.deflate.minimumBytes),
      loop.mayCompress(message.count)
    else { return false }
    let connection = pointee.connection
    let isApart = !pointee.flags.isDisjoint(with: [.isOpening, .isOverHTTP2])
    if !isApart { loop.own(connection) }
    guard let frame = compressedFrame(opcode, message) else { return false }
    if isApart {
      appendApart(frame)
    } else {
      loop.pointee.output.advance(by: frame.count)
      loop.pointee.metrics.add(.bytesSent, frame.count)
      flushSoon()
    }
    return true
  }

  private func compressedFrame(
    _ opcode: Opcode, _ message: UnsafeRawBufferPointer
  ) -> UnsafeRawBufferPointer? {
    let deflate = pointee.deflate
    guard deflate.flags.contains(.keepsContext) else {
      return loop.compressedFrame(
        opcode, message,
        windowBits: Deflater.windowBits(for: message.count, atMost: deflate.windowBits),
        level: deflate.level)
    }
    let codecs = codecs()
    if codecs.pointee.deflater == nil {
      codecs.pointee.deflater = Deflater(windowBits: deflate.windowBits, level: deflate.level)
    }
    guard let deflater = codecs.pointee.deflater else { return nil }
    if deflate.flags.contains(.isStale) {
      deflater.reset()
      pointee.deflate.flags.remove(.isStale)
    }
    // What the compressor has seen the peer must see too, even if it has not become shorter.
    let frame = loop.compressedFrame(
      opcode, message, deflater, level: deflate.level, mustShrink: false)
    if frame == nil { pointee.deflate.flags.insert(.isStale) }
    return frame
  }

  /// Inflates a piece of a compressed message behind what there is of it; nil when all is well.
  func inflate(_ payload: UnsafeRawBufferPointer, _ piece: FramePiece) -> FrameViolation? {
    guard let inflater = inflater(for: piece) else { return .compressionBusy }
    let violation = pointee.message.inflate(
      payload, piece, limit: Int(pointee.messageLimit), with: inflater,
      checkedBy: &pointee.decoder)
    if piece.isLast, violation == nil { loop.pointee.metrics.add(.webSocketMessagesInflated) }
    // A message that has ended or failed gives back what nobody will ask for again.
    if piece.isLast || violation != nil { dismiss(inflater) }
    return violation
  }

  /// The decompressor of the message that a piece belongs to.
  private func inflater(for piece: FramePiece) -> Inflater? {
    if let known = pointee.codecs?.pointee.inflater { return known }
    if pointee.deflate.flags.contains(.peerKeepsContext) {
      let fresh = Inflater(windowBits: pointee.deflate.peerWindowBits)
      codecs().pointee.inflater = fresh
      return fresh
    }
    // A message that is there as a whole borrows the loop's; one that is not must hold its own.
    if !piece.isLast && !pointee.deflate.flags.contains(.holdsState) {
      guard loop.takeCompressionState() else { return nil }
      pointee.deflate.flags.insert(.holdsState)
    }
    let taken = loop.pointee.compression.takeInflater()
    if !piece.isLast { codecs().pointee.inflater = taken }
    return taken
  }

  private func dismiss(_ inflater: Inflater) {
    guard !pointee.deflate.flags.contains(.peerKeepsContext) else { return }
    loop.pointee.compression.give(inflater)
    guard let codecs = pointee.codecs, codecs.pointee.inflater != nil else { return }
    codecs.pointee.inflater = nil
    if !pointee.deflate.flags.contains(.keepsContext) { destroyCodecs() }
  }

  private func codecs() -> UnsafeMutablePointer<SocketCodecs> {
    if let known = pointee.codecs { return known }
    let fresh = UnsafeMutablePointer<SocketCodecs>.allocate(capacity: 1)
    fresh.initialize(to: SocketCodecs())
    pointee.codecs = fresh
    return fresh
  }

  /// Frees what the socket holds for compression.
  func destroyCodecs() {
    if let codecs = pointee.codecs {
      codecs.pointee.deflater?.destroy()
      codecs.pointee.inflater?.destroy()
      codecs.deallocate()
      pointee.codecs = nil
    }
    guard pointee.deflate.flags.contains(.holdsState) else { return }
    pointee.deflate.flags.remove(.holdsState)
    loop.giveCompressionState()
  }
}
