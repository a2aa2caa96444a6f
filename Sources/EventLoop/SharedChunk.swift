internal import Glibc

/// Bytes with a count of owners, shared by every stream that a publication goes to.
///
/// The count is not atomic: a chunk stays on the thread that made it (checked in debug builds).
/// Whoever makes a chunk owns it once and ends with ``release()``; ``TCPStream/write(shared:from:)``
/// takes an owner's share of its own. Fill a chunk before sharing it.
public struct SharedChunk {
  private struct Header {
    var owners: Int
    var count: Int
    var capacity: Int
    #if DEBUG
      var thread = pthread_self()
    #endif
  }

  /// Where the bytes begin, a multiple of 16.
  private static var headerSize: Int { (MemoryLayout<Header>.size + 15) & ~15 }

  private let header: UnsafeMutablePointer<Header>

  /// Allocates an empty chunk with one owner.
  public static func make(capacity: Int) -> SharedChunk { SharedChunk(capacity: capacity) }

  /// Allocates a chunk with one owner and copies `bytes` into it.
  public static func make(copying bytes: UnsafeRawBufferPointer) -> SharedChunk {
    let chunk = SharedChunk(capacity: bytes.count)
    chunk.append(bytes)
    return chunk
  }

  private init(capacity: Int) {
    // Memory comes from malloc, whose usable size is often larger, but only what was asked for counts.
    let memory = malloc(Self.headerSize + capacity)!
    header = memory.bindMemory(to: Header.self, capacity: 1)
    header.initialize(to: Header(owners: 1, count: 0, capacity: capacity))
  }

  /// The bytes; valid while the caller owns a share.
  public var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: count) }

  /// Bytes held.
  public var count: Int { header.pointee.count }

  /// Bytes that still fit.
  public var room: Int { header.pointee.capacity - header.pointee.count }

  /// Copies bytes behind those held. They must fit: see ``room``.
  public func append(_ bytes: UnsafeRawBufferPointer) {
    precondition(bytes.count <= room, "a chunk does not grow")
    guard let source = bytes.baseAddress else { return }
    (base + count).copyMemory(from: source, byteCount: bytes.count)
    header.pointee.count += bytes.count
  }

  /// Adds an owner.
  public func retain() {
    assertThread()
    header.pointee.owners += 1
  }

  /// Gives up a share; the last one frees the bytes.
  public func release() {
    assertThread()
    header.pointee.owners -= 1
    if header.pointee.owners == 0 { free(header) }
  }

  var base: UnsafeMutableRawPointer { UnsafeMutableRawPointer(header) + Self.headerSize }

  private func assertThread() {
    #if DEBUG
      assert(pthread_equal(header.pointee.thread, pthread_self()) != 0, "a chunk left its thread")
    #endif
  }
}
