internal import Wire

/// A place in memory that is written without asking for room each time: the caller has made sure of it.
struct LineCursor {
  private(set) var place: UnsafeMutableRawPointer

  init(_ place: UnsafeMutableRawPointer) { self.place = place }

  /// Writes a literal: a few moves of what the compiler knows.
  @inline(__always)
  mutating func put(_ literal: StaticString) {
    put(UnsafeRawPointer(literal.utf8Start), literal.utf8CodeUnitCount)
  }

  @inline(__always)
  mutating func put(_ bytes: UnsafeRawPointer, _ count: Int) {
    place.copyMemory(from: bytes, byteCount: count)
    place += count
  }

  @inline(__always)
  mutating func put(_ bytes: UnsafeRawBufferPointer) {
    if let base = bytes.baseAddress { put(base, bytes.count) }
  }

  /// Writes bytes of which there are mostly 1 to 32, without a call for those: two words that may overlap.
  @inline(__always)
  mutating func put(short bytes: UnsafeRawBufferPointer) {
    guard let base = bytes.baseAddress else { return }
    let count = bytes.count
    if count >= 8 {
      if count <= 16 {
        copyEnds(base, count, UInt64.self)
      } else if count <= 32 {
        copyEnds(base, count, SIMD16<UInt8>.self)
      } else {
        place.copyMemory(from: base, byteCount: count)
      }
    } else if count >= 4 {
      copyEnds(base, count, UInt32.self)
    } else if count >= 2 {
      copyEnds(base, count, UInt16.self)
    } else if count == 1 {
      copyEnds(base, count, UInt8.self)
    }
    place += count
  }

  @inline(__always)
  private func copyEnds<T: BitwiseCopyable>(_ base: UnsafeRawPointer, _ count: Int, _: T.Type) {
    let last = count &- MemoryLayout<T>.size
    let head = base.loadUnaligned(as: T.self)
    let tail = base.loadUnaligned(fromByteOffset: last, as: T.self)
    place.storeBytes(of: head, as: T.self)
    place.storeBytes(of: tail, toByteOffset: last, as: T.self)
  }

  /// Moves past what another writer has written here.
  mutating func skip(_ count: Int) { place += count }

  /// Writes a number that is not negative in decimal: at most 20 bytes.
  @inline(__always)
  mutating func put(decimal value: Int) {
    place += DecimalText.write(UInt64(truncatingIfNeeded: value), to: place)
  }
}
