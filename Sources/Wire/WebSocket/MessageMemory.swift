/// The memory of a message that comes in pieces, until it is whole.
///
/// It grows with what has come, never with what was announced. A plain value of 16 bytes that owns its memory until
/// ``release()``; one thread at a time.
public struct MessageMemory {
  private var base: UnsafeMutableRawPointer?
  /// Bytes of the message so far; at most 2^32 - 1.
  public private(set) var count: UInt32 = 0
  private var capacity: UInt32 = 0

  /// No message yet, and no memory.
  public init() {}

  /// What has come, borrowed until the next call.
  public var bytes: UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(start: base, count: Int(count))
  }

  /// Takes bytes behind those that have come.
  public mutating func append(_ bytes: UnsafeRawBufferPointer) {
    let needed = Int(count) + bytes.count
    if needed > Int(capacity) || base == nil { grow(to: needed) }
    if let source = bytes.baseAddress, let base {
      (base + Int(count)).copyMemory(from: source, byteCount: bytes.count)
    }
    count = UInt32(needed)
  }

  /// The free bytes behind what has come, at least one, for ``advance(by:)``.
  ///
  /// - Parameters:
  ///   - most: bytes of the whole message beyond which there is no room; more than `count`.
  ///   - expected: how large the whole may become, for when there is no room left.
  public mutating func room(upTo most: Int, expecting expected: Int)
    -> UnsafeMutableRawBufferPointer
  {
    if count == capacity { grow(to: min(max(Int(count) * 2, expected), most)) }
    return UnsafeMutableRawBufferPointer(
      start: base.unsafelyUnwrapped + Int(count), count: min(Int(capacity), most) - Int(count))
  }

  /// So many bytes of the room are the message's now.
  public mutating func advance(by fresh: Int) { count += UInt32(fresh) }

  /// Frees the memory and forgets the message.
  public mutating func release() {
    base?.deallocate()
    self = MessageMemory()
  }

  /// Makes room for `needed` bytes in all.
  private mutating func grow(to needed: Int) {
    let fresh = UnsafeMutableRawPointer.allocate(
      byteCount: max(needed, 512).nextPowerOfTwo, alignment: 16)
    if let base {
      fresh.copyMemory(from: base, byteCount: Int(count))
      base.deallocate()
    }
    base = fresh
    capacity = UInt32(max(needed, 512).nextPowerOfTwo)
  }
}
