internal import CUV
internal import Glibc

/// What one stream has yet to write, and how its end is going; it exists only while there is something of both.
///
/// libuv gets one write request at a time, of up to `gatherLimit` segments. What comes meanwhile waits here, small
/// copies side by side in one chunk, so that many small writes to a peer that does not read cost their
/// bytes and not a request each.
struct Outbound {
  static let gatherLimit = 32
  private static let smallestCopy = 4 * 1024
  private static let largestCopy = 64 * 1024

  struct Segment {
    var next: UnsafeMutablePointer<Segment>?
    var chunk: SharedChunk
    var offset: Int
    /// Whether the chunk is a copy of this queue's own, to which more may be added.
    var isOwnCopy: Bool

    var count: Int { chunk.count - offset }
  }

  /// First, so that the lingering list's pointer to it is the pointer to this.
  var deadline = DeadlineNode()
  let stream: TCPStream
  var writeRequest = uv_write_t()
  var shutdownRequest = uv_shutdown_t()
  private var first: UnsafeMutablePointer<Segment>?
  private var last: UnsafeMutablePointer<Segment>?
  /// Segments at the front that libuv is writing.
  private(set) var inFlight = 0
  /// Bytes behind those.
  private(set) var waitingBytes = 0
  /// Bytes that were queued when progress was last looked at.
  var lastSeenBytes = 0

  init(stream: TCPStream) { self.stream = stream }

  var isEmpty: Bool { first == nil }

  /// Queues a share of `chunk`.
  mutating func append(_ chunk: SharedChunk, from offset: Int) {
    chunk.retain()
    append(Segment(next: nil, chunk: chunk, offset: offset, isOwnCopy: false))
  }

  /// Queues a copy of `bytes`.
  mutating func append(copying bytes: UnsafeRawBufferPointer) {
    var rest = bytes
    // The last segment may grow only if libuv has not been given it, so it must not be the only ones in flight.
    if let last, last.pointee.isOwnCopy, waitingBytes > 0 {
      let size = min(rest.count, last.pointee.chunk.room)
      last.pointee.chunk.append(UnsafeRawBufferPointer(rebasing: rest[..<size]))
      waitingBytes += size
      rest = UnsafeRawBufferPointer(rebasing: rest[size...])
    }
    guard !rest.isEmpty else { return }
    let step = min(max(waitingBytes, Self.smallestCopy), Self.largestCopy)
    let chunk = SharedChunk.make(capacity: max(rest.count, step))
    chunk.append(rest)
    append(Segment(next: nil, chunk: chunk, offset: 0, isOwnCopy: true))
  }

  private mutating func append(_ segment: Segment) {
    let node = UnsafeMutablePointer<Segment>.allocate(capacity: 1)
    node.initialize(to: segment)
    if let last { last.pointee.next = node } else { first = node }
    last = node
    waitingBytes += segment.count
  }

  /// Lays out the next request's buffers and counts their segments as being in flight.
  ///
  /// - Returns: buffers laid out; 0 when nothing waits.
  mutating func gather(into buffers: UnsafeMutablePointer<uv_buf_t>) -> Int {
    precondition(inFlight == 0)
    var segment = first
    while let current = segment, inFlight < Self.gatherLimit {
      let start = current.pointee.chunk.base + current.pointee.offset
      buffers[inFlight] = uv_buf_t(
        base: start.assumingMemoryBound(to: CChar.self), len: current.pointee.count)
      waitingBytes -= current.pointee.count
      inFlight += 1
      segment = current.pointee.next
    }
    return inFlight
  }

  /// Lets go of what was in flight.
  mutating func releaseInFlight() {
    while inFlight > 0 {
      releaseFirst()
      inFlight -= 1
    }
  }

  mutating func releaseAll() {
    while first != nil { releaseFirst() }
    inFlight = 0
    waitingBytes = 0
  }

  private mutating func releaseFirst() {
    guard let node = first else { return }
    first = node.pointee.next
    if first == nil { last = nil }
    node.pointee.chunk.release()
    node.deallocate()
  }
}

// libuv and the lingering list keep these pointers, so they must be the fields' own addresses.
extension UnsafeMutablePointer<Outbound> {
  var deadline: UnsafeMutablePointer<DeadlineNode> {
    UnsafeMutableRawPointer(self).assumingMemoryBound(to: DeadlineNode.self)
  }

  var writeRequest: UnsafeMutablePointer<uv_write_t> {
    pointer(to: \.writeRequest).unsafelyUnwrapped
  }

  var shutdownRequest: UnsafeMutablePointer<uv_shutdown_t> {
    pointer(to: \.shutdownRequest).unsafelyUnwrapped
  }
}
