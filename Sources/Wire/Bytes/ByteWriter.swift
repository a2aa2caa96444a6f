/// An output area that is appended to, and never written past.
///
/// Two kinds: over memory of the caller (`init(_:capacity:)`), where what does not fit is dropped
/// whole and `overflowed` is set, so a caller appends freely and looks once at the end; or growing
/// (`init(growingFrom:)`), which owns its memory until `deallocate()`.
///
/// The struct is a plain value: keep one copy of it and pass it `inout`. One thread at a time.
public struct ByteWriter {
  /// The first byte of the area. A growing writer moves it when it grows.
  public private(set) var base: UnsafeMutableRawPointer
  /// Bytes the area holds.
  public private(set) var capacity: Int
  /// Bytes written. Set it back to an earlier value to undo what was appended since.
  public var count: Int
  /// Whether an append did not fit. Stays set until `reset()`.
  public var overflowed: Bool
  /// Whether the writer owns its memory and makes more when it is full.
  public let isGrowing: Bool

  /// A writer over the caller's memory, which must outlive it.
  @inlinable
  public init(_ base: UnsafeMutableRawPointer, capacity: Int) {
    self.init(base: base, capacity: capacity, isGrowing: false)
  }

  /// A writer with its own memory, which grows by doubling. End it with `deallocate()`.
  @inlinable
  public init(growingFrom capacity: Int) {
    let initial = capacity < 16 ? 16 : capacity
    self.init(
      base: .allocate(byteCount: initial, alignment: 16), capacity: initial, isGrowing: true)
  }

  @usableFromInline
  init(base: UnsafeMutableRawPointer, capacity: Int, isGrowing: Bool) {
    self.base = base
    self.capacity = capacity
    self.count = 0
    self.overflowed = false
    self.isGrowing = isGrowing
  }

  /// Frees the memory of a growing writer; does nothing to the caller's memory.
  public func deallocate() {
    if isGrowing { base.deallocate() }
  }

  /// Bytes that still fit without growing.
  @inlinable
  public var available: Int { capacity &- count }

  /// What is written so far, borrowed until the next append.
  @inlinable
  public var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: count) }

  /// A copy of what is written so far, as text. Allocates.
  public var text: String { String(decoding: bytes, as: UTF8.self) }

  /// Forgets everything written, and the overflow.
  @inlinable
  public mutating func reset() {
    count = 0
    overflowed = false
  }

  /// Makes sure `size` more bytes fit. False, with `overflowed` set, if they cannot.
  @inlinable
  public mutating func reserve(_ size: Int) -> Bool {
    if size <= capacity &- count { return true }
    return grow(size)
  }

  @usableFromInline
  mutating func grow(_ size: Int) -> Bool {
    guard isGrowing else {
      overflowed = true
      return false
    }
    let (needed, tooLarge) = count.addingReportingOverflow(size)
    let (doubled, wraps) = capacity.multipliedReportingOverflow(by: 2)
    guard !tooLarge, !wraps else {
      overflowed = true
      return false
    }
    let larger = needed > doubled ? needed : doubled
    let next = UnsafeMutableRawPointer.allocate(byteCount: larger, alignment: 16)
    next.copyMemory(from: base, byteCount: count)
    base.deallocate()
    base = next
    capacity = larger
    return true
  }

  /// Appends one byte.
  @inlinable
  public mutating func append(_ byte: UInt8) {
    guard reserve(1) else { return }
    base.storeBytes(of: byte, toByteOffset: count, as: UInt8.self)
    count &+= 1
  }

  /// Appends `bytes` whole, or nothing.
  @inlinable
  public mutating func append(_ bytes: UnsafeRawBufferPointer) {
    guard let source = bytes.baseAddress else { return }
    append(source, bytes.count)
  }

  /// Appends `size` bytes from `source` whole, or nothing.
  @inlinable
  public mutating func append(_ source: UnsafeRawPointer, _ size: Int) {
    guard reserve(size) else { return }
    (base + count).copyMemory(from: source, byteCount: size)
    count &+= size
  }

  /// Appends a literal.
  @inlinable
  public mutating func append(_ literal: StaticString) {
    append(UnsafeRawPointer(literal.utf8Start), literal.utf8CodeUnitCount)
  }

  /// Appends the UTF-8 of `text`.
  public mutating func append(text: String) {
    var text = text
    text.withUTF8 { append(UnsafeRawBufferPointer($0)) }
  }
}
