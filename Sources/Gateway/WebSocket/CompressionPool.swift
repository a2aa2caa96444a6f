internal import Deflate
internal import EventLoop
internal import Wire

/// The compressors that all sockets of a loop share, each made at its first use. Confined to its loop.
struct CompressionPool {
  /// By window, 9 to 15 bits.
  private var deflaters = InlineArray<7, Deflater?>(repeating: nil)
  /// One that no message uses.
  private var inflater: Inflater?

  func destroy() {
    for position in deflaters.indices { deflaters[position]?.destroy() }
    inflater?.destroy()
  }

  /// A compressor that has seen nothing; nil when there is no memory.
  mutating func deflater(windowBits: UInt8) -> Deflater? {
    let position = Int(windowBits) - 9
    if let known = deflaters[position] {
      known.reset()
      return known
    }
    deflaters[position] = Deflater(windowBits: windowBits, level: 1)
    return deflaters[position]
  }

  /// A decompressor that has seen nothing, until it is given back; nil when there is no memory.
  mutating func takeInflater() -> Inflater? {
    guard let idle = inflater else { return Inflater(windowBits: 15) }
    inflater = nil
    idle.reset()
    return idle
  }

  mutating func give(_ used: Inflater) {
    if inflater == nil { inflater = used } else { used.destroy() }
  }
}

extension UnsafeMutablePointer where Pointee == LoopState {
  /// Whether a message of this size may be compressed; that it may not is counted.
  func mayCompress(_ count: Int) -> Bool {
    if count <= pointee.settings.compressedBytes { return true }
    pointee.metrics.add(.messagesTooLongToCompress)
    return false
  }

  /// Lays out a message as one compressed frame of a server.
  ///
  /// - Parameter mustShrink: whether a frame that is no shorter than the message is given up.
  /// - Returns: the frame, borrowed from the free part of the loop's output until that is used; nil when the message
  ///   is to go as it is.
  func compressedFrame(
    _ opcode: Opcode, _ message: UnsafeRawBufferPointer, _ deflater: Deflater, level: UInt8,
    mustShrink: Bool
  ) -> UnsafeRawBufferPointer? {
    let ahead = 10
    // Four of these bytes are a tail that is not sent.
    let room = mustShrink ? message.count + 3 : deflater.bound(message.count)
    let area = pointee.output.reserve(ahead + room)
    guard
      let count = deflater.compress(
        message, level: level,
        into: UnsafeMutableRawBufferPointer(start: area + ahead, count: room))
    else { return nil }
    pointee.metrics.add(.webSocketMessagesDeflated)
    var frame = ByteWriter(area, capacity: ahead)
    FrameEncoder.appendHeader(opcode, length: count, isCompressed: true, to: &frame)
    if frame.count < ahead {
      (area + frame.count).copyMemory(from: area + ahead, byteCount: count)
    }
    return UnsafeRawBufferPointer(start: area, count: frame.count + count)
  }

  /// Lays out a message compressed by itself, for every peer whose window has at least 2^`windowBits` bytes; as above.
  func compressedFrame(
    _ opcode: Opcode, _ message: UnsafeRawBufferPointer, windowBits: UInt8, level: UInt8
  ) -> UnsafeRawBufferPointer? {
    guard let deflater = pointee.compression.deflater(windowBits: windowBits) else { return nil }
    return compressedFrame(opcode, message, deflater, level: level, mustShrink: true)
  }

  /// Counts a compression state that a connection is to hold; false when there are too many in the process.
  func takeCompressionState() -> Bool {
    guard pointee.shared.takeCompressionState(limit: pointee.settings.compressionStates) else {
      pointee.metrics.add(.compressionStatesRefused)
      return false
    }
    pointee.metrics.add(.compressionStates)
    return true
  }

  func giveCompressionState() {
    pointee.shared.giveCompressionState()
    pointee.metrics.add(.compressionStates, -1)
  }
}
