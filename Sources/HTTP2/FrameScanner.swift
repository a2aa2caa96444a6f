internal import Wire

/// The header of a frame, RFC 9113 §4.1.
struct FrameHeader: Equatable {
  var type: UInt8
  var flags: UInt8
  var length: Int
}

/// Finds the frames in what a peer sends, split anywhere, ahead of whoever reads them.
///
/// nghttp2 tells nobody of frames that it ignores, and those are a flood as well. Lengths are believed: one that is too
/// large ends the connection as soon as nghttp2 sees it.
struct FrameScanner {
  /// Bytes of the client's preface, which is no frame, or of a payload, that are still to come.
  private var skip: Int
  private var header: UInt64 = 0
  private var headerCount = 0

  init(prefaceBytes: Int) { skip = prefaceBytes }

  /// The next frame whose header ends at or behind `offset`, which is moved past what was looked at; nil when the bytes
  /// are used up.
  mutating func next(_ bytes: UnsafeRawBufferPointer, offset: inout Int) -> FrameHeader? {
    while offset < bytes.count {
      if skip > 0 {
        let count = min(skip, bytes.count - offset)
        skip -= count
        offset += count
        continue
      }
      // The first five bytes say all that counts.
      if headerCount < 5 { header = header << 8 | UInt64(bytes[offset]) }
      headerCount += 1
      offset += 1
      guard headerCount == 9 else { continue }
      headerCount = 0
      skip = Int(header >> 16 & 0xff_ffff)
      return FrameHeader(
        type: UInt8(truncatingIfNeeded: header >> 8), flags: UInt8(truncatingIfNeeded: header),
        length: skip)
    }
    return nil
  }
}
