internal import CZlib
internal import Wire

/// One compressor: raw DEFLATE (RFC 1951) as permessage-deflate sends it (RFC 7692 §7.2.1).
///
/// A handle; whoever makes it ends it with ``destroy()``. Confined to one thread.
public struct Deflater {
  /// What each message ends with and what is left out (§7.2.1).
  private static var tailBytes: Int { 4 }

  private let stream: UnsafeMutablePointer<z_stream>

  /// A compressor with a window of 2^`windowBits` bytes, 9 to 15, and twice as much for its tables, or nil when
  /// there is no memory: 4 KB in all with 9, 32 KB with 12, 256 KB with 15.
  public init?(windowBits: UInt8, level: UInt8) {
    precondition((9...15).contains(windowBits))
    stream = .allocate(capacity: 1)
    stream.initialize(to: z_stream())
    let status = deflateInit2_(
      stream, Int32(level), Z_DEFLATED, -Int32(windowBits), Int32(max(windowBits, 9)) - 7,
      Z_DEFAULT_STRATEGY, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
    guard status == Z_OK else {
      stream.deallocate()
      return nil
    }
  }

  /// Frees the compressor and its window.
  public func destroy() {
    deflateEnd(stream)
    stream.deallocate()
  }

  /// The smallest window that sees all of a message of `count` bytes, but no larger than 2^`bits`.
  public static func windowBits(for count: Int, atMost bits: UInt8) -> UInt8 {
    // zlib does not look as far back as its window reaches, by its longest match and a few bytes.
    let needed = (count + 262).nextPowerOfTwo.trailingZeroBitCount
    return UInt8(min(max(needed, 9), Int(bits)))
  }

  /// The bytes that any message of `count` bytes fits in.
  public func bound(_ count: Int) -> Int { Int(deflateBound(stream, UInt(count))) + 16 }

  /// Forgets the messages before.
  public func reset() { deflateReset(stream) }

  /// Compresses a whole message behind those since the last ``reset()``.
  ///
  /// - Parameters:
  ///   - message: at least one byte.
  ///   - level: 1 (fastest) to 9 (smallest).
  ///   - room: where it goes; ``bound(_:)`` always suffices. A few bytes behind the result are used too.
  /// - Returns: bytes of the frame's payload, or nil when the room does not suffice; then `reset()` is due.
  public func compress(
    _ message: UnsafeRawBufferPointer, level: UInt8, into room: UnsafeMutableRawBufferPointer
  ) -> Int? {
    guard !message.isEmpty, let base = room.baseAddress else { return nil }
    stream.pointee.next_out = base.assumingMemoryBound(to: UInt8.self)
    stream.pointee.avail_out = UInt32(clamping: room.count)
    // Before a message begins nothing is pending, so a new level costs no output.
    guard deflateParams(stream, Int32(level), Z_DEFAULT_STRATEGY) == Z_OK else { return nil }
    stream.pointee.next_in = message.baseAddress?.assumingMemoryBound(to: UInt8.self)
    stream.pointee.avail_in = UInt32(clamping: message.count)
    let status = deflate(stream, Z_SYNC_FLUSH)
    stream.pointee.next_in = nil
    guard status == Z_OK, stream.pointee.avail_in == 0, stream.pointee.avail_out > 0 else {
      return nil
    }
    return room.count - Int(stream.pointee.avail_out) - Self.tailBytes
  }
}
