/// Part of a caller's buffer, as an offset and a length in bytes.
///
/// A span owns nothing: it means something only together with the buffer it was made from.
public struct ByteSpan: Equatable, Hashable, Sendable {
  /// Bytes from the start of the buffer.
  public var offset: UInt32
  /// Bytes in the span.
  public var length: UInt32

  /// Both in bytes; nothing is checked against the memory that is meant.
  @inlinable
  public init(offset: UInt32, length: UInt32) {
    self.offset = offset
    self.length = length
  }

  /// The bytes from `start` up to, not including, `end`. Both must fit 32 bits.
  @inlinable
  public init(from start: Int, to end: Int) {
    self.offset = UInt32(truncatingIfNeeded: start)
    self.length = UInt32(truncatingIfNeeded: end &- start)
  }

  /// No bytes, at offset 0.
  @inlinable
  public static var empty: ByteSpan { ByteSpan(offset: 0, length: 0) }

  /// Whether it spans no byte.
  @inlinable
  public var isEmpty: Bool { length == 0 }

  /// The offset of the first byte.
  @inlinable
  public var start: Int { Int(offset) }

  /// The offset after the last byte.
  @inlinable
  public var end: Int { Int(offset) &+ Int(length) }

  /// Bytes in the span, as an `Int`.
  @inlinable
  public var count: Int { Int(length) }

  /// The bytes themselves, borrowed from the buffer that starts at `base`.
  @inlinable
  public func bytes(in base: UnsafeRawPointer) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(start: base + Int(offset), count: Int(length))
  }

  /// A copy of the bytes as text; invalid UTF-8 is replaced. Allocates: not for hot paths.
  public func text(in base: UnsafeRawPointer) -> String {
    String(decoding: bytes(in: base), as: UTF8.self)
  }
}
