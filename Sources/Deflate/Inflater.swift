internal import CZlib

/// One decompressor: raw DEFLATE (RFC 1951) as permessage-deflate receives it (RFC 7692 §7.2.2).
///
/// A message is fed piece by piece, and taken out in rooms of any size. It costs 7 KB, and once something was inflated
/// the window's 2^`windowBits` bytes beside. A handle; whoever makes it ends it with ``destroy()``. Confined to one
/// thread.
public struct Inflater {
  /// What stopped it.
  public enum Outcome: Equatable, Sendable {
    /// All that was fed has been inflated.
    case exhausted
    /// The room is used up; there may be more.
    case full
    /// What was fed is not DEFLATE.
    case invalid
    case outOfMemory
  }

  private struct State {
    var stream = z_stream()
    /// A block marked as the last one has ended; more may follow all the same (§7.2.3.5).
    var hasEnded = false
  }

  private let state: UnsafeMutablePointer<State>
  private var stream: UnsafeMutablePointer<z_stream> {
    UnsafeMutableRawPointer(state).assumingMemoryBound(to: z_stream.self)
  }

  /// A decompressor for windows of up to 2^`windowBits` bytes, 8 to 15, or nil when there is no memory.
  public init?(windowBits: UInt8) {
    precondition((8...15).contains(windowBits))
    state = .allocate(capacity: 1)
    state.initialize(to: State())
    let status = inflateInit2_(
      stream, -Int32(windowBits), ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
    guard status == Z_OK else {
      state.deallocate()
      return nil
    }
  }

  /// Frees the decompressor and its window.
  public func destroy() {
    inflateEnd(stream)
    state.deallocate()
  }

  /// Forgets the messages before, also one that broke off.
  public func reset() {
    inflateReset(stream)
    state.pointee.hasEnded = false
  }

  /// The next bytes of a message, which must stay where they are until they are exhausted.
  public func feed(_ bytes: UnsafeRawBufferPointer) {
    stream.pointee.next_in = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
    stream.pointee.avail_in = UInt32(clamping: bytes.count)
  }

  /// The message's last bytes have been exhausted: what the sender left out follows (§7.2.2).
  public func feedTail() {
    // A sender that ended its last block as such, and nothing behind it, has left nothing out.
    guard !state.pointee.hasEnded else { return feed(UnsafeRawBufferPointer(start: nil, count: 0)) }
    feed(UnsafeRawBufferPointer(start: Self.tail, count: 4))
  }

  /// 00 00 ff ff, which lives for ever. `nonisolated(unsafe)`: never written to, so any thread may read it.
  nonisolated(unsafe) private static let tail: UnsafeRawPointer = {
    let bytes = UnsafeMutableRawPointer.allocate(byteCount: 4, alignment: 4)
    bytes.storeBytes(of: UInt32(0xffff_0000).littleEndian, as: UInt32.self)
    return UnsafeRawPointer(bytes)
  }()

  /// Whether a message may end here: behind a whole block.
  public var isComplete: Bool { state.pointee.hasEnded || stream.pointee.data_type == 128 }

  /// Inflates into a room that is not empty.
  ///
  /// - Returns: what stopped it, and the bytes that came.
  public func inflate(into room: UnsafeMutableRawBufferPointer) -> (Outcome, Int) {
    stream.pointee.next_out = room.baseAddress?.assumingMemoryBound(to: UInt8.self)
    stream.pointee.avail_out = UInt32(clamping: room.count)
    while true {
      if state.pointee.hasEnded, stream.pointee.avail_in > 0 {
        inflateResetKeep(stream)
        state.pointee.hasEnded = false
      }
      let status = CZlib.inflate(stream, Z_SYNC_FLUSH)
      let count = room.count - Int(stream.pointee.avail_out)
      switch status {
      case Z_STREAM_END:
        state.pointee.hasEnded = true
        if stream.pointee.avail_in == 0 { return (.exhausted, count) }
      case Z_OK, Z_BUF_ERROR:
        if stream.pointee.avail_out == 0 { return (.full, count) }
        return (.exhausted, count)
      case Z_MEM_ERROR: return (.outOfMemory, count)
      default: return (.invalid, count)
      }
    }
  }
}
