internal import Wire

/// A place in memory that is written without asking for room each time: the caller has made sure of it.
struct LineCursor {
  private(set) var place: UnsafeMutableRawPointer

  init(_ place: UnsafeMutableRawPointer) { self.place = place }

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

  /// Moves past what another writer has written here.
  mutating func skip(_ count: Int) { place += count }

  /// Writes a number that is not negative in decimal: at most 20 bytes, and room for 4.
  @inline(__always)
  mutating func put(decimal value: Int) {
    var writer = ByteWriter(place, capacity: 24)
    writer.append(decimal: value)
    place += writer.count
  }
}
