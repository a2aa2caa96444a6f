internal import Wire

/// The first lines of the answer that a loop gives most: status, date, content type and the name of the length, rendered
/// again only when one of them is another. Confined to its loop.
struct AnswerPrefix {
  private static let typeLimit = 64
  private static let capacity = 256
  private let memory: UnsafeMutableRawPointer
  private let type: UnsafeMutableRawPointer
  private var typeCount = -1
  private var status = 0
  private var count = 0
  /// The milliseconds in which the rendered date is right.
  private var from: UInt64 = 0
  private var until: UInt64 = 0

  init() {
    memory = .allocate(byteCount: Self.capacity + Self.typeLimit, alignment: 16)
    type = memory + Self.capacity
  }

  func destroy() { memory.deallocate() }

  /// `HTTP/1.1 200 OK` to `content-length: `, if these are what is rendered.
  @inline(__always)
  func find(_ status: Int, _ contentType: UnsafeRawBufferPointer, now: UInt64)
    -> UnsafeRawBufferPointer?
  {
    guard status == self.status, contentType.count == typeCount, now >= from, now < until,
      agrees(contentType)
    else { return nil }
    return UnsafeRawBufferPointer(start: memory, count: count)
  }

  @inline(__always)
  private func agrees(_ other: UnsafeRawBufferPointer) -> Bool {
    guard let base = other.baseAddress else { return true }
    // Nearly always `application/json`, two words long.
    if typeCount == 16 {
      return base.loadUnaligned(as: SIMD2<UInt64>.self) == type.load(as: SIMD2<UInt64>.self)
    }
    return UnsafeRawBufferPointer(start: type, count: typeCount).elementsEqual(other)
  }

  /// Takes over what has just been rendered at `start`, unless its type is too long to be remembered.
  mutating func remember(
    _ status: Int, _ contentType: UnsafeRawBufferPointer, now: UInt64, _ start: UnsafeRawPointer,
    _ count: Int
  ) {
    guard contentType.count <= Self.typeLimit, count <= Self.capacity else { return }
    memory.copyMemory(from: start, byteCount: count)
    if let base = contentType.baseAddress {
      type.copyMemory(from: base, byteCount: contentType.count)
    }
    typeCount = contentType.count
    self.status = status
    self.count = count
    from = now / 1000 * 1000
    until = from + 1000
  }
}
