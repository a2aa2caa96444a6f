internal import Glibc

/// The bytes of a file, read little-endian and never past the end.
struct ELFFile {
  /// Larger than any library that a plugin can sensibly be.
  static let limit = 512 << 20

  let bytes: [UInt8]

  init(path: String) throws(ELFError) {

    do {
      bytes = try FileSystem.contents(of: path, limit: Self.limit)
    } catch {
      throw .unreadable(reason: error.description)
    }
  }

  func uint16(at offset: UInt64) throws(ELFError) -> UInt16 { try integer(at: offset) }
  func uint32(at offset: UInt64) throws(ELFError) -> UInt32 { try integer(at: offset) }
  func uint64(at offset: UInt64) throws(ELFError) -> UInt64 { try integer(at: offset) }

  /// Checks that `count` entries of `size` bytes from `offset` on are in the file.
  func require(_ count: UInt64, of size: UInt64, at offset: UInt64) throws(ELFError) {
    let (length, isHuge) = count.multipliedReportingOverflow(by: size)
    let (end, isBeyond) = offset.addingReportingOverflow(length)
    guard !isHuge, !isBeyond, end <= UInt64(bytes.count) else {
      throw .truncated(
        size: bytes.count, needed: isHuge || isBeyond ? .max : end)
    }
  }

  /// The text from `offset` to the next zero byte, which must come before `end`.
  func text(at offset: UInt64, before end: UInt64) throws(ELFError) -> String {
    let bound = min(end, UInt64(bytes.count))
    guard offset < bound,
      let zero = bytes[Int(offset)..<Int(bound)].firstIndex(of: 0)
    else { throw .malformed(what: "a name reaches past the table of names") }
    return String(decoding: bytes[Int(offset)..<zero], as: UTF8.self)
  }

  private func integer<T: FixedWidthInteger>(at offset: UInt64) throws(ELFError) -> T {
    try require(1, of: UInt64(MemoryLayout<T>.size), at: offset)
    return bytes.withUnsafeBytes {
      T(littleEndian: $0.loadUnaligned(fromByteOffset: Int(offset), as: T.self))
    }
  }
}
