internal import Glibc

/// A loop's one growing buffer, in which the answers to a whole read are laid out before one write.
///
/// A handle: copies name the same bytes. It is empty between callbacks; whoever fills it flushes it with
/// ``TCPStream/flush(_:)`` before returning, and flushes earlier when it ``isFull``. [loop-thread]
@frozen
public struct OutputBuffer {
  @usableFromInline
  struct Storage {
    @usableFromInline var base: UnsafeMutableRawPointer
    @usableFromInline var count: Int
    @usableFromInline var capacity: Int
    @usableFromInline let bound: Int

    @usableFromInline
    init(bound: Int) {
      base = malloc(OutputBuffer.firstCapacity)!
      count = 0
      capacity = OutputBuffer.firstCapacity
      self.bound = bound
    }
  }

  static let firstCapacity = 16 * 1024

  @usableFromInline let storage: UnsafeMutablePointer<Storage>

  /// Allocates a buffer; ``destroy()`` frees it. A loop has one already: ``EventLoop/output``.
  ///
  /// - Parameter bound: bytes at which the buffer counts as full, and above which it keeps no memory.
  public static func make(bound: Int) -> OutputBuffer {
    let storage = UnsafeMutablePointer<Storage>.allocate(capacity: 1)
    storage.initialize(to: Storage(bound: bound))
    return OutputBuffer(storage: storage)
  }

  init(storage: UnsafeMutablePointer<Storage>) { self.storage = storage }

  /// Frees the buffer, which is not to be used again.
  public func destroy() {
    free(storage.pointee.base)
    storage.deallocate()
  }

  /// Bytes held.
  @inlinable
  public var count: Int { storage.pointee.count }

  /// Whether there is nothing to flush.
  @inlinable
  public var isEmpty: Bool { storage.pointee.count == 0 }

  /// Whether it is time to flush. A full buffer still takes what is appended, so that one answer is never cut.
  @inlinable
  public var isFull: Bool { storage.pointee.count >= storage.pointee.bound }

  /// The bytes held; valid until something is appended.
  @inlinable
  public var bytes: UnsafeMutableRawBufferPointer {
    UnsafeMutableRawBufferPointer(start: storage.pointee.base, count: storage.pointee.count)
  }

  /// Makes room for `size` bytes and returns where they go; ``advance(by:)`` then takes them in.
  ///
  /// Everything obtained before is invalid, for the buffer may have moved.
  @inlinable @inline(__always)
  public func reserve(_ size: Int) -> UnsafeMutableRawPointer {
    if storage.pointee.capacity - storage.pointee.count < size { grow(size) }
    return storage.pointee.base + storage.pointee.count
  }

  /// Takes in bytes written at the pointer that ``reserve(_:)`` returned; at most as many as reserved.
  @inlinable @inline(__always)
  public func advance(by size: Int) {
    assert(size >= 0 && storage.pointee.count + size <= storage.pointee.capacity)
    storage.pointee.count += size
  }

  /// Copies bytes in.
  @inlinable @inline(__always)
  public func append(_ bytes: UnsafeRawPointer, count: Int) {
    reserve(count).copyMemory(from: bytes, byteCount: count)
    storage.pointee.count += count
  }

  /// Copies bytes in.
  @inlinable @inline(__always)
  public func append(_ bytes: UnsafeRawBufferPointer) {
    if let base = bytes.baseAddress { append(base, count: bytes.count) }
  }

  /// Copies a literal in.
  @inlinable @inline(__always)
  public func append(_ text: StaticString) {
    append(text.utf8Start, count: text.utf8CodeUnitCount)
  }

  /// Appends one byte.
  @inlinable @inline(__always)
  public func append(_ byte: UInt8) {
    reserve(1).storeBytes(of: byte, as: UInt8.self)
    storage.pointee.count += 1
  }

  /// Forgets what lies behind the first `count` bytes, for an answer that is taken back.
  @inlinable
  public func truncate(to count: Int) {
    precondition(count >= 0 && count <= storage.pointee.count)
    storage.pointee.count = count
  }

  /// Empties the buffer, and shrinks it if it had to grow past its bound.
  @inlinable
  public func removeAll() {
    storage.pointee.count = 0
    if storage.pointee.capacity > storage.pointee.bound { shrink() }
  }

  @usableFromInline
  func grow(_ size: Int) {
    let needed = storage.pointee.count + size
    var capacity = storage.pointee.capacity
    while capacity < needed { capacity *= 2 }
    storage.pointee.base = realloc(storage.pointee.base, capacity)!
    storage.pointee.capacity = capacity
  }

  @usableFromInline
  func shrink() {
    guard storage.pointee.bound >= Self.firstCapacity else { return }
    storage.pointee.base = realloc(storage.pointee.base, storage.pointee.bound)!
    storage.pointee.capacity = storage.pointee.bound
  }
}
