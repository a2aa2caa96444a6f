/// Pieces of memory that live as long as a request: decoded parameters and the like.
struct Arena {
  private var first: UnsafeMutableRawPointer?

  /// Uninitialised memory of `count` bytes.
  mutating func allocate(_ count: Int) -> UnsafeMutableRawPointer {
    let piece = UnsafeMutableRawPointer.allocate(byteCount: count + 16, alignment: 16)
    piece.storeBytes(of: first, as: UnsafeMutableRawPointer?.self)
    first = piece
    return piece + 16
  }

  mutating func freeAll() {
    while let piece = first {
      first = piece.load(as: UnsafeMutableRawPointer?.self)
      piece.deallocate()
    }
  }
}
