/// Writes frames, RFC 6455 §5.2.
public enum FrameEncoder {
  /// Bytes of the header of an unmasked frame with a payload of `length` bytes: 2, 4 or 10.
  @inlinable
  public static func headerBytes(_ length: Int) -> Int {
    length < 126 ? 2 : length < 65_536 ? 4 : 10
  }

  /// Appends a server's frame header; its payload of `length` bytes follows.
  ///
  /// - Parameters:
  ///   - isFinal: Whether the message ends with this frame.
  ///   - isCompressed: Whether to set RSV1 (RFC 7692 §6).
  @inlinable
  public static func appendHeader(
    _ opcode: Opcode, length: Int, isFinal: Bool = true, isCompressed: Bool = false,
    to output: inout ByteWriter
  ) {
    appendHeader(
      first: opcode.rawValue | (isFinal ? 0x80 : 0) | (isCompressed ? 0x40 : 0), length: length,
      maskBit: 0, to: &output)
  }

  /// Appends a server's whole frame, or nothing if it does not fit.
  @inlinable
  public static func append(
    _ opcode: Opcode, _ payload: UnsafeRawBufferPointer, to output: inout ByteWriter
  ) {
    guard output.reserve(headerBytes(payload.count) &+ payload.count) else { return }
    appendHeader(opcode, length: payload.count, to: &output)
    output.append(payload)
  }

  /// Appends a server's close frame.
  ///
  /// - Parameters:
  ///   - code: A code that may travel (`CloseCode.isValid`), or nil for an empty frame.
  ///   - reason: UTF-8, cut between two characters to the 123 bytes there is room for.
  public static func appendClose(
    code: UInt16?, reason: UnsafeRawBufferPointer, to output: inout ByteWriter
  ) {
    guard let code else { return appendHeader(.close, length: 0, to: &output) }
    var length = reason.count
    if length > 123 {
      length = 123
      while length > 0, reason[length] & 0xc0 == 0x80 { length -= 1 }
    }
    guard output.reserve(length + 4) else { return }
    appendHeader(.close, length: length + 2, to: &output)
    output.append(UInt8(truncatingIfNeeded: code >> 8))
    output.append(UInt8(truncatingIfNeeded: code))
    output.append(UnsafeRawBufferPointer(rebasing: reason[..<length]))
  }

  /// Appends a server's close frame for a violation.
  public static func appendClose(_ violation: FrameViolation, to output: inout ByteWriter) {
    let message = violation.message
    appendClose(
      code: violation.closeCode,
      reason: UnsafeRawBufferPointer(start: message.utf8Start, count: message.utf8CodeUnitCount),
      to: &output)
  }

  /// Appends a client's whole frame, masked with `mask` (first key byte in the low byte), or nothing if
  /// it does not fit. For tests, tools and outbound connections.
  public static func appendMasked(
    _ opcode: Opcode, _ payload: UnsafeRawBufferPointer, mask: UInt32, isFinal: Bool = true,
    isCompressed: Bool = false, to output: inout ByteWriter
  ) {
    guard output.reserve(headerBytes(payload.count) + 4 + payload.count) else { return }
    appendHeader(
      first: opcode.rawValue | (isFinal ? 0x80 : 0) | (isCompressed ? 0x40 : 0),
      length: payload.count, maskBit: 0x80, to: &output)
    withUnsafeBytes(of: mask.littleEndian) { output.append($0) }
    let start = output.count
    output.append(payload)
    FrameMask.apply(
      mask,
      to: UnsafeMutableRawBufferPointer(start: output.base + start, count: payload.count))
  }

  @usableFromInline
  static func appendHeader(first: UInt8, length: Int, maskBit: UInt8, to output: inout ByteWriter) {
    guard output.reserve(headerBytes(length)) else { return }
    output.append(first)
    if length < 126 {
      output.append(UInt8(truncatingIfNeeded: length) | maskBit)
    } else if length < 65_536 {
      output.append(126 | maskBit)
      output.append(UInt8(truncatingIfNeeded: length >> 8))
      output.append(UInt8(truncatingIfNeeded: length))
    } else {
      output.append(127 | maskBit)
      for shift in stride(from: 56, through: 0, by: -8) {
        output.append(UInt8(truncatingIfNeeded: length >> shift))
      }
    }
  }
}
