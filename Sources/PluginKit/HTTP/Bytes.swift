public import CSluice

/// Bytes that the host owns: a view that is valid as long as its source says, and copies nothing.
///
/// Make a copy with `Array(bytes)` or `bytes.text` to keep them longer.
@frozen
public struct Bytes: RandomAccessCollection {
  @usableFromInline let start: UnsafePointer<UInt8>?
  /// How many bytes; 0 also when absent.
  public let count: Int

  @inlinable
  init(_ slice: sluice_slice_t) {
    start = slice.bytes
    count = slice.bytes == nil ? 0 : Int(truncatingIfNeeded: slice.length)
  }

  /// Whether there is such a thing at all, be it empty.
  @inlinable
  public var isPresent: Bool { start != nil }

  @inlinable
  public var startIndex: Int { 0 }

  @inlinable
  public var endIndex: Int { count }

  @inlinable
  public subscript(position: Int) -> UInt8 {
    precondition(position >= 0 && position < count, "index out of range")
    return start.unsafelyUnwrapped[position]
  }

  /// A copy as text; invalid UTF-8 is replaced.
  public var text: String {
    String(decoding: UnsafeBufferPointer(start: start, count: count), as: UTF8.self)
  }

  /// Calls `body` with the memory itself.
  @inlinable
  public func withUnsafeBytes<Value>(
    _ body: (UnsafeRawBufferPointer) throws -> Value
  ) rethrows -> Value {
    try body(UnsafeRawBufferPointer(start: start, count: count))
  }

  @inlinable
  public func withContiguousStorageIfAvailable<Value>(
    _ body: (UnsafeBufferPointer<UInt8>) throws -> Value
  ) rethrows -> Value? {
    try body(UnsafeBufferPointer(start: start, count: count))
  }

  /// Whether the bytes are those of `text`.
  public static func == (bytes: Bytes, text: StaticString) -> Bool {
    bytes.count == text.utf8CodeUnitCount
      && bytes.elementsEqual(UnsafeBufferPointer(start: text.utf8Start, count: bytes.count))
  }

  /// The view as the contract passes it; absent stays absent.
  var slice: sluice_slice_t { sluice_slice_t(bytes: start, length: UInt64(count)) }
}

extension sluice_slice_t {
  @inlinable
  static var absent: sluice_slice_t { sluice_slice_t(bytes: nil, length: 0) }

  @inlinable
  init(_ text: StaticString) {
    self.init(bytes: text.utf8Start, length: UInt64(text.utf8CodeUnitCount))
  }

  /// The bytes of a buffer; present even when the buffer is empty, so it must not be `nil`.
  @inlinable
  init(_ buffer: UnsafeBufferPointer<UInt8>) {
    self.init(
      bytes: buffer.baseAddress ?? UnsafePointer(("" as StaticString).utf8Start),
      length: UInt64(buffer.count))
  }

  var text: String { Bytes(self).text }
}

extension String {
  /// Lends the text's UTF-8 to the contract.
  @inlinable
  func withSlice<Value>(_ body: (sluice_slice_t) throws -> Value) rethrows -> Value {
    var copy = self
    return try copy.withUTF8 { try body(sluice_slice_t($0)) }
  }
}

extension String? {
  /// As `String.withSlice`; nil is absent.
  func withSlice<Value>(_ body: (sluice_slice_t) throws -> Value) rethrows -> Value {
    guard let self else { return try body(.absent) }
    return try self.withSlice(body)
  }
}

extension [UInt8]? {
  /// As `[UInt8].withSlice`; nil is absent.
  func withSlice<Value>(_ body: (sluice_slice_t) throws -> Value) rethrows -> Value {
    guard let self else { return try body(.absent) }
    return try self.withSlice(body)
  }
}

extension [UInt8] {
  /// Lends the bytes to the contract.
  @inlinable
  func withSlice<Value>(_ body: (sluice_slice_t) throws -> Value) rethrows -> Value {
    try withUnsafeBufferPointer { try body(sluice_slice_t($0)) }
  }
}
