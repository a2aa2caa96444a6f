internal import EventLoop

/// What one stream has yet to send: pieces in a row, of which some may be shared with other streams.
struct StreamOutput {
  private struct Piece {
    var next: UnsafeMutablePointer<Piece>?
    let chunk: SharedChunk
    var offset = 0
  }

  private static let smallestCopy = 1024

  private var first: UnsafeMutablePointer<Piece>?
  private var last: UnsafeMutablePointer<Piece>?
  /// Whether the last piece is a copy of this stream's own, to which more may be added.
  private var lastIsOwn = false
  /// Bytes held.
  private(set) var count = 0

  /// Adds a copy.
  mutating func append(_ bytes: UnsafeRawBufferPointer) {
    guard bytes.count > 0 else { return }
    if lastIsOwn, let last, last.pointee.chunk.room >= bytes.count {
      last.pointee.chunk.append(bytes)
    } else {
      let chunk = SharedChunk.make(capacity: max(bytes.count, Self.smallestCopy))
      chunk.append(bytes)
      link(chunk)
      lastIsOwn = true
    }
    count += bytes.count
  }

  /// Adds a share of a chunk.
  mutating func append(shared chunk: SharedChunk) {
    guard chunk.count > 0 else { return }
    chunk.retain()
    link(chunk)
    lastIsOwn = false
    count += chunk.count
  }

  private mutating func link(_ chunk: SharedChunk) {
    let piece = UnsafeMutablePointer<Piece>.allocate(capacity: 1)
    piece.initialize(to: Piece(next: nil, chunk: chunk))
    if let last { last.pointee.next = piece } else { first = piece }
    last = piece
  }

  /// Takes bytes from the front, as many as asked for, in runs that lie together.
  mutating func take(_ size: Int, _ body: (UnsafeRawBufferPointer) -> Void) {
    var left = size
    while left > 0, let piece = first {
      let bytes = piece.pointee.chunk.bytes
      let run = min(left, bytes.count - piece.pointee.offset)
      body(
        UnsafeRawBufferPointer(rebasing: bytes[piece.pointee.offset..<piece.pointee.offset + run]))
      piece.pointee.offset += run
      left -= run
      count -= run
      if piece.pointee.offset == bytes.count { removeFirst() }
    }
  }

  mutating func removeAll() {
    while first != nil { removeFirst() }
    count = 0
  }

  private mutating func removeFirst() {
    guard let piece = first else { return }
    first = piece.pointee.next
    if first == nil {
      last = nil
      lastIsOwn = false
    }
    piece.pointee.chunk.release()
    piece.deallocate()
  }
}
